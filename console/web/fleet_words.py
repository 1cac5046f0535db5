"""What states, instruments, verdicts and rules are called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flask import Flask
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain import calibration
from console.web.gap_words import gap_reason
from console.web.languages import current_language

Words = Mapping[str, str | LazyString]
STATES: Words = {
    "silent": lazy_gettext("muet"),
    "no_source": lazy_gettext("énergie inconnue"),
    "gap": lazy_gettext("capteur en défaut"),
    "clock": lazy_gettext("horloge décalée"),
    "agent": lazy_gettext("agent ancien"),
    "retired": lazy_gettext("retiré du parc"),
    "sound": lazy_gettext("rien à signaler"),
}
TONES: Mapping[str, str] = {
    "silent": "bad",
    "no_source": "bad",
    "gap": "warning",
    "clock": "warning",
    "agent": "information",
    "retired": "neutral",
    "sound": "good",
}
AUTHORITIES: Words = {
    "pdu_outlet": lazy_gettext("prise de PDU"),
    "bmc": lazy_gettext("carte de gestion"),
    "rapl": lazy_gettext("compteurs du processeur"),
    "model": lazy_gettext("modèle"),
    "gpu": lazy_gettext("cartes graphiques"),
}
BOUNDARIES: Words = {
    "package+dram": lazy_gettext("processeurs et mémoire"),
    "server_input": lazy_gettext("entrée du serveur"),
    "pdu": lazy_gettext("prise de PDU"),
    "gpu": lazy_gettext("cartes graphiques"),
}
QUALITIES: Words = {
    "measured": lazy_gettext("mesuré"),
    "modelled": lazy_gettext("modélisé"),
    "declared": lazy_gettext("déclaré"),
}
QUALITY_TONES: Mapping[str, str] = {"measured": "good", "modelled": "warning", "declared": "information"}
POLICIES: Words = {
    "reserved": lazy_gettext("selon les vCPU réservés"),
    "used": lazy_gettext("selon le temps de calcul"),
    "operator": lazy_gettext("gardée par l'opérateur"),
}
VERDICTS: Words = {
    "unknown": lazy_gettext("inconnu"),
    "close": lazy_gettext("proche"),
    "far": lazy_gettext("écart à expliquer"),
    "other_boundary": lazy_gettext("autre périmètre"),
    "counts": lazy_gettext("fait foi"),
}
VERDICT_TONES: Mapping[str, str] = {
    "unknown": "neutral",
    "close": "good",
    "far": "bad",
    "other_boundary": "information",
    "counts": "good",
}
UNFIT: Words = {  # why two sources give no line
    calibration.TOO_FEW: lazy_gettext("trop peu d'intervalles mesurés par les deux"),
    calibration.TOO_EVEN: lazy_gettext("la charge n'a presque pas varié, en %"),
    calibration.NO_RELATION: lazy_gettext("la puissance ne croît pas avec la charge"),
    calibration.TOO_FAR_OFF: lazy_gettext("l'erreur est trop grande, en %"),
}
RULES: Words = {  # that readings in quarantine broke
    "unreadable": lazy_gettext("illisible"),
    "future": lazy_gettext("dans le futur"),
    "too_late": lazy_gettext("arrivée trop tard"),
    "too_long": lazy_gettext("intervalle trop long"),
    "label": lazy_gettext("durée qui ne colle pas à ses bornes"),
    "cpu": lazy_gettext("plus de temps de calcul que possible"),
    "energy": lazy_gettext("plus d'énergie que possible"),
    "overlap": lazy_gettext("moment déjà décrit par un autre flux"),
    "other": lazy_gettext("autre motif"),
}
HELD: Words = {
    "nobody": lazy_gettext("non affectées"),
    "adherent": lazy_gettext("à un adhérent"),
    "service": lazy_gettext("à un service partagé"),
}
KINDS: Words = {
    "systemd": lazy_gettext("unité systemd"),
    "cgroup": lazy_gettext("groupe de contrôle"),
    "container": lazy_gettext("conteneur"),
    "user": lazy_gettext("utilisateur"),
    "executable": lazy_gettext("exécutable"),
    "command": lazy_gettext("commande"),
    "vm": lazy_gettext("machine virtuelle"),
}


def install(app: Flask) -> None:
    """Give these words to the templates."""
    app.jinja_env.filters.update(
        host_state=lambda state: STATES[state],
        host_state_tone=lambda state: TONES[state],
        boundary_name=lambda name: BOUNDARIES.get(name, name),
        quality_name=lambda name: QUALITIES.get(name, name),
        quality_tone=lambda name: QUALITY_TONES.get(name, "neutral"),
        policy_name=lambda name: POLICIES.get(name, name),
        workload_kind=lambda name: KINDS.get(name, name),
        gap_reason=gap_reason,
        verdict=lambda name: VERDICTS[name],
        verdict_tone=lambda name: VERDICT_TONES[name],
        broken_rule=lambda name: RULES.get(name, name),
        vcpu=vcpu,
        slope=slope,
    )


def policy_words(told: str) -> str:
    """How idle energy was shared, in words, from a policy and its version such as `reserved/1`."""
    name, _slash, version = told.partition("/")
    words = str(POLICIES.get(name, name))
    return gettext("%(policy)s (version %(version)s)", policy=words, version=version) if version else words


def vcpu(mcpu: int | None) -> str:
    """Thousandths of a vCPU as a number of them."""
    amount = Fraction(mcpu or 0, 1000)
    return "" if mcpu is None else current_language().number(amount, 0 if amount.denominator == 1 else 1)


def slope(ppm: int) -> str:
    return current_language().number(Fraction(ppm, 1_000_000), 3)
