"""What is told of an incident, in the words of the page; and its templates filled in."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from console.domain.incident_log import Change
from console.domain.messages import Word, fill_in
from console.store.queries.incidents import IncidentPage
from console.store.queries.message_templates import Template
from console.web.adherent_words import moment
from console.web.audit_choices import CATEGORIES, EFFECTS, ORIGINS, Words
from console.web.languages import current_language

EVENTS: Words = {
    "opened": lazy_gettext("ouvert"),
    "acknowledged": lazy_gettext("pris en charge"),
    "waiting": lazy_gettext("mis en attente de l'adhérent"),
    "resumed": lazy_gettext("repris"),
    "resolved": lazy_gettext("résolu"),
    "closed": lazy_gettext("clos"),
    "reopened": lazy_gettext("rouvert"),
}
CHANGES: Words = {
    "priority": lazy_gettext("priorité"),
    "impact": lazy_gettext("impact"),
    "urgency": lazy_gettext("urgence"),
    "category": lazy_gettext("catégorie"),
    "security": lazy_gettext("incident de sécurité"),
    "effect": lazy_gettext("effet sur le service"),
    "plan": lazy_gettext("plan de la souscription"),
    "title": lazy_gettext("titre"),
    "description": lazy_gettext("description"),
}
IMPACTS: Words = {
    "1": lazy_gettext("plusieurs établissements, ou un service vital"),
    "2": lazy_gettext("tout l'établissement"),
    "3": lazy_gettext("un service de l'établissement"),
    "4": lazy_gettext("une équipe"),
    "5": lazy_gettext("une personne"),
}
URGENCIES: Words = {
    "1": lazy_gettext("tout de suite"),
    "2": lazy_gettext("dans l'heure"),
    "3": lazy_gettext("dans la journée"),
    "4": lazy_gettext("dans la semaine"),
    "5": lazy_gettext("plus tard"),
}
YES_OR_NO: Words = {"yes": lazy_gettext("oui"), "no": lazy_gettext("non")}
VALUES: dict[str, Words] = {
    Change.IMPACT: IMPACTS,
    Change.URGENCY: URGENCIES,
    Change.CATEGORY: CATEGORIES,
    Change.SECURITY: YES_OR_NO,
    Change.EFFECT: EFFECTS,
}


def install(app: Flask) -> None:
    """Give these words to the templates."""
    app.jinja_env.filters.update(log_word=log_word, log_value=log_value)
    app.jinja_env.globals.update(
        IMPACTS=IMPACTS,
        URGENCIES=URGENCIES,
        INCIDENT_CATEGORIES=CATEGORIES,
        INCIDENT_EFFECTS=EFFECTS,
        INCIDENT_ORIGINS=ORIGINS,
    )


def log_word(kind: str) -> str:
    """What a line of the log is about."""
    return str(EVENTS.get(kind) or CHANGES[kind])


def log_value(value: str | None, kind: str) -> str:
    """A value of a change; the plan as its version and its code."""
    if value is None:
        return str(_("inconnu"))
    if kind == Change.PLAN:
        version, _blank, code = value.partition(" ")
        return str(_("%(plan)s, version %(version)s", plan=code, version=version))
    return str(VALUES.get(kind, {}).get(value, value))


def written_from(template: Template, incident: IncidentPage) -> str:
    """The text of a template about an incident, in the language of the page."""
    french = current_language().code == "fr"

    def told(at: datetime | None) -> str:
        return str(_("à préciser")) if at is None else moment(at, incident.zone)

    return fill_in(
        template.text_fr if french else template.text_en,
        {
            Word.NUMBER: str(incident.number),
            Word.TITLE: incident.title,
            Word.ADHERENT: incident.adherent,
            Word.SERVICE: incident.service_fr if french else incident.service_en,
            Word.PRIORITY: incident.priority,
            Word.OPENED: told(incident.opened_at),
            Word.DUE: told(incident.ttr.due_at),
            Word.RESOLVED: told(incident.resolved_at),
        },
    )
