"""Values of a form, read or refused with the name of their field."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import abort, request

from console.domain.errors import Invalid
from console.domain.patient_data import patient_numbers
from console.web import addresses

LARGEST = 10**12
SHOWN = 10  # numbers that seem to be a patient's, of one text
DIGITS = len(str(LARGEST))
LARGEST_ID = 2**63 - 1  # of a host or a workload
DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,11})(?:\.(?P<decimals>[0-9]{1,2}))?")
Choice = TypeVar("Choice", bound=StrEnum)


def refuse_nul() -> None:
    """Answer 400 to a NUL anywhere in the address or the form: PostgreSQL stores none, and nobody types one.

    The API, which reads its own body, is left alone.
    """
    if request.path.startswith("/api/"):
        return
    pairs = (*request.args.items(multi=True), *request.form.items(multi=True))
    if "\0" in request.path or any("\0" in name or "\0" in value for name, value in pairs):
        abort(400)


def text(field: str) -> str:
    """A text without the blanks around it; empty where there is none."""
    return request.form.get(field, "").strip()


def day(field: str) -> date:
    """A date as browsers send it."""
    value = optional_day(field)
    if value is None:
        raise Invalid(field, "Une date est attendue.")
    return value


def optional_day(field: str) -> date | None:
    """A date, or None where the field is empty."""
    return _day_of(field, text(field))


def asked_day(field: str) -> date | None:
    """A date of the address, or None where it holds none."""
    return _day_of(field, request.args.get(field, "").strip())


def _day_of(field: str, value: str) -> date | None:
    if not value:
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise Invalid(field, "%(value)s n'est pas une date ; par exemple 2026-11-25.", value=value) from None
    if not 2000 <= found.year < 2200:
        raise Invalid(field, "%(value)s n'est pas une date de ce siècle.", value=value)
    return found


def past_instant(field: str, zone: str, *, now: datetime) -> datetime:
    """A date and time on the wall clock of a zone, or `now` where the field is empty."""
    value = text(field)
    if not value:
        return now
    try:
        wall = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(
            field, "%(value)s n'est pas une date et une heure ; par exemple 2026-11-25T09:30.", value=value
        ) from None
    if wall.tzinfo is not None or not 2000 <= wall.year < 2200:
        raise Invalid(field, "Une date et une heure locales de ce siècle sont attendues.")
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def wall(field: str) -> datetime:
    """A date and time as browsers send it, on a wall clock that the caller knows."""
    value = text(field)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(
            field, "%(value)s n'est pas une date et une heure ; par exemple 2026-11-25T09:30.", value=value
        ) from None
    if found.tzinfo is not None or not 2000 <= found.year < 2200:
        raise Invalid(field, "Une date et une heure locales de ce siècle sont attendues.")
    return found.replace(second=0, microsecond=0)


def optional_count(field: str) -> int | None:
    """A whole number from 0, or None where the field is empty."""
    value = text(field).replace("\N{NARROW NO-BREAK SPACE}", "").replace(" ", "")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > DIGITS or int(value) > LARGEST:
        raise Invalid(field, "Un nombre entier est attendu.")
    return int(value)


def optional_hundredths(field: str) -> int | None:
    """A number with at most two decimals, in hundredths: cents of euros, hundredths of a percent."""
    value = text(field).replace("\N{NARROW NO-BREAK SPACE}", "").replace("\N{NO-BREAK SPACE}", "")
    found = DECIMAL.fullmatch(value.replace(" ", "").replace(",", "."))
    if not value:
        return None
    if found is None:
        raise Invalid(field, "Un nombre à deux décimales au plus est attendu ; par exemple 1234,50.")
    whole, decimals = int(found["whole"]), int((found["decimals"] or "0").ljust(2, "0"))
    return (-1 if found["sign"] else 1) * (100 * whole + decimals)


def subscription() -> int:
    """The number of the subscription that was chosen."""
    number = optional_count("subscription")
    if number is None or number > addresses.LARGEST:
        raise Invalid("subscription", "Une souscription est attendue.")
    return number


def workload() -> tuple[int, int]:
    """The host and the workload that were chosen, as `host:workload`."""
    return workload_of(text("workload"), "workload")


def workload_of(value: str, field: str) -> tuple[int, int]:
    """A host and a workload from `host:workload`."""
    host_id, _colon, workload_id = value.partition(":")
    if not all(_is_stable_id(part) for part in (host_id, workload_id)):
        raise Invalid(field, "Une charge est attendue.")
    return int(host_id), int(workload_id)


def _is_stable_id(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST_ID


def choice(field: str, choices: type[Choice]) -> Choice:
    """One of the values of an enumeration."""
    try:
        return choices(text(field))
    except ValueError:
        raise Invalid(field, "Un choix de la liste est attendu.") from None


def choices(field: str, choices: type[Choice]) -> list[Choice]:
    """The values of an enumeration that were ticked, in its order."""
    ticked = set(request.form.getlist(field))
    found = [one for one in choices if one.value in ticked]
    if len(found) < len(ticked):
        raise Invalid(field, "Un choix de la liste est attendu.")
    return found


def refuse_patient_numbers(*fields: str) -> None:
    """Refuse free texts that seem to name a patient, until the person has confirmed that they do not."""
    refuse_patients_in(*map(text, fields))


def refuse_patients_in(*texts: str) -> None:
    """As `refuse_patient_numbers`, of texts that come otherwise than as fields of a form."""
    found = list(dict.fromkeys(number for told in texts for number in patient_numbers(told)))
    if found and not text("confirmed"):
        raise Invalid(
            "confirmed",
            "Ce texte contient ce qui ressemble à un numéro de patient : %(numbers)s. "
            "Aucune donnée de patient ne doit être saisie ici.",
            numbers=", ".join(found[:SHOWN]),
        )


def optional_choice(field: str, choices: type[Choice]) -> Choice | None:
    """One of the values of an enumeration, or None where the field is empty."""
    return choice(field, choices) if text(field) else None


def words() -> str:
    """What a list is searched for, by the address or the form."""
    return request.values.get("words", "").strip()


def asked_page() -> int:
    """The page of a list that the address asks for; the first where it asks for none that can be."""
    value = request.args.get("page", "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else 1
