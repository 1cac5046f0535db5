"""What the perimeters, components and fates of emission factors are called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

Words = Mapping[str, str | LazyString]
PERIMETERS: Words = {
    "consumption_life_cycle": lazy_gettext("mix de consommation, cycle de vie"),
    "production_life_cycle": lazy_gettext("mix de production, cycle de vie"),
    "production_direct": lazy_gettext("mix de production, émissions directes"),
    "residual_mix": lazy_gettext("mix résiduel"),
}
