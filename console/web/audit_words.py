"""Entries of the audit log in the words of the reader: what was done, to what, from which value to which.

What has no words here is shown under its own name: a table that is new is never left out of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from console.store.queries.audit import LoggedDeed
from console.web.languages import ZONE, day, instant, number

# By the first word of a kind, in the order of the filter.
THINGS = {
    "adherent": lazy_gettext("adhérent"),
    "own_site": lazy_gettext("site"),
    "contact": lazy_gettext("contact"),
    "subscription": lazy_gettext("souscription"),
    "subscription_amendment": lazy_gettext("avenant"),
    "volume_month": lazy_gettext("volume d'un mois"),
    "workload_claim": lazy_gettext("affectation de charge"),
    "service_claim": lazy_gettext("affectation de service partagé"),
    "incident": lazy_gettext("incident"),
    "incident_event": lazy_gettext("événement d'incident"),
    "statement": lazy_gettext("relevé"),
    "note": lazy_gettext("note"),
    "committee": lazy_gettext("comité"),
    "addendum": lazy_gettext("complément de compte rendu"),
    "follow_up_task": lazy_gettext("tâche"),
    "service": lazy_gettext("service"),
    "service_version": lazy_gettext("version de service"),
    "service_calendar": lazy_gettext("calendrier"),
    "sla_plan": lazy_gettext("plan"),
    "emission_factor": lazy_gettext("facteur d'émission"),
    "certificate": lazy_gettext("certificat"),
    "hosting_statement": lazy_gettext("déclaration d'hébergement"),
    "directory": lazy_gettext("répertoire"),
    "ght_membership": lazy_gettext("appartenance à un GHT"),
    "account": lazy_gettext("compte"),
    "portfolio": lazy_gettext("portefeuille"),
    "delegation": lazy_gettext("délégation"),
    "invitation": lazy_gettext("invitation"),
    "api_token": lazy_gettext("jeton"),
    "sign_in": lazy_gettext("connexion"),
    "audit": lazy_gettext("journal d'audit"),
}
VERBS = {
    "added": lazy_gettext("Ajout"),
    "changed": lazy_gettext("Modification"),
    "removed": lazy_gettext("Retrait"),
}
SENTENCES = {
    "adherent.added": lazy_gettext("Adhérent ajouté"),
    "adherent.changed": lazy_gettext("Fiche de l'adhérent modifiée"),
    "contact.added": lazy_gettext("Contact n° %(key)s ajouté"),
    "contact.changed": lazy_gettext("Contact n° %(key)s modifié"),
    "subscription.added": lazy_gettext("Souscription n° %(key)s ouverte"),
    "subscription.changed": lazy_gettext("Souscription n° %(key)s modifiée"),
    "subscription_amendment.added": lazy_gettext("Avenant à une souscription (%(key)s)"),
    "workload_claim.added": lazy_gettext("Charge affectée"),
    "workload_claim.changed": lazy_gettext("Affectation de charge modifiée"),
    "incident.added": lazy_gettext("Incident n° %(key)s ouvert"),
    "incident.changed": lazy_gettext("Incident n° %(key)s modifié"),
    "incident_event.added": lazy_gettext("Événement d'incident noté (%(key)s)"),
    "statement.added": lazy_gettext("Relevé n° %(key)s émis"),
    "statement.downloaded": lazy_gettext("Relevé n° %(key)s téléchargé"),
    "account.added": lazy_gettext("Compte n° %(key)s créé"),
    "account.changed": lazy_gettext("Compte n° %(key)s modifié"),
    "portfolio.added": lazy_gettext("Adhérent confié au compte n° %(key)s"),
    "portfolio.removed": lazy_gettext("Adhérent retiré au compte n° %(key)s"),
    "sign_in.opened": lazy_gettext("Connexion du compte n° %(key)s"),
    "sign_in.closed": lazy_gettext("Déconnexion du compte n° %(key)s"),
    "sign_in.suspended": lazy_gettext("Compte n° %(key)s fermé aux connexions après des essais manqués"),
    "audit.redacted": lazy_gettext("Contenu de l'entrée n° %(key)s expurgé"),
    "audit.purged": lazy_gettext("Contenus effacés au terme de leur conservation, jusqu'au n° %(key)s"),
    "audit.exported": lazy_gettext("Journal d'audit exporté"),
}
COLUMNS = {
    "account_id": lazy_gettext("numéro de compte"),
    "agency": lazy_gettext("agence"),
    "at": lazy_gettext("survenu le"),
    "by": lazy_gettext("par"),
    "changes": lazy_gettext("changements"),
    "contract": lazy_gettext("référence du contrat"),
    "due_at": lazy_gettext("échéance"),
    "effective_on": lazy_gettext("en vigueur le"),
    "ends_on": lazy_gettext("dernier jour"),
    "entries": lazy_gettext("entrées"),
    "failures": lazy_gettext("essais manqués à la suite"),
    "finess_ej": lazy_gettext("FINESS juridique"),
    "first_day": lazy_gettext("premier jour"),
    "format": lazy_gettext("format"),
    "host_name": lazy_gettext("hôte"),
    "issued_at": lazy_gettext("émis le"),
    "issued_by": lazy_gettext("émis par"),
    "kind": lazy_gettext("nature"),
    "last_day": lazy_gettext("dernier jour"),
    "login": lazy_gettext("identifiant"),
    "mail": lazy_gettext("adresse électronique"),
    "method": lazy_gettext("moyen"),
    "month": lazy_gettext("mois"),
    "name": lazy_gettext("nom"),
    "network": lazy_gettext("réseau"),
    "number": lazy_gettext("numéro"),
    "opened_at": lazy_gettext("ouvert le"),
    "outcome": lazy_gettext("délai de rétablissement"),
    "phase": lazy_gettext("phase"),
    "phone": lazy_gettext("téléphone"),
    "plan_code": lazy_gettext("plan"),
    "plan_version": lazy_gettext("version du plan"),
    "position": lazy_gettext("rang"),
    "priority": lazy_gettext("priorité"),
    "reason": lazy_gettext("motif"),
    "recorded_at": lazy_gettext("noté le"),
    "recorded_by": lazy_gettext("noté par"),
    "resolved_at": lazy_gettext("résolu le"),
    "role": lazy_gettext("rôle"),
    "service_code": lazy_gettext("service"),
    "sha256": lazy_gettext("empreinte"),
    "siren": lazy_gettext("SIREN"),
    "starts_on": lazy_gettext("premier jour"),
    "status": lazy_gettext("état"),
    "subject": lazy_gettext("objet"),
    "subscription": lazy_gettext("souscription"),
    "tenant_id": lazy_gettext("numéro d'adhérent"),
    "title": lazy_gettext("titre"),
    "tto_due_at": lazy_gettext("échéance de prise en charge"),
    "tto_met_at": lazy_gettext("pris en charge le"),
    "until": lazy_gettext("jusqu'au"),
    "valid_from": lazy_gettext("valable du"),
    "valid_to": lazy_gettext("valable jusqu'au"),
    "volume": lazy_gettext("volume"),
    "what": lazy_gettext("nature"),
    "workload_name": lazy_gettext("charge"),
    "zone": lazy_gettext("fuseau horaire"),
}
# Of columns that hold a choice.
CHOICES = frozenset({"status", "phase", "outcome", "kind"})
VALUES = {
    "draft": lazy_gettext("brouillon"),
    "active": lazy_gettext("active"),
    "suspended": lazy_gettext("suspendue"),
    "ended": lazy_gettext("terminée"),
    "opened": lazy_gettext("ouvert"),
    "acknowledged": lazy_gettext("pris en charge"),
    "running": lazy_gettext("en cours"),
    "waiting": lazy_gettext("en attente de l'adhérent"),
    "resumed": lazy_gettext("repris"),
    "resolved": lazy_gettext("résolu"),
    "closed": lazy_gettext("clos"),
    "reopened": lazy_gettext("rouvert"),
    "on_time": lazy_gettext("dans les délais"),
    "at_risk": lazy_gettext("à risque"),
    "breached": lazy_gettext("délai dépassé"),
    "met": lazy_gettext("tenu"),
    "missed": lazy_gettext("manqué"),
}
SAID_BY_THE_PAGE = "tenant_id"


def sentence(deed: LoggedDeed) -> str:
    """What was done, as a title."""
    key = deed.subject.partition("/")[2]
    if deed.kind in SENTENCES:
        return str(SENTENCES[deed.kind]) % {"key": key}
    thing, _dot, verb = deed.kind.partition(".")
    named = f"{THINGS.get(thing, thing)} {key}".strip()
    return f"{VERBS.get(verb, verb)} : {named}"


def column(name: str) -> str:
    """A column in words."""
    return str(COLUMNS.get(name, name))


def value(told: object, zone: str = ZONE, name: str = "") -> str:
    """A value of a payload, of the column `name`: choices in words, days and instants as pages write them."""
    match told:
        case None:
            return str(_("vide"))
        case bool():
            return str(_("oui") if told else _("non"))
        case int():
            return number(told)
        case str():
            return str(VALUES[told]) if name in CHOICES and told in VALUES else _dated(told, zone)
        case list():
            return ", ".join(value(part, zone) for part in told)
        case dict():
            return ", ".join(f"{column(key)} : {value(part, zone, key)}" for key, part in told.items())
    return str(told)


def changes(deed: LoggedDeed, zone: str = ZONE) -> Iterator[str]:
    """One text for each value that came, went or changed, then the other facts."""
    for name in deed.columns:
        if name != SAID_BY_THE_PAGE:
            yield f"{column(name)} : {_change(deed, name, zone)}"
    for name in deed.hidden:
        yield _("%(column)s : contenu modifié, non recopié ici", column=column(name))
    for name, fact in deed.facts.items():
        yield f"{column(name)} : {value(fact, zone, name)}"
    if deed.erased:
        yield _("contenu effacé")


def _change(deed: LoggedDeed, name: str, zone: str) -> str:
    told = [value(side[name], zone, name) for side in (deed.old, deed.new) if name in side]
    return " → ".join(told)


def _dated(text: str, zone: str) -> str:
    """A text that is an instant or a day is written as one."""
    try:
        if text.endswith("Z"):
            return instant(datetime.fromisoformat(text), zone)
        return day(date.fromisoformat(text)) if len(text) == len("2026-11-25") else text
    except ValueError:
        return text
