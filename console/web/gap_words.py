"""Why an instrument gives nothing, as its agent says it in English, in the language of the reader."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

# The first that matches the whole reason; what is not here stays as it came.
REASONS: tuple[tuple[str, LazyString], ...] = (
    (r"not installed: (?P<how>.+)", lazy_gettext("pas installé : %(how)s")),
    (r"no powercap tree at .+", lazy_gettext("pas de compteur RAPL : machine virtuelle, ou module absent")),
    (r"no package or psys counter under .+", lazy_gettext("pas de compteur RAPL utilisable")),
    (
        r"(?P<what>\S+) cannot be read: .+; the kernel lets root alone read it",
        lazy_gettext("%(what)s : le noyau n'en permet la lecture qu'à root"),
    ),
    (r"(?P<what>\S+) cannot be read: (?P<why>.+)", lazy_gettext("%(what)s ne se lit pas : %(why)s")),
    (r"\S+ held no whole number: an empty or torn read", lazy_gettext("lecture vide ou coupée")),
    (
        r"the first read.*|no answer yet|waits for a second answer",
        lazy_gettext("première lecture : il en faut deux"),
    ),
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
        r"(?:.+: )?(?P<seconds>\d+) s between two reads, the counter may wrap in \d+ s",
        lazy_gettext("%(seconds)s s entre deux lectures : le compteur a pu repasser par zéro"),
    ),
    (r"(?:.+: )?lower than before.+reset", lazy_gettext("compteur remis à zéro")),
    (
        r"(?:.+: )?more than (?P<watts>\S+) W between two reads: taken for .+",
        lazy_gettext("plus de %(watts)s W entre deux lectures : compteur remis à zéro"),
    ),
    (r"no time passed since the last read", lazy_gettext("aucun temps entre deux lectures")),
    (
        r"(?:.+: )?(?:the CPU times|its CPU time|the CPU times of the host) (?:went backwards|began again)",
        lazy_gettext("le temps de calcul a reculé"),
    ),
    (
        r"(?:.+: )?more CPU time than its vCPUs can have used",
        lazy_gettext("plus de temps de calcul que ses vCPU n'en permettent"),
    ),
    (r"its reads do not add up to the interval", lazy_gettext("ses lectures ne couvrent pas l'intervalle")),
    (
        r"codecarbon is starting|codecarbon has just started|codecarbon is started again",
        lazy_gettext("codecarbon démarre"),
    ),
    (
        r"codecarbon did not answer within (?P<seconds>\S+) s",
        lazy_gettext("codecarbon n'a pas répondu en %(seconds)s s"),
    ),
    (
        r"codecarbon failed and waits to be started again|codecarbon did not answer \d+ times",
        lazy_gettext("codecarbon a échoué et sera relancé"),
    ),
    (r"codecarbon ended with status .+", lazy_gettext("codecarbon s'est arrêté")),
    (r"codecarbon gave no figure: (?P<why>.+)", lazy_gettext("codecarbon ne donne rien : %(why)s")),
    (
        r"the counters under .+ are readable: rapl reads the same ones",
        lazy_gettext("rapl lit déjà les mêmes compteurs"),
    ),
    (
        r"its hypervisor was not asked since the last read",
        lazy_gettext("son hyperviseur n'a pas été interrogé depuis"),
    ),
    (
        r"the platform tells no power of this host|the platform lacks samples of the power of this host",
        lazy_gettext("la plateforme ne dit pas la puissance de cet hôte"),
    ),
    (
        r"no sample is complete since|no sample of it is complete",
        lazy_gettext("aucun relevé complet de la plateforme"),
    ),
    (r"vCenter has no connection to it", lazy_gettext("vCenter n'a plus de lien avec lui")),
    (r"Proxmox calls this node '?(?P<state>[^']+)'?", lazy_gettext("Proxmox dit ce nœud : %(state)s")),
    (r"no sensor of power in this machine", lazy_gettext("pas de capteur de puissance dans cette machine")),
    (
        r"the password of (?P<user>.+) was refused; waits for another",
        lazy_gettext("le mot de passe de %(user)s est refusé : il en faut un autre"),
    ),
    (
        r"(?:\S+: )?the (?:controller|exporter) answered (?P<status>\d+).*",
        lazy_gettext("réponse %(status)s au lieu d'un chiffre"),
    ),
    (
        r"0 W on every outlet: no server is plugged in there",
        lazy_gettext("0 W sur toutes les prises : aucun serveur n'y est branché"),
    ),
    (
        r"(?P<outlet>outlet .+) tells no power: it is not there, or not metered",
        lazy_gettext("%(outlet)s ne dit aucune puissance : absente, ou non mesurée"),
    ),
    (
        r"(?P<path>\S+): written (?P<seconds>\d+) s ago, no longer true",
        lazy_gettext("%(path)s : écrit il y a %(seconds)s s, n'est plus vrai"),
    ),
    (r"(?P<field>\w+_file): (?P<why>.+)", lazy_gettext("%(field)s : %(why)s")),
)
PATTERNS = tuple((re.compile(pattern, re.DOTALL), text) for pattern, text in REASONS)


def gap_reason(reason: str) -> str:
    """The reason as a person would say it; what nobody foresaw, as it came."""
    for pattern, text in PATTERNS:
        if found := pattern.fullmatch(reason):
            return str(text) % found.groupdict()
    return reason
