"""What a list of incidents is narrowed by, and by which values, in the words and the order of the page."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext

from console.domain.adherents import AGENCIES
from console.web.audit_choices import CATEGORIES, Words

ORIGINS: Words = {
    "console": lazy_gettext("saisis ici"),
    "adherent": lazy_gettext("déclarés par l'adhérent"),
    "service_desk": lazy_gettext("venus du centre de services"),
    "alertmanager": lazy_gettext("venus d'Alertmanager"),
    "major": lazy_gettext("nés d'un incident majeur"),
}
STATES: Words = {
    "breached": lazy_gettext("délai dépassé"),
    "at_risk": lazy_gettext("à risque"),
    "waiting": lazy_gettext("en attente de l'adhérent"),
    "on_time": lazy_gettext("dans les délais"),
    "missed": lazy_gettext("manqué"),
    "met": lazy_gettext("tenu"),
}
FACETS: Words = {
    "state": lazy_gettext("État"),
    "priority": lazy_gettext("Priorité"),
    "awaited": lazy_gettext("Qui est attendu"),
    "mine": lazy_gettext("Adhérents suivis"),
    "security": lazy_gettext("Sécurité"),
    "category": lazy_gettext("Catégorie"),
    "major": lazy_gettext("Incident majeur"),
    "origin": lazy_gettext("Origine"),
    "agency": lazy_gettext("Agence"),
}
VALUES: Mapping[str, Words] = {
    "state": STATES,
    "priority": {name: name for name in ("P1", "P2", "P3", "P4", "P5")},
    "awaited": {
        "owner": lazy_gettext("à prendre en charge"),
        "operator": lazy_gettext("l'opérateur y travaille"),
        "adherent": lazy_gettext("l'adhérent est attendu"),
        "nobody": lazy_gettext("personne : résolus"),
    },
    "mine": {"yes": lazy_gettext("de mes adhérents"), "no": lazy_gettext("des autres adhérents")},
    "security": {"yes": lazy_gettext("de sécurité"), "no": lazy_gettext("sans enjeu de sécurité")},
    "category": CATEGORIES,
    "major": {"yes": lazy_gettext("part d'un incident majeur"), "no": lazy_gettext("propres à l'adhérent")},
    "origin": ORIGINS,
    "agency": {agency: agency for agency in AGENCIES},
}
