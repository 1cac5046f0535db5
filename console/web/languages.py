"""The language of a page: which one, and its numbers, dates and amounts, written as in reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, get_locale
from flask_babel import gettext as _

from console.web.access import known_account
from console.web.catalogues import catalogue
from console.web.cookies import named
from reports.language import FRENCH, LANGUAGES, Language
from reports.quantities import Kind, text

COOKIE = "language"
ZONE = "Europe/Paris"  # where no adherent says otherwise


class Catalogues(Domain):  # type: ignore[misc]
    """The texts of each language, read once."""

    def get_translations(self) -> NullTranslations:
        return catalogue(current_language().code)


def install(app: Flask) -> None:
    """Give the application its languages and the filters that write in them."""
    babel = Babel(app, default_locale=FRENCH.code, locale_selector=preferred_code)
    babel.domain_instance = Catalogues()
    app.jinja_env.filters.update(
        energy=energy,
        power=power,
        carbon=carbon,
        intensity=intensity,
        share=share,
        ppm_share=ppm_share,
        number=number,
        day=day,
        month=month,
        instant=instant,
        clock=clock,
        duration=duration,
    )
    app.jinja_env.globals.update(current_language=current_language, LANGUAGES=LANGUAGES)


def preferred_code() -> str:
    """The language chosen for the account, else in this browser, else the one it asks for, else French."""
    if not has_request_context():
        return FRENCH.code
    account = known_account()
    chosen = (account and account.locale) or request.cookies.get(named(COOKIE))
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES), FRENCH.code) or FRENCH.code


def current_language() -> Language:
    """The language of the page being made."""
    return LANGUAGES[str(get_locale() or FRENCH.code)]


def energy(energy_mj: int | None) -> str:
    return text(Kind.ENERGY_MJ, energy_mj, current_language())


def power(power_mw: int | None) -> str:
    return text(Kind.POWER_MW, power_mw, current_language())


def carbon(carbon_ug: int | None) -> str:
    return text(Kind.CARBON_UG, carbon_ug, current_language())


def intensity(intensity_mg_per_kwh: int | None) -> str:
    return text(Kind.INTENSITY_MG_PER_KWH, intensity_mg_per_kwh, current_language())


def share(part: Fraction | float | None) -> str:
    """A share between 0 and 1, in percent."""
    return text(Kind.SHARE, None if part is None else Fraction(part), current_language())


def ppm_share(ppm: int | None) -> str:
    """A share told in parts per million, in percent."""
    return share(None if ppm is None else Fraction(ppm, 1_000_000))


def number(value: int | None) -> str:
    return text(Kind.COUNT, value, current_language())


def day(value: date | None) -> str:
    return text(Kind.DATE, value, current_language())


def month(value: date) -> str:
    return current_language().month(value)


def instant(value: datetime | None, zone: str = ZONE) -> str:
    """A date and a time on the wall clock of a zone."""
    if value is None:
        never: str = _("jamais")
        return never
    return current_language().short_instant(value.astimezone(ZoneInfo(zone)))


def clock(value: datetime, zone: str = ZONE) -> str:
    """A time of day on the wall clock of a zone."""
    return current_language().hour(value.astimezone(ZoneInfo(zone)))


def duration(value: timedelta) -> str:
    return current_language().duration(value)


def today(zone: str = ZONE) -> date:
    """The date on the wall clock of a zone."""
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
