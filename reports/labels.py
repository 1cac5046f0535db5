"""The words for what figures name by a code."""

from __future__ import annotations

from reports.figures import Boundary, Perimeter, Quality, SlaState
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
    }[perimeter]


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
