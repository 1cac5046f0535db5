"""What states, instruments and the reasons of gaps are called, in the language of the reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from flask import Flask
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain import calibration
from console.web.audit_choices import Words
from console.web.languages import current_language

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

# What agents say of an instrument that gives nothing; they speak English. What is not here stays as it came.
REASONS: tuple[tuple[re.Pattern[str], LazyString], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"not installed: (?P<how>.+)", lazy_gettext("pas installé : %(how)s")),
        (
            r"no powercap tree at .+",
            lazy_gettext("pas de compteur RAPL : machine virtuelle, ou module absent"),
        ),
        (r"no package or psys counter under .+", lazy_gettext("pas de compteur RAPL utilisable")),
        (
            r"(?P<what>\S+) cannot be read: .+; the kernel lets root alone read it",
            lazy_gettext("%(what)s : le noyau n'en permet la lecture qu'à root"),
        ),
        (r"(?P<what>\S+) cannot be read: (?P<why>.+)", lazy_gettext("%(what)s ne se lit pas : %(why)s")),
        (r"\S+ held no whole number: an empty or torn read", lazy_gettext("lecture vide ou coupée")),
        (r"the first read of the .+", lazy_gettext("première lecture : il en faut deux")),
        (
            r"the machine was started again between two reads",
            lazy_gettext("la machine a redémarré entre deux lectures"),
        ),
        (
            r"the counters are not the same as at the last read",
            lazy_gettext("les compteurs ne sont plus les mêmes"),
        ),
        (
            r"the machine was suspended for (?P<seconds>\d+) s",
            lazy_gettext("machine en veille pendant %(seconds)s s"),
        ),
        (
            r"(?:.+: )?(?P<seconds>\d+) s between two reads, the counter may wrap in (?P<wrap>\d+) s",
            lazy_gettext("%(seconds)s s entre deux lectures : le compteur a pu repasser par zéro"),
        ),
        (
            r"(?:.+: )?lower than before and its maximum is unknown: taken for a reset",
            lazy_gettext("compteur remis à zéro"),
        ),
        (
            r"(?:.+: )?more than (?P<watts>\S+) W between two reads: taken for .+",
            lazy_gettext("plus de %(watts)s W entre deux lectures : compteur remis à zéro"),
        ),
        (r"the CPU times went backwards", lazy_gettext("le temps de calcul a reculé")),
        (
            r"its reads do not add up to the interval",
            lazy_gettext("ses lectures ne couvrent pas l'intervalle"),
        ),
        (
            r"codecarbon is starting|codecarbon has just started|codecarbon is started again",
            lazy_gettext("codecarbon démarre"),
        ),
        (
            r"codecarbon did not answer within (?P<seconds>\S+) s",
            lazy_gettext("codecarbon n'a pas répondu en %(seconds)s s"),
        ),
        (
            r"codecarbon failed and waits to be started again",
            lazy_gettext("codecarbon a échoué et sera relancé"),
        ),
        (r"codecarbon ended with status .+", lazy_gettext("codecarbon s'est arrêté")),
        (r"codecarbon gave no figure: (?P<why>.+)", lazy_gettext("codecarbon ne donne rien : %(why)s")),
        (
            r"no sensor of power in this machine",
            lazy_gettext("pas de capteur de puissance dans cette machine"),
        ),
    )
)


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


def vcpu(mcpu: int | None) -> str:
    """Thousandths of a vCPU as a number of them."""
    amount = Fraction(mcpu or 0, 1000)
    return "" if mcpu is None else current_language().number(amount, 0 if amount.denominator == 1 else 1)


def slope(ppm: int) -> str:
    return current_language().number(Fraction(ppm, 1_000_000), 3)


def gap_reason(reason: str) -> str:
    """Why an instrument gives nothing, as a person would say it; what nobody foresaw, as it came."""
    for pattern, text in REASONS:
        if found := pattern.fullmatch(reason):
            return str(text) % found.groupdict()
    return reason
