"""What kinds, sectors, roles and states are called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.web.languages import ZONE, clock, day

KINDS: Mapping[str, LazyString] = {
    "operator": lazy_gettext("opérateur"),
    "hospital": lazy_gettext("établissement de santé"),
    "medico_social": lazy_gettext("établissement médico-social"),
    "university": lazy_gettext("université ou recherche"),
    "local_authority": lazy_gettext("collectivité"),
    "private_practice": lazy_gettext("exercice libéral"),
    "other": lazy_gettext("autre organisme"),
}
SECTORS: Mapping[str, LazyString] = {
    "public": lazy_gettext("public"),
    "private": lazy_gettext("privé"),
    "non_profit": lazy_gettext("privé non lucratif"),
}
CONTACT_ROLES: Mapping[str, LazyString] = {
    "night": lazy_gettext("contact de nuit"),
    "security": lazy_gettext("RSSI"),
    "cio": lazy_gettext("DSI"),
    "dpo": lazy_gettext("DPO"),
    "direction": lazy_gettext("direction générale"),
    "finance": lazy_gettext("finances"),
    "human_resources": lazy_gettext("ressources humaines"),
    "other": lazy_gettext("autre"),
}
COMMITTEE_KINDS: Mapping[str, LazyString] = {
    "steering": lazy_gettext("comité de pilotage"),
    "operational": lazy_gettext("comité opérationnel"),
    "other": lazy_gettext("autre rencontre"),
}
ZONES: Mapping[str, LazyString] = {
    "Europe/Paris": lazy_gettext("Métropole"),
    "America/Guadeloupe": lazy_gettext("Guadeloupe"),
    "America/Martinique": lazy_gettext("Martinique"),
    "America/Cayenne": lazy_gettext("Guyane"),
    "Indian/Reunion": lazy_gettext("La Réunion"),
    "Indian/Mayotte": lazy_gettext("Mayotte"),
    "America/Miquelon": lazy_gettext("Saint-Pierre-et-Miquelon"),
    "America/St_Barthelemy": lazy_gettext("Saint-Barthélemy"),
    "America/Marigot": lazy_gettext("Saint-Martin"),
    "Pacific/Noumea": lazy_gettext("Nouvelle-Calédonie"),
    "Pacific/Tahiti": lazy_gettext("Polynésie, îles de la Société"),
    "Pacific/Marquesas": lazy_gettext("Polynésie, Marquises"),
    "Pacific/Gambier": lazy_gettext("Polynésie, Gambier"),
    "Pacific/Wallis": lazy_gettext("Wallis-et-Futuna"),
    "Indian/Kerguelen": lazy_gettext("Terres australes"),
}


def install(app: Flask) -> None:
    """Give these words to the templates."""
    app.jinja_env.filters.update(
        kind_name=kind_name,
        sector_name=sector_name,
        contact_role=contact_role,
        committee_kind=committee_kind,
        zone_name=zone_name,
        moment=moment,
    )


def kind_name(kind: str) -> str:
    return str(KINDS[kind])


def sector_name(sector: str | None) -> str:
    return str(SECTORS[sector] if sector else lazy_gettext("inconnu"))


def contact_role(role: str) -> str:
    return str(CONTACT_ROLES[role])


def committee_kind(kind: str) -> str:
    return str(COMMITTEE_KINDS[kind])


def zone_name(zone: str) -> str:
    """A zone by the territory that lives by it."""
    return str(ZONES.get(zone, zone))


def moment(at: datetime, zone: str = ZONE) -> str:
    """A date with its year and a time, on the wall clock of a zone: what is read long after."""
    return f"{day(at.astimezone(ZoneInfo(zone)).date())}, {clock(at, zone)}"
