"""What the parts of months of carbon are called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain.carbon_months import LineHeld
from console.store.queries.carbon_months import MonthSeen
from console.web.factor_words import BASES

Words = Mapping[str, str | LazyString]
STATES: Words = {
    "running": lazy_gettext("en cours"),
    "provisional": lazy_gettext("provisoire"),
    "final": lazy_gettext("définitif"),
    "closed": lazy_gettext("clos"),
}
TONES = {"running": "neutral", "provisional": "warning", "final": "information", "closed": "good"}
DOUBTS: Words = {
    "due": lazy_gettext("un calcul est attendu"),
    "factor": lazy_gettext("le facteur de l'année n'est pas encore connu"),
    "pue": lazy_gettext("le PUE est déclaré provisoire"),
    "facility": lazy_gettext("rien n'est connu de ce que prend le centre de données"),
    "coverage": lazy_gettext("trop peu d'heures sont mesurées"),
    "volume": lazy_gettext("un volume manque pour répartir un service partagé"),
    "no_factor": lazy_gettext("de l'énergie est sans facteur d'émission"),
}
CAUSES: Words = {
    "energy": lazy_gettext("heures"),
    "keys": lazy_gettext("clés et volumes"),
    "facility": lazy_gettext("PUE"),
    "intensity": lazy_gettext("facteur, réseau, contrats"),
    "embodied": lazy_gettext("fabrication"),
}
TARGETS: Words = {
    "energy_mj": lazy_gettext("énergie"),
    "overhead_mj": lazy_gettext("surconsommation du site"),
    **{f"{name}": text for name, text in BASES.items()},
    "embodied_ug": lazy_gettext("fabrication"),
}
KINDS: Words = {
    "own": lazy_gettext("charge de l'adhérent"),
    "share": lazy_gettext("part d'un service partagé"),
    "pool": lazy_gettext("service partagé, avant partage"),
    "unallocated": lazy_gettext("part non répartie : volume manquant"),
    "unclaimed": lazy_gettext("non affectée"),
    "it_rest": lazy_gettext("énergie informatique non attribuée"),
    "site_rest": lazy_gettext("reste du site"),
}
KEYS: Words = {
    "volume": lazy_gettext("volumes mensuels"),
    "subscription": lazy_gettext("une part par souscription"),
    "it_energy": lazy_gettext("énergie informatique des abonnés"),
}
ORIGINS: Words = {"metered": lazy_gettext("mesuré"), "declared": lazy_gettext("déclaré")}
QUALITIES: Words = {
    "measured": lazy_gettext("mesuré"),
    "modelled": lazy_gettext("modélisé"),
    "declared": lazy_gettext("déclaré"),
}
ROUNDINGS: Words = {
    "down": lazy_gettext("arrondi vers le bas"),
    "half_even": lazy_gettext("arrondi au plus proche, au pair en cas d'égalité"),
}
FIGURES: Words = {
    **TARGETS,
    "water_ml": lazy_gettext("eau"),
    "embodied_ug": lazy_gettext("fabrication, de l'hôte"),
    "technical_ug": lazy_gettext("fabrication, des équipements techniques du site"),
}


def line_name(line: LineHeld) -> str:
    """What a line is called: its host and workload, or what kind of line it is."""
    if line.workload is None:
        return str(KINDS[line.kind.value])
    special = {
        "idle_kept": lazy_gettext("veille gardée par l'opérateur"),
        "unattributed": lazy_gettext("non attribué : noyau et processus sans nom"),
    }
    return str(special.get(line.workload, line.workload))


def unconfirmed(months: Iterable[MonthSeen]) -> list[str]:
    """The factors that price some months and whose value nobody has read again, by name."""
    held = (one for seen in months for one in seen.inputs.unconfirmed)
    return sorted({f"{one.publisher}, {one.title}, {one.vintage}" for one in held})


def words() -> dict[str, object]:
    """For templates."""
    return {
        "states": STATES,
        "tones": TONES,
        "doubt_names": DOUBTS,
        "cause_names": CAUSES,
        "target_names": TARGETS,
        "kinds": KINDS,
        "key_kinds": KEYS,
        "origins": ORIGINS,
        "roundings": ROUNDINGS,
        "figure_names": FIGURES,
        "bases": BASES,
        "line_name": line_name,
        "unconfirmed": unconfirmed,
    }
