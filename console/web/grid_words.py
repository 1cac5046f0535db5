"""What the bases of grid intensities and how final they are is called, in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain.facility import Basis
from console.domain.grid import State

Words = Mapping[str, str | LazyString]
BASES: Words = {
    Basis.DIRECT_PRODUCTION.value: lazy_gettext("production, émissions directes"),
    Basis.DIRECT_CONSUMPTION.value: lazy_gettext("consommation, émissions directes"),
    Basis.LIFE_CYCLE_PRODUCTION.value: lazy_gettext("production, cycle de vie"),
    Basis.LIFE_CYCLE_CONSUMPTION.value: lazy_gettext("consommation, cycle de vie"),
}
STATES: Words = {
    State.REALTIME.value: lazy_gettext("temps réel"),
    State.CONSOLIDATED.value: lazy_gettext("consolidées"),
    State.DEFINITIVE.value: lazy_gettext("définitives"),
}
