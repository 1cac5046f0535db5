"""Facts and kinds of equipment, sources of impacts and ends of life, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain.embodied_shares import By

Words = Mapping[str, str | LazyString]
KINDS: Words = {
    "server": lazy_gettext("serveur"),
    "storage": lazy_gettext("stockage"),
    "backup": lazy_gettext("sauvegarde"),
    "network": lazy_gettext("réseau"),
    "ups": lazy_gettext("onduleur"),
    "battery": lazy_gettext("batterie"),
    "cooling": lazy_gettext("refroidissement"),
    "generator": lazy_gettext("groupe électrogène"),
    "building": lazy_gettext("bâtiment"),
    "other": lazy_gettext("autre"),
}
FACTS: Words = {
    "name": lazy_gettext("nom"),
    "kind": lazy_gettext("nature"),
    "site": lazy_gettext("site"),
    "host_name": lazy_gettext("hôte"),
    "manufacturer": lazy_gettext("constructeur"),
    "model": lazy_gettext("modèle"),
    "quantity": lazy_gettext("quantité"),
    "cpu_model": lazy_gettext("processeur"),
    "cpus": lazy_gettext("nombre de processeurs"),
    "cores": lazy_gettext("cœurs"),
    "ram_gb": lazy_gettext("mémoire, Go"),
    "disks": lazy_gettext("disques"),
    "purchased_on": lazy_gettext("acheté le"),
    "commissioned_on": lazy_gettext("mis en service le"),
    "planned_months": lazy_gettext("durée prévue, mois"),
    "retired_on": lazy_gettext("retiré le"),
    "end_of_life": lazy_gettext("fin de vie"),
    "is_second_hand": lazy_gettext("occasion"),
}
COMPONENTS: Words = {
    "cpu": lazy_gettext("processeurs"),
    "ram": lazy_gettext("mémoire"),
    "frame": lazy_gettext("châssis et disques"),
}
COMPONENT_RULES: Words = {
    "cpu": lazy_gettext("processeurs, par vCPU réservés"),
    "ram": lazy_gettext("mémoire, par Go réservés"),
    "frame": lazy_gettext("châssis et disques, par énergie au repos"),
}
WEIGHED_BY: Words = {
    By.CPU: lazy_gettext("par millièmes de vCPU réservés × heures"),
    By.RAM: lazy_gettext("par Mo réservés × heures"),
    By.IDLE: lazy_gettext("par énergie au repos, en mJ"),
    By.USED: lazy_gettext("par énergie au-dessus du repos, en mJ"),
    By.NOTHING: lazy_gettext("à l'opérateur : rien n'y a tourné"),
}
SOURCES: Words = {
    "manufacturer": lazy_gettext("fiche du constructeur"),
    "boavizta": lazy_gettext("données Boavizta"),
    "estimate": lazy_gettext("estimation par composants"),
    "declared": lazy_gettext("déclarée"),
}
ROUTES: Words = {
    "reuse": lazy_gettext("seconde vie ici"),
    "donation": lazy_gettext("don"),
    "resale": lazy_gettext("revente"),
    "weee": lazy_gettext("collecte DEEE, recyclage"),
    "unknown": lazy_gettext("inconnue"),
}
