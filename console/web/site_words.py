"""How pages call what data centres measure, and how they buy their electricity."""

from __future__ import annotations

from flask_babel import lazy_gettext

from console.domain.facility import ContractKind, Quantity
from console.domain.site_indicators import Indicator
from console.domain.site_measures import Quality

QUANTITIES = {
    Quantity.TOTAL.value: lazy_gettext("énergie totale"),
    Quantity.IT.value: lazy_gettext("énergie IT"),
    Quantity.STORAGE.value: lazy_gettext("énergie du stockage"),
    Quantity.BACKUP.value: lazy_gettext("énergie des sauvegardes"),
    Quantity.NETWORK.value: lazy_gettext("énergie du réseau"),
    Quantity.RENEWABLE.value: lazy_gettext("énergie renouvelable"),
    Quantity.REUSED.value: lazy_gettext("chaleur réutilisée"),
    Quantity.GENERATORS.value: lazy_gettext("groupes électrogènes"),
    Quantity.WATER.value: lazy_gettext("eau prélevée"),
    Quantity.WATER_POTABLE.value: lazy_gettext("eau potable"),
    Quantity.ZONE.value: lazy_gettext("énergie d'une zone"),
    Quantity.ZONE_IT.value: lazy_gettext("énergie IT d'une zone"),
}
QUALITIES = {
    Quality.MEASURED.value: lazy_gettext("mesuré"),
    Quality.DECLARED.value: lazy_gettext("déclaré"),
}
CONTRACT_KINDS = {
    ContractKind.STANDARD.value: lazy_gettext("offre standard"),
    ContractKind.GUARANTEE.value: lazy_gettext("garanties d'origine"),
    ContractKind.PPA.value: lazy_gettext("contrat d'achat direct (PPA)"),
    ContractKind.ON_SITE.value: lazy_gettext("production sur place"),
}
INDICATORS = {
    Indicator.PUE.value: "PUE",
    Indicator.PARTIAL_PUE.value: "pPUE",
    Indicator.REF.value: "REF",
    Indicator.ERF.value: "ERF",
    Indicator.WUE.value: "WUE",
    Indicator.CUE.value: "CUE",
}
