"""The words for what figures name by a code."""

from __future__ import annotations

from reports.figures import (
    Basis,
    Boundary,
    HandedOn,
    Line,
    LineKind,
    Perimeter,
    Quality,
    ServiceCarbon,
    SlaState,
)
from reports.language import Language


def quality_label(quality: Quality, language: Language) -> str:
    """How an energy was come by, in words."""
    _ = language.gettext
    return {
        Quality.MEASURED: _("mesuré"),
        Quality.MODELLED: _("modélisé"),
        Quality.DECLARED: _("déclaré"),
    }[quality]


def boundary_label(boundary: Boundary, language: Language) -> str:
    """What a reading holds, in words."""
    _ = language.gettext
    return {
        Boundary.PACKAGE_DRAM: _("processeurs et mémoire"),
        Boundary.SERVER_INPUT: _("entrée électrique du serveur"),
        Boundary.PDU: _("bandeau de prises"),
        Boundary.SITE: _("site"),
    }[boundary]


def perimeter_label(perimeter: Perimeter, language: Language) -> str:
    """What a factor holds, in words."""
    _ = language.gettext
    return {
        Perimeter.CONSUMPTION_LIFE_CYCLE: _("mix de consommation, cycle de vie"),
        Perimeter.PRODUCTION_LIFE_CYCLE: _("mix de production, cycle de vie"),
        Perimeter.PRODUCTION_DIRECT: _("mix de production, émissions directes"),
        Perimeter.RESIDUAL_MIX: _("mix résiduel, sans ce qui est vendu avec une preuve d'origine"),
    }[perimeter]


def basis_label(basis: Basis, language: Language) -> str:
    """How carbon is reckoned, in words."""
    _ = language.gettext
    return {
        Basis.YEARLY_AVERAGE: _("moyenne annuelle, cycle de vie"),
        Basis.HOURLY_DIRECT: _("heure par heure, émissions directes"),
        Basis.MARKET_BASED: _("contrats d'électricité du site"),
    }[basis]


def line_label(line: Line, language: Language) -> str:
    """What a line is called: its workload, or what it is of where it has none."""
    if line.kind in (LineKind.OWN, LineKind.UNCLAIMED):
        return line.workload
    name = kind_label(line.kind, language)
    return f"{name} ({line.site})" if line.site and line.kind is not LineKind.SHARE else name


def kind_label(kind: LineKind, language: Language) -> str:
    """What a line is, in words."""
    _ = language.gettext
    return {
        LineKind.OWN: _("charge de travail de l'adhérent"),
        LineKind.SHARE: _("part d'un service partagé"),
        LineKind.UNALLOCATED: _("part d'un service partagé que personne ne porte"),
        LineKind.UNCLAIMED: _("charge de travail que personne ne réclame"),
        LineKind.IT_REST: _("énergie IT qu'aucun hôte ne mesure"),
        LineKind.SITE_REST: _("reste de la surconsommation du site"),
    }[kind]


def service_label(told: Line | HandedOn | ServiceCarbon, language: Language) -> str:
    """The name of a service in the reader's language, where it has one."""
    return told.service_en if language.code != "fr" and told.service_en else told.service


def key_label(kind: str, language: Language) -> str:
    """By what a shared service is split, in words."""
    _ = language.gettext
    known = {
        "volume": _("volumes du mois"),
        "subscription": _("une part par abonnement"),
        "it_energy": _("énergie IT des abonnés"),
    }
    return known.get(kind, kind)


def state_label(state: SlaState, language: Language) -> str:
    """Where an incident stands against its target, in words."""
    _ = language.gettext
    return {
        SlaState.ON_TIME: _("dans les délais"),
        SlaState.AT_RISK: _("à risque"),
        SlaState.BREACHED: _("délai dépassé"),
        SlaState.WAITING: _("en attente de l'adhérent"),
        SlaState.MET: _("tenu"),
        SlaState.MISSED: _("manqué"),
    }[state]
