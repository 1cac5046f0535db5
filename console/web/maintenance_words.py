"""What planned work is called: its states, and what an occurrence falls on."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain.maintenance import Clash, ClashKind
from console.store.queries.service_names import ServiceName
from console.web.languages import current_language, day
from reports.language import FRENCH

TONES = {"draft": "neutral", "announced": "information", "done": "good", "cancelled": "warning"}
REPEATS: Mapping[str, LazyString] = {  # the rules that people ask for most, to be completed or replaced
    "FREQ=DAILY": lazy_gettext("chaque jour"),
    "FREQ=WEEKLY": lazy_gettext("chaque semaine, le même jour"),
    "FREQ=WEEKLY;INTERVAL=2": lazy_gettext("toutes les deux semaines, le même jour"),
    "FREQ=MONTHLY": lazy_gettext("chaque mois, à la même date"),
    "FREQ=MONTHLY;BYDAY=1SU": lazy_gettext("chaque mois, le premier dimanche"),
}


def called(service: ServiceName) -> str:
    """A service in the language of the page."""
    return service.name_fr if current_language() is FRENCH else service.name_en


def clash_text(clash: Clash, services: Mapping[str, ServiceName]) -> str:
    """What an occurrence falls on, with its day."""
    names = ", ".join(clash.names)
    if clash.kind is ClashKind.PAYROLL:
        names = ", ".join(called(services[code]) for code in clash.names)
        text = _("%(day)s : jour de paie ou critique pour %(names)s", day=day(clash.day), names=names)
    elif clash.kind is ClashKind.HOLIDAY:
        text = _("%(day)s : jour férié, %(names)s", day=day(clash.day), names=names)
    elif clash.kind is ClashKind.COMMITTEE:
        text = _("%(day)s : comité avec %(names)s", day=day(clash.day), names=names)
    else:
        text = _("en même temps que d'autres travaux : %(names)s", names=names)
    return str(text)
