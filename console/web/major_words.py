"""What the codes of major incidents and of what the law wants told are called."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

MAJOR_PHASES: Mapping[str, LazyString] = {
    "open": lazy_gettext("ouvert"),
    "acknowledged": lazy_gettext("pris en charge"),
    "resolved": lazy_gettext("résolu"),
    "closed": lazy_gettext("clos"),
}
CAPACITIES: Mapping[str, LazyString] = {
    "processor": lazy_gettext("sous-traitant"),
    "controller": lazy_gettext("responsable de traitement"),
    "essential_entity": lazy_gettext("entité NIS 2"),
    "health_host": lazy_gettext("hébergeur de données de santé"),
}
RECIPIENTS: Mapping[str, LazyString | str] = {
    "adherent": lazy_gettext("l'adhérent"),
    "cnil": "CNIL",
    "anssi": "ANSSI",
    "cert_sante": "CERT Santé",
}
DUTY_STATES: Mapping[str, tuple[LazyString, str]] = {  # with the tone of their badge
    "running": (lazy_gettext("à remplir"), "neutral"),
    "soon": (lazy_gettext("échéance proche"), "warning"),
    "late": (lazy_gettext("en retard"), "bad"),
    "done": (lazy_gettext("remplie"), "good"),
    "done_late": (lazy_gettext("remplie en retard"), "bad"),
    "withdrawn": (lazy_gettext("sans objet"), "neutral"),
}
