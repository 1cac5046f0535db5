"""What the codes of choices are called in the audit log, by what the entry is about and the column.

The same code says another thing elsewhere: the other kind of an adherent is no other kind of a committee.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.web.adherent_words import COMMITTEE_KINDS, CONTACT_ROLES, KINDS, SECTORS
from console.web.equipment_words import KINDS as EQUIPMENT_KINDS
from console.web.equipment_words import ROUTES, SOURCES
from console.web.factor_words import PERIMETERS
from console.web.fleet_words import POLICIES
from console.web.major_words import CAPACITIES, MAJOR_PHASES, RECIPIENTS
from console.web.sharing_words import KEYS as SHARING_KEYS
from console.web.site_words import CONTRACT_KINDS, QUANTITIES

Words = Mapping[str, str | LazyString]
ROLES: Words = {
    "administrator": lazy_gettext("administrateur"),
    "account_manager": lazy_gettext("responsable de comptes"),
    "ops": lazy_gettext("exploitation"),
    "cio": lazy_gettext("DSI d'un adhérent"),
    "auditor": lazy_gettext("auditeur"),
}
TERMS: Mapping[str, Words] = {
    "status": {
        "draft": lazy_gettext("brouillon"),
        "active": lazy_gettext("active"),
        "suspended": lazy_gettext("suspendue"),
        "ended": lazy_gettext("terminée"),
    },
    "price_per": {"month": lazy_gettext("par mois"), "unit": lazy_gettext("par unité")},
    "indexation": {
        "none": lazy_gettext("aucune"),
        "syntec": lazy_gettext("indice Syntec"),
        "icht_rev_ts": lazy_gettext("indice ICHT-rev-TS"),
        "fixed": lazy_gettext("taux fixe"),
    },
    "notice_unit": {"days": lazy_gettext("jours"), "months": lazy_gettext("mois")},
}
CATEGORIES: Words = {
    "application": lazy_gettext("application"),
    "payroll": lazy_gettext("paie"),
    "infrastructure": lazy_gettext("infrastructure"),
    "network": lazy_gettext("réseau"),
    "access": lazy_gettext("accès"),
    "data": lazy_gettext("données"),
    "interface": lazy_gettext("interface"),
    "other": lazy_gettext("autre"),
}
WORK_STATES: Words = {
    "draft": lazy_gettext("brouillon"),
    "announced": lazy_gettext("annoncés"),
    "done": lazy_gettext("terminés"),
    "cancelled": lazy_gettext("annulés"),
}
EFFECTS: Words = {
    "none": lazy_gettext("aucun"),
    "degraded": lazy_gettext("dégradé"),
    "outage": lazy_gettext("arrêté"),
}
ORIGINS: Words = {
    "console": lazy_gettext("saisi par l'opérateur"),
    "adherent": lazy_gettext("déclaré par l'adhérent"),
    "service_desk": lazy_gettext("venu du centre de services"),
    "alertmanager": lazy_gettext("venu d'Alertmanager"),
    "major": lazy_gettext("né d'un incident majeur"),
}
LISTS: Words = {
    "legal_entities": lazy_gettext("entités juridiques"),
    "sites": lazy_gettext("sites"),
    "groups": lazy_gettext("groupements (GHT)"),
    "memberships": lazy_gettext("appartenances à un GHT"),
}
CHOICES: Mapping[str, Words] = {
    "equipment.kind": EQUIPMENT_KINDS,
    "equipment.end_of_life": ROUTES,
    "embodied_impact.source": SOURCES,
    "account.role": ROLES,
    "adherent.kind": KINDS,
    "adherent.sector": SECTORS,
    "certificate.framework": {
        "hds": lazy_gettext("HDS (hébergeur de données de santé)"),
        "iso_27001": "ISO 27001",
        "secnumcloud": "SecNumCloud",
        "other": lazy_gettext("autre référentiel"),
    },
    "certificate.media_type": {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG"},
    "column_mapping.kind": LISTS,
    "committee.kind": COMMITTEE_KINDS,
    "contact.role": CONTACT_ROLES,
    "directory.kind": LISTS,
    "emission_factor.perimeter": PERIMETERS,
    "follow_up_task.state": {
        "open": lazy_gettext("à faire"),
        "done": lazy_gettext("faite"),
        "dropped": lazy_gettext("abandonnée"),
    },
    "ght_membership.role": {
        "support": lazy_gettext("établissement support"),
        "member": lazy_gettext("membre"),
    },
    "host.idle_policy": POLICIES,
    "hosting_statement.transfers": {
        "none": lazy_gettext("aucun transfert hors EEE"),
        "some": lazy_gettext("des transferts hors EEE"),
    },
    "incident.outcome": {
        "on_time": lazy_gettext("dans les délais"),
        "at_risk": lazy_gettext("à risque"),
        "breached": lazy_gettext("délai dépassé"),
        "met": lazy_gettext("tenu"),
        "missed": lazy_gettext("manqué"),
    },
    "incident.phase": {
        "running": lazy_gettext("en cours"),
        "waiting": lazy_gettext("en attente de l'adhérent"),
        "resolved": lazy_gettext("résolu"),
        "closed": lazy_gettext("clos"),
    },
    "power_contract.kind": CONTRACT_KINDS,
    "sharing_key.kind": SHARING_KEYS,
    "site_pool.quantity": QUANTITIES,
    "probe.kind": {"http": "HTTP", "tcp": "TCP"},
    "probe.effect": EFFECTS,
    "maintenance.effect": EFFECTS,
    "maintenance.state": WORK_STATES,
    "alert_route.effect": EFFECTS,
    "alert_route.priority": {name: name for name in ("P1", "P2", "P3", "P4", "P5")},
    "incident.priority": {name: name for name in ("P1", "P2", "P3", "P4", "P5")},
    "incident.category": CATEGORIES,
    "incident.effect": EFFECTS,
    "incident.origin": ORIGINS,
    "incident_event.kind": {
        "opened": lazy_gettext("ouvert"),
        "acknowledged": lazy_gettext("pris en charge"),
        "waiting": lazy_gettext("en attente de l'adhérent"),
        "resumed": lazy_gettext("repris"),
        "resolved": lazy_gettext("résolu"),
        "closed": lazy_gettext("clos"),
        "reopened": lazy_gettext("rouvert"),
        "priority": lazy_gettext("priorité changée"),
        "impact": lazy_gettext("impact changé"),
        "urgency": lazy_gettext("urgence changée"),
        "category": lazy_gettext("catégorie changée"),
        "security": lazy_gettext("enjeu de sécurité changé"),
        "effect": lazy_gettext("effet changé"),
        "plan": lazy_gettext("plan changé"),
    },
    "incident_attachment.kind": {
        "pdf": "PDF",
        "png": "PNG",
        "jpeg": "JPEG",
        "text": lazy_gettext("texte"),
        "xlsx": "XLSX",
        "docx": "DOCX",
    },
    "invitation.role": ROLES,
    "major_incident.scope_kind": {
        "service": lazy_gettext("un service"),
        "data_centre": lazy_gettext("un centre de données"),
    },
    "major_incident.priority": {name: name for name in ("P1", "P2", "P3", "P4", "P5")},
    "major_incident.category": CATEGORIES,
    "major_incident.effect": EFFECTS,
    "major_incident.phase": MAJOR_PHASES,
    "major_step.kind": {
        "event": lazy_gettext("événement"),
        "priority": lazy_gettext("priorité"),
        "effect": lazy_gettext("effet"),
        "security": lazy_gettext("sécurité"),
        "communication": lazy_gettext("communication"),
    },
    "regulatory_rule.capacity": CAPACITIES,
    "regulatory_rule.recipient": RECIPIENTS,
    "service.trade": {
        "software": lazy_gettext("Logiciels"),
        "payroll": lazy_gettext("Production de paie"),
        "consulting": lazy_gettext("Conseil et formation"),
        "hosting": lazy_gettext("Hébergement HDS"),
    },
    "service_calendar.kind": {
        "always": lazy_gettext("jour et nuit"),
        "weekly": lazy_gettext("heures de la semaine"),
    },
    "sign_in.method": {
        "password": lazy_gettext("mot de passe"),
        "single_sign_on": lazy_gettext("authentification unique"),
    },
    **{
        f"{thing}.{name}": words
        for thing in ("subscription", "subscription_amendment")
        for name, words in TERMS.items()
    },
    "volume_month.source": {
        "form": lazy_gettext("saisie"),
        "csv": lazy_gettext("fichier"),
        "api": "API",
        "estimate": lazy_gettext("estimation"),
    },
}
