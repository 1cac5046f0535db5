"""How pages call the keys of shared services, and where the weights of their subscribers are from."""

from __future__ import annotations

from flask_babel import lazy_gettext

from console.domain.month_lines import SharingKeyKind
from console.domain.sharing import Origin

KEYS = {
    SharingKeyKind.VOLUME.value: lazy_gettext("volumes mensuels"),
    SharingKeyKind.SUBSCRIPTION.value: lazy_gettext("une part par souscription"),
    SharingKeyKind.IT_ENERGY.value: lazy_gettext("énergie IT des charges de chacun"),
}
ORIGINS = {
    Origin.TOLD.value: lazy_gettext("volume du mois"),
    Origin.KEY.value: lazy_gettext("selon la clé"),
    Origin.LAST_VOLUME.value: lazy_gettext("attendu : dernier volume connu"),
    Origin.CONTRACT.value: lazy_gettext("attendu : volume du contrat"),
    Origin.MEAN.value: lazy_gettext("attendu : moyenne des volumes connus"),
    Origin.EQUAL.value: lazy_gettext("attendu : parts égales, rien n'est connu"),
}
REASONS = {
    "no_subscriber": lazy_gettext("aucune souscription ne court ce mois-là"),
    "no_volume": lazy_gettext("tous les volumes du mois sont à zéro"),
}
