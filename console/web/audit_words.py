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
}
COLUMNS = {
    "account_id": lazy_gettext("numéro de compte"),
    "activities": lazy_gettext("activités HDS"),
    "added_at": lazy_gettext("ajouté le"),
    "added_by": lazy_gettext("ajouté par"),
    "after": lazy_gettext("à partir de la règle"),
    "agency": lazy_gettext("agence"),
    "approved_at": lazy_gettext("approuvé le"),
    "approved_by": lazy_gettext("approuvé par"),
    "as_of": lazy_gettext("à la date du"),
    "asked_at": lazy_gettext("demandé le"),
    "asked_by": lazy_gettext("demandé par"),
    "at": lazy_gettext("survenu le"),
    "availability_ppm": lazy_gettext("disponibilité, millionièmes"),
    "aware_at": lazy_gettext("connu le"),
    "basis": lazy_gettext("fondement"),
    "body": lazy_gettext("organisme"),
    "breach_notice_hours": lazy_gettext("délai de notification de sécurité, heures"),
    "by": lazy_gettext("par"),
    "by_contract": lazy_gettext("délai du contrat"),
    "calendar_code": lazy_gettext("calendrier"),
    "cancelled_at": lazy_gettext("annulé le"),
    "capacity": lazy_gettext("qualité de l'opérateur"),
    "category": lazy_gettext("catégorie"),
    "cells_repaired": lazy_gettext("cellules réparées"),
    "cells_unknown": lazy_gettext("cellules illisibles"),
    "cells": lazy_gettext("priorités"),
    "certificate_id": lazy_gettext("certificat"),
    "changes": lazy_gettext("changements"),
    "claim_id": lazy_gettext("affectation"),
    "claimed_at": lazy_gettext("affectée le"),
    "claimed_by": lazy_gettext("affectée par"),
    "closed_at": lazy_gettext("clos le"),
    "closed_by": lazy_gettext("clos par"),
    "closures": lazy_gettext("fermetures"),
    "code": lazy_gettext("code"),
    "columns": lazy_gettext("colonnes"),
    "committee": lazy_gettext("comité"),
    "confirmed": lazy_gettext("confirmé"),
    "confirmed_at": lazy_gettext("confirmé le"),
    "contact": lazy_gettext("contact"),
    "contract": lazy_gettext("référence du contrat"),
    "convention": lazy_gettext("numéro de convention"),
    "counted_s": lazy_gettext("temps compté, en secondes"),
    "country": lazy_gettext("pays"),
    "created_at": lazy_gettext("créé le"),
    "created_by": lazy_gettext("créé par"),
    "credit_cents": lazy_gettext("avoir en centimes"),
    "credit_percent": lazy_gettext("avoir en pour cent"),
    "credit_steps": lazy_gettext("paliers d'avoir"),
    "criticality_code": lazy_gettext("calendrier de criticité"),
    "data_centres": lazy_gettext("centres de données"),
    "declared_at": lazy_gettext("déclaré le"),
    "declared_by": lazy_gettext("déclaré par"),
    "degraded_percent": lazy_gettext("poids d'une dégradation, %"),
    "degraded_s": lazy_gettext("temps dégradé, en secondes"),
    "delegation_id": lazy_gettext("délégation"),
    "delivery_id": lazy_gettext("message"),
    "department": lazy_gettext("département"),
    "dependency_id": lazy_gettext("dépendance"),
    "description_en": lazy_gettext("description en anglais"),
    "description_fr": lazy_gettext("description"),
    "disabled_at": lazy_gettext("fermé le"),
    "done_at": lazy_gettext("remplie le"),
    "done_by": lazy_gettext("remplie par"),
    "due_at": lazy_gettext("échéance"),
    "due_on": lazy_gettext("à faire pour le"),
    "duration_min": lazy_gettext("durée en minutes"),
    "each_adherent": lazy_gettext("pour chaque adhérent"),
    "edited_at": lazy_gettext("modifié le"),
    "effect": lazy_gettext("effet sur le service"),
    "effective_on": lazy_gettext("en vigueur le"),
    "email": lazy_gettext("adresse électronique"),
    "ended_at": lazy_gettext("terminé le"),
    "ended_by": lazy_gettext("terminé par"),
    "ended_on": lazy_gettext("fermé depuis le"),
    "ends": lazy_gettext("journaux"),
    "ends_on": lazy_gettext("dernier jour"),
    "entries": lazy_gettext("entrées"),
    "escalations": lazy_gettext("escalades"),
    "every_adherent": lazy_gettext("tous les adhérents"),
    "every_s": lazy_gettext("rythme, en secondes"),
    "excused_s": lazy_gettext("maintenance annoncée, en secondes"),
    "expected_status": lazy_gettext("code de réponse attendu"),
    "expected_text": lazy_gettext("texte attendu"),
    "expires_at": lazy_gettext("expire le"),
    "factor_id": lazy_gettext("facteur"),
    "failures": lazy_gettext("essais manqués à la suite"),
    "finess_ej": lazy_gettext("FINESS juridique"),
    "finess_et": lazy_gettext("numéro FINESS du site"),
    "fingerprint": lazy_gettext("empreinte des titres"),
    "first_day": lazy_gettext("premier jour"),
    "format": lazy_gettext("format"),
    "framework": lazy_gettext("référentiel"),
    "geography": lazy_gettext("territoire"),
    "ght_code": lazy_gettext("GHT"),
    "giver_id": lazy_gettext("compte qui délègue"),
    "guests": lazy_gettext("invités"),
    "high_mg_per_kwh": lazy_gettext("borne haute, mg/kWh"),
    "holidays": lazy_gettext("jours fériés"),
    "host_id": lazy_gettext("hôte"),
    "host_name": lazy_gettext("hôte"),
    "hosts": lazy_gettext("hôtes"),
    "hours": lazy_gettext("délai, en heures"),
    "ignored": lazy_gettext("alertes ignorées"),
    "impact": lazy_gettext("impact"),
    "inputs": lazy_gettext("données du calcul"),
    "in_charge": lazy_gettext("en charge"),
    "incident": lazy_gettext("incident"),
    "indexation": lazy_gettext("indexation"),
    "indexation_rate": lazy_gettext("taux d'indexation, centièmes de pour cent"),
    "intensity_mg_per_kwh": lazy_gettext("intensité, mg/kWh"),
    "invitation_id": lazy_gettext("invitation"),
    "invited_at": lazy_gettext("invité le"),
    "invited_by": lazy_gettext("invité par"),
    "is_done": lazy_gettext("faite"),
    "is_mailed": lazy_gettext("envoyée par courriel"),
    "is_notice": lazy_gettext("vaut information de l'adhérent"),
    "is_primary": lazy_gettext("contact principal"),
    "is_retired": lazy_gettext("règle retirée"),
    "is_security": lazy_gettext("incident de sécurité"),
    "is_shared": lazy_gettext("vu de l'adhérent"),
    "issued_at": lazy_gettext("émis le"),
    "issued_by": lazy_gettext("émis par"),
    "kind": lazy_gettext("nature"),
    "known_since": lazy_gettext("connu depuis le"),
    "last_day": lazy_gettext("dernier jour"),
    "last_step": lazy_gettext("dernière étape"),
    "legal_basis": lazy_gettext("base juridique"),
    "licence": lazy_gettext("licence"),
    "link": lazy_gettext("lien"),
    "locale": lazy_gettext("langue"),
    "login": lazy_gettext("identifiant"),
    "lost": lazy_gettext("temps perdu, centièmes de seconde"),
    "low_mg_per_kwh": lazy_gettext("borne basse, mg/kWh"),
    "made_at": lazy_gettext("fait le"),
    "made_by": lazy_gettext("fait par"),
    "mail": lazy_gettext("adresse électronique"),
    "major": lazy_gettext("incident majeur"),
    "major_id": lazy_gettext("incident majeur"),
    "matchers": lazy_gettext("conditions"),
    "media_type": lazy_gettext("type de fichier"),
    "membership_id": lazy_gettext("appartenance"),
    "memberships_left": lazy_gettext("appartenances absentes du fichier"),
    "method": lazy_gettext("moyen"),
    "month": lazy_gettext("mois"),
    "months": lazy_gettext("délai, en mois"),
    "must_change_password": lazy_gettext("mot de passe à changer"),
    "name": lazy_gettext("nom"),
    "name_en": lazy_gettext("nom en anglais"),
    "name_fr": lazy_gettext("nom"),
    "needs_code": lazy_gettext("service requis"),
    "network": lazy_gettext("réseau"),
    "note": lazy_gettext("note"),
    "notes": lazy_gettext("notes"),
    "notice": lazy_gettext("préavis"),
    "notice_hours": lazy_gettext("préavis de maintenance, heures"),
    "notice_unit": lazy_gettext("unité du préavis"),
    "number": lazy_gettext("numéro"),
    "oidc_issuer": lazy_gettext("fournisseur d'identité"),
    "oidc_subject": lazy_gettext("identifiant chez le fournisseur"),
    "opened_at": lazy_gettext("ouvert le"),
    "openings": lazy_gettext("ouvertures datées"),
    "origin": lazy_gettext("origine"),
    "others": lazy_gettext("autres souscriptions touchées"),
    "outcome": lazy_gettext("délai de rétablissement"),
    "outage_s": lazy_gettext("temps d'interruption, en secondes"),
    "own_limit": lazy_gettext("limite de l'opérateur"),
    "own_site": lazy_gettext("site"),
    "password_allowed": lazy_gettext("mot de passe admis"),
    "perimeter": lazy_gettext("périmètre"),
    "phase": lazy_gettext("phase"),
    "phone": lazy_gettext("téléphone"),
    "place": lazy_gettext("lieu"),
    "plan_code": lazy_gettext("plan"),
    "plan_version": lazy_gettext("version du plan"),
    "position": lazy_gettext("rang"),
    "previous_until": lazy_gettext("ancien texte admis jusqu'au"),
    "price_cents": lazy_gettext("prix en centimes"),
    "price_per": lazy_gettext("prix par"),
    "priority": lazy_gettext("priorité"),
    "publisher": lazy_gettext("éditeur"),
    "reason": lazy_gettext("motif"),
    "recipient": lazy_gettext("destinataire"),
    "recorded_at": lazy_gettext("noté le"),
    "recorded_by": lazy_gettext("noté par"),
    "redacted_at": lazy_gettext("expurgé le"),
    "redacted_by": lazy_gettext("expurgé par"),
    "reference": lazy_gettext("référence"),
    "refused": lazy_gettext("refusé"),
    "released_on": lazy_gettext("publiée le"),
    "renewal_months": lazy_gettext("reconduction, en mois"),
    "replaces_id": lazy_gettext("remplace le certificat"),
    "resolved_at": lazy_gettext("résolu le"),
    "retired_at": lazy_gettext("retiré le"),
    "retired_on": lazy_gettext("retiré le"),
    "retrieved_on": lazy_gettext("relevé le"),
    "reversibility": lazy_gettext("réversibilité"),
    "reversibility_days": lazy_gettext("réversibilité, en jours"),
    "revise_on": lazy_gettext("prochaine révision"),
    "revision": lazy_gettext("révision"),
    "revoked_at": lazy_gettext("révoqué le"),
    "role": lazy_gettext("rôle"),
    "route_id": lazy_gettext("route"),
    "rows_changed": lazy_gettext("fiches modifiées"),
    "rows_confirmed": lazy_gettext("fiches confirmées"),
    "rows_new": lazy_gettext("fiches nouvelles"),
    "rows_refused": lazy_gettext("lignes refusées"),
    "rows_unchanged": lazy_gettext("fiches inchangées"),
    "rule_code": lazy_gettext("règle"),
    "rule_version": lazy_gettext("version de la règle"),
    "sales_end_on": lazy_gettext("fin de commercialisation"),
    "scope": lazy_gettext("périmètre"),
    "scope_code": lazy_gettext("service ou centre"),
    "scope_kind": lazy_gettext("périmètre"),
    "scopes": lazy_gettext("droits"),
    "sector": lazy_gettext("secteur"),
    "segments": lazy_gettext("plages"),
    "service_claim_id": lazy_gettext("affectation de service partagé"),
    "service_code": lazy_gettext("service"),
    "service_version": lazy_gettext("version du service"),
    "settled_at": lazy_gettext("réglée le"),
    "settled_by": lazy_gettext("réglée par"),
    "sha256": lazy_gettext("empreinte"),
    "since": lazy_gettext("depuis le"),
    "siren": lazy_gettext("SIREN"),
    "siret": lazy_gettext("SIRET"),
    "size_bytes": lazy_gettext("taille, octets"),
    "source": lazy_gettext("source"),
    "starts_at": lazy_gettext("commence le"),
    "starts_on": lazy_gettext("premier jour"),
    "state": lazy_gettext("état"),
    "stated_at": lazy_gettext("déclaré le"),
    "stated_by": lazy_gettext("déclaré par"),
    "status": lazy_gettext("état"),
    "stopped_at": lazy_gettext("arrêtée le"),
    "subcontractors": lazy_gettext("sous-traitants"),
    "subject": lazy_gettext("objet"),
    "subscription": lazy_gettext("souscription"),
    "successor_code": lazy_gettext("successeur"),
    "support_ends_on": lazy_gettext("fin de support"),
    "tacit": lazy_gettext("tacite reconduction"),
    "taken_out_at": lazy_gettext("retiré le"),
    "taken_out_by": lazy_gettext("retiré par"),
    "taker_id": lazy_gettext("compte qui reçoit"),
    "target": lazy_gettext("adresse sondée"),
    "target_ppm": lazy_gettext("disponibilité promise, millionièmes"),
    "targets": lazy_gettext("délais"),
    "template_id": lazy_gettext("numéro du modèle"),
    "tenant_id": lazy_gettext("numéro d'adhérent"),
    "tenants": lazy_gettext("adhérents"),
    "text_en": lazy_gettext("texte anglais"),
    "text_fr": lazy_gettext("texte français"),
    "timeout_s": lazy_gettext("délai d'attente, en secondes"),
    "title": lazy_gettext("titre"),
    "token_id": lazy_gettext("jeton"),
    "town": lazy_gettext("ville"),
    "trade": lazy_gettext("métier"),
    "transfer_details": lazy_gettext("détail des transferts"),
    "transfers": lazy_gettext("transferts hors EEE"),
    "tto_due_at": lazy_gettext("échéance de prise en charge"),
    "tto_met_at": lazy_gettext("pris en charge le"),
    "unit_en": lazy_gettext("unité en anglais"),
    "unit_fr": lazy_gettext("unité"),
    "until": lazy_gettext("jusqu'au"),
    "uploaded_at": lazy_gettext("déposé le"),
    "uploaded_by": lazy_gettext("déposé par"),
    "urgency": lazy_gettext("urgence"),
    "used_at": lazy_gettext("utilisée le"),
    "valid_from": lazy_gettext("valable du"),
    "valid_to": lazy_gettext("valable jusqu'au"),
    "value": lazy_gettext("valeur"),
    "version": lazy_gettext("version"),
    "vintage": lazy_gettext("millésime"),
    "volume": lazy_gettext("volume"),
    "was": lazy_gettext("avant"),
    "what": lazy_gettext("nature"),
    "windows": lazy_gettext("fenêtres"),
    "withdrawn_at": lazy_gettext("retirée le"),
    "withdrawn_by": lazy_gettext("retirée par"),
    "withdrawn_on": lazy_gettext("retiré à partir du"),
    "workload_id": lazy_gettext("charge"),
    "workload_name": lazy_gettext("charge"),
    "written_at": lazy_gettext("écrit le"),
    "written_by": lazy_gettext("écrit par"),
    "zone": lazy_gettext("fuseau horaire"),
    "announced_at": lazy_gettext("annoncé le"),
    "announced_by": lazy_gettext("annoncé par"),
    "cancelled_by": lazy_gettext("annulé par"),
    "excluded": lazy_gettext("dates exclues"),
    "first_wall": lazy_gettext("première date"),
    "maintenance_id": lazy_gettext("numéro des travaux"),
    "rule": lazy_gettext("répétition"),
    "until_on": lazy_gettext("dernière date"),
    "adherents": lazy_gettext("adhérents"),
    "feed_id": lazy_gettext("numéro de lien"),
    "probe_id": lazy_gettext("numéro de la sonde"),
    "description": lazy_gettext("description"),
    "token_sha256": lazy_gettext("empreinte du jeton"),
    "services": lazy_gettext("services"),
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
