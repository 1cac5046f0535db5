"""What a data centre measures and buys, in the terms of ISO/IEC 30134 and EN 50600-4."""

from __future__ import annotations

from enum import StrEnum


class Quantity(StrEnum):
    """What a meter of a site counts; energies in millijoules, water in millilitres."""

    TOTAL = "e_dc"  # all energy of the data centre
    IT = "e_it"  # of its IT equipment, at the point of the PUE category
    RENEWABLE = "e_ren"
    REUSED = "e_reuse"  # heat that serves elsewhere
    GENERATORS = "e_gen"  # from generators
    WATER = "water"  # drawn
    WATER_POTABLE = "water_potable"  # of it, drinking water


class ContractKind(StrEnum):
    """How electricity is bought, by what proves its origin."""

    STANDARD = "standard"  # the supplier's mix
    GUARANTEE = "guarantee_of_origin"
    PPA = "ppa"  # a power purchase agreement
    ON_SITE = "on_site"


class Basis(StrEnum):
    """What an intensity of a grid holds; figures on two bases are never added up."""

    DIRECT_PRODUCTION = "direct_production"  # what is burnt to produce, as eCO2mix
    DIRECT_CONSUMPTION = "direct_consumption"
    LIFE_CYCLE_PRODUCTION = "life_cycle_production"
    LIFE_CYCLE_CONSUMPTION = "life_cycle_consumption"
