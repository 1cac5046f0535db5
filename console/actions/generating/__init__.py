"""A whole past that is not real: what `console generate` writes into a database of its own.

    scale, catalogue -> imagined world (adherents, contracts, hosts, workloads, claims, in memory)
        -> subjects, each a series of short deeds -> rows, marked as generated from the first to the last

Every number is drawn by dice of its own, cast from the seed and the name of the thing, so that the same
options give the same rows on any day and on any database, and a change to one subject leaves the others as
they were.
"""
