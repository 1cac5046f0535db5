"""Entries of the audit log in the words of the reader: what was done, to what, from which value to which.

What has no words here is shown under its own name: a table that is new is never left out of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from console.store.queries.audit import LoggedDeed
from console.web.audit_choices import CHOICES
from console.web.audit_columns import COLUMNS
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
    "touched_service": lazy_gettext("service touché par un incident"),
    "touched_site": lazy_gettext("site touché par un incident"),
    "incident_comment": lazy_gettext("commentaire d'incident"),
    "incident_attachment": lazy_gettext("fichier d'incident"),
    "incident_review": lazy_gettext("revue d'incident"),
    "review_action": lazy_gettext("action après incident"),
    "message_template": lazy_gettext("modèle de message"),
    "statement": lazy_gettext("relevé"),
    "service_month": lazy_gettext("mois de service"),
    "carbon_month": lazy_gettext("mois de carbone"),
    "note": lazy_gettext("note"),
    "committee": lazy_gettext("comité"),
    "addendum": lazy_gettext("complément de compte rendu"),
    "follow_up_task": lazy_gettext("tâche"),
    "service": lazy_gettext("service"),
    "service_version": lazy_gettext("version de service"),
    "service_calendar": lazy_gettext("calendrier"),
    "sla_plan": lazy_gettext("plan"),
    "priority_matrix": lazy_gettext("matrice de priorité"),
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
    "second_factor": lazy_gettext("second facteur"),
    "audit": lazy_gettext("journal d'audit"),
    "column_mapping": lazy_gettext("correspondance de colonnes"),
    "certified_service": lazy_gettext("service certifié"),
    "delegated_adherent": lazy_gettext("adhérent délégué"),
    "status_reader": lazy_gettext("abonnement à l'état des services"),
    "criticality_calendar": lazy_gettext("calendrier de criticité"),
    "service_dependency": lazy_gettext("dépendance de service"),
    "committee_member": lazy_gettext("participant d'un comité"),
    "probe": lazy_gettext("sonde"),
    "maintenance": lazy_gettext("travaux planifiés"),
    "calendar_feed": lazy_gettext("lien de calendrier"),
    "alert_route": lazy_gettext("route d'alertes"),
    "regulatory_duty": lazy_gettext("obligation réglementaire"),
    "regulatory_rule": lazy_gettext("règle réglementaire"),
    "major_adherent": lazy_gettext("adhérent d'un incident majeur"),
    "major_step": lazy_gettext("étape d'un incident majeur"),
    "major_incident": lazy_gettext("incident majeur"),
    "site": lazy_gettext("centre de données"),
    "site_pue": lazy_gettext("PUE déclaré"),
    "site_pool": lazy_gettext("affectation de compteurs à un service"),
    "sharing_key": lazy_gettext("clé de partage"),
    "power_contract": lazy_gettext("contrat d'électricité"),
    "equipment": lazy_gettext("équipement"),
    "embodied_impact": lazy_gettext("empreinte de fabrication"),
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
    "service_month.added": lazy_gettext("Mois de service clos (%(key)s)"),
    "carbon_month.added": lazy_gettext("Mois de carbone clos (%(key)s)"),
    "incident.downloaded": lazy_gettext("Rapport de l'incident n° %(key)s téléchargé"),
    "status_reader.added": lazy_gettext("Abonnement à l'état des services demandé (%(key)s)"),
    "status_reader.changed": lazy_gettext("Abonnement à l'état des services modifié (%(key)s)"),
    "statement.downloaded": lazy_gettext("Relevé n° %(key)s téléchargé"),
    "account.added": lazy_gettext("Compte n° %(key)s créé"),
    "account.changed": lazy_gettext("Compte n° %(key)s modifié"),
    "portfolio.added": lazy_gettext("Adhérent confié au compte n° %(key)s"),
    "portfolio.removed": lazy_gettext("Adhérent retiré au compte n° %(key)s"),
    "sign_in.opened": lazy_gettext("Connexion du compte n° %(key)s"),
    "sign_in.closed": lazy_gettext("Déconnexion du compte n° %(key)s"),
    "sign_in.suspended": lazy_gettext("Compte n° %(key)s fermé aux connexions après des essais manqués"),
    "sign_in.ended": lazy_gettext("Connexions du compte n° %(key)s terminées"),
    "second_factor.codes_renewed": lazy_gettext("Codes de secours du compte n° %(key)s renouvelés"),
    "second_factor.removed": lazy_gettext("Second facteur du compte n° %(key)s retiré"),
    "audit.redacted": lazy_gettext("Contenu de l'entrée n° %(key)s expurgé"),
    "audit.purged": lazy_gettext("Contenus effacés au terme de leur conservation, jusqu'au n° %(key)s"),
    "audit.anchored": lazy_gettext("Fins de mois des autres journaux retenues (%(key)s)"),
    "audit.exported": lazy_gettext("Journal d'audit exporté"),
    "directory.imported": lazy_gettext("Fichier du répertoire importé (%(key)s)"),
    "site.corrected": lazy_gettext("Mesures d'un centre de données corrigées (%(key)s)"),
    "site.imported": lazy_gettext("Fichier des compteurs d'un centre de données importé (%(key)s)"),
    "equipment.imported": lazy_gettext("Inventaire importé (%(key)s)"),
    "factors.imported": lazy_gettext("Fichier de facteurs d'émission importé (%(key)s)"),
    "grid.imported": lazy_gettext("Fichier d'intensités du réseau importé (%(key)s)"),
    "cmdb.imported": lazy_gettext("Fichier de CMDB importé (%(key)s)"),
    "host.declared": lazy_gettext("Réglages de l'hôte %(key)s déclarés"),
    "host.placed": lazy_gettext("Centre de données de l'hôte %(key)s dit pour des heures passées"),
    "host.retired": lazy_gettext("Hôte %(key)s retiré du parc"),
    "host.brought_back": lazy_gettext("Hôte %(key)s remis dans le parc"),
}
SAID_BY_THE_PAGE = "tenant_id"
COUNTED = "ends"  # one for each adherent: too many to read


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


def value(told: object, zone: str = ZONE, name: str = "", thing: str = "") -> str:
    """A value of a payload, of the column `name`: choices in words, days and instants as pages write them.

    `thing` is what the entry is about, as in `THINGS`.
    """
    match told:
        case None:
            return str(_("vide"))
        case bool():
            return str(_("oui") if told else _("non"))
        case int():
            return number(told)
        case str():
            words = CHOICES.get(f"{thing}.{name}", {})
            return str(words[told]) if told in words else _dated(told, zone)
        case list():
            return ", ".join(value(part, zone) for part in told)
        case dict():
            return ", ".join(f"{column(key)} : {value(part, zone, key, thing)}" for key, part in told.items())
    return str(told)


def changes(deed: LoggedDeed, zone: str = ZONE) -> Iterator[str]:
    """One text for each value that came, went or changed, then the other facts."""
    for name in deed.columns:
        if name != SAID_BY_THE_PAGE:
            yield f"{column(name)} : {_change(deed, name, zone)}"
    for name in deed.hidden:
        yield _("%(column)s : contenu modifié, non recopié ici", column=column(name))
    for name, fact in deed.facts.items():
        told = number(len(fact)) if name == COUNTED else value(fact, zone, name, _thing(deed))
        yield f"{column(name)} : {told}"
    if deed.erased:
        yield _("contenu effacé")


def _change(deed: LoggedDeed, name: str, zone: str) -> str:
    thing = _thing(deed)
    told = [value(side[name], zone, name, thing) for side in (deed.old, deed.new) if name in side]
    return " → ".join(told)


def _thing(deed: LoggedDeed) -> str:
    return deed.kind.partition(".")[0]


def _dated(text: str, zone: str) -> str:
    """A text that is an instant or a day is written as one."""
    try:
        if text.endswith("Z"):
            return instant(datetime.fromisoformat(text), zone)
        return day(date.fromisoformat(text)) if len(text) == len("2026-11-25") else text
    except ValueError:
        return text
