"""The family of a processor, from the name that it or a hypervisor gives it.

    Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz   -> cascade-lake
    AMD EPYC 7763 64-Core Processor             -> milan
    Intel Xeon Processor (Skylake, IBRS)        -> skylake

A name that no line of the table knows has no family: nothing is guessed from a near one.
"""

from __future__ import annotations

import re

MARKS = re.compile(r"\((r|tm)\)|[®™]|\b(cpu|processor)\b", re.IGNORECASE)
SPACES = re.compile(r"\s+")


def _xeon(names: str) -> str:
    """The number of a Xeon, whose rank the results do not always tell."""
    return rf"xeon(?: (?:platinum|gold|silver|bronze))? (?:{names})"


FAMILIES: tuple[tuple[str, str], ...] = (
    ("granite-rapids", _xeon(r"6[579]\d\dp\b")),
    ("sierra-forest", _xeon(r"6[67]\d\de\b")),
    ("emerald-rapids", _xeon(r"[8654]5\d\d[a-z]?\+?(?![\dv])")),
    ("sapphire-rapids", _xeon(r"(?:[86543]4\d\d)[a-z]{0,2}\+?(?!\d)")),
    ("ice-lake", r"xeon (?:platinum 83[5678]|(?:gold|silver) [654]3\d)\d(?!h)"),
    ("ice-lake-d", r"xeon[ -]d[ -](?:27|17)\d\d"),
    ("cooper-lake", r"xeon (?:platinum|gold) (?:83|63|53)\d\dhl?\b"),
    ("cascade-lake", r"xeon (?:platinum|gold|silver|bronze) [86543]2\d\d"),
    ("skylake", r"xeon (?:platinum|gold|silver|bronze) [86543]1\d\d"),
    ("raptor-lake", r"xeon (?:e )?e-24\d\d|xeon 63\d\dp"),
    ("rocket-lake", r"xeon e-23\d\d"),
    ("coffee-lake", r"xeon e-2[12]\d\d"),
    ("broadwell", r"xeon e[57]-\d{4}[a-z]? ?v4|xeon d-15\d\d"),
    ("haswell", r"xeon e[57]-\d{4}[a-z]? ?v3"),
    ("ivy-bridge", r"xeon e[57]-\d{4}[a-z]? ?v2"),
    ("sandy-bridge", r"xeon e5-\d{4}[a-z]?(?! ?v\d)"),
    ("westmere", r"xeon (?:[xel]56\d\d|5675|e7-[248]8\d\d\b(?! ?v))"),
    ("nehalem", r"xeon (?:[xelw]55\d\d|[xl]34\d\d|x75\d\d)"),
    ("harpertown", r"xeon [xel]54\d\d"),
    ("turin", r"epyc 9\d\d5[a-z]{0,2}\b"),
    ("genoa", r"epyc 9[0-6]\d4[a-z]?\b"),
    ("bergamo", r"epyc 97\d4[a-z]?\b"),
    ("siena", r"epyc 8\d\d4p?n?\b"),
    ("milan", r"epyc 7\w\w3x?p?\b"),
    ("rome", r"epyc 7\w\w2p?\b"),
    ("naples", r"epyc 7\d\d1p?\b"),
    ("altra", r"altra\b"),
)
BY_WORD = {  # what a hypervisor writes in the name of a virtual processor
    "graniterapids": "granite-rapids",
    "sierraforest": "sierra-forest",
    "sapphirerapids": "sapphire-rapids",
    "icelake": "ice-lake",
    "cooperlake": "cooper-lake",
    "cascadelake": "cascade-lake",
    "skylake": "skylake",
    "broadwell": "broadwell",
    "haswell": "haswell",
    "ivybridge": "ivy-bridge",
    "sandybridge": "sandy-bridge",
    "westmere": "westmere",
    "nehalem": "nehalem",
    "epyc-genoa": "genoa",
    "epyc-milan": "milan",
    "epyc-rome": "rome",
}
KNOWN = tuple((family, re.compile(pattern)) for family, pattern in FAMILIES)
VIRTUAL = re.compile(r"\(([a-z0-9-]+)[,)]|(epyc-(?:genoa|milan|rome))")


def family_of(cpu_model: str) -> str | None:
    """The family of a processor by its name; None where the table knows none."""
    name = SPACES.sub(" ", MARKS.sub("", cpu_model)).strip().lower()
    for family, pattern in KNOWN:
        if pattern.search(name):
            return family
    match = VIRTUAL.search(name)
    return BY_WORD.get(match[1] or match[2]) if match else None
