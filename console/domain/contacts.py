"""Whom to call: the roles of contacts, and their phone numbers and addresses, checked but loosely."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from console.domain.errors import Invalid

PHONE = re.compile(r"\+?[\d\s.()/-]+(?:\s*(?:poste|ext\.?|#)\s*\d{1,6})?", re.ASCII | re.IGNORECASE)
EXTENSION = re.compile(r"\s*(?:poste|ext\.?|#)\s*(\d{1,6})$", re.ASCII | re.IGNORECASE)
FEWEST_DIGITS, MOST_DIGITS = 3, 15  # a short number such as 3115; the longest of E.164
LONGEST_PHONE = 40
MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@(?:[\w-]+\.)+[\w-]{2,}")
LONGEST_MAIL = 200


class ContactRole(StrEnum):
    """What a contact is called for, in the order in which they are told."""

    NIGHT = "night"
    SECURITY = "security"
    CIO = "cio"
    DPO = "dpo"
    DIRECTION = "direction"
    FINANCE = "finance"
    HUMAN_RESOURCES = "human_resources"
    OTHER = "other"


CALL_FIRST = (ContactRole.NIGHT, ContactRole.SECURITY)
# What an adherent may know of the operator: whom the rules oblige it to name, and who answers at night.
OF_THE_OPERATOR = (ContactRole.NIGHT, ContactRole.SECURITY, ContactRole.DPO)


def phone(text: str, field: str = "phone") -> str | None:
    """A phone number as it was typed, single blanks; None where it is empty."""
    number = " ".join(text.split())
    if not number:
        return None
    digits = len(re.sub(r"\D", "", EXTENSION.sub("", number)))
    if (
        len(number) > LONGEST_PHONE
        or not PHONE.fullmatch(number)
        or not FEWEST_DIGITS <= digits <= MOST_DIGITS
    ):
        raise Invalid(
            field,
            "%(value)s n'est pas un numéro de téléphone ; par exemple 05 61 00 00 00 ou +33 5 61 00 00 00.",
            value=number,
        )
    return number


def dialled(number: str) -> str:
    """What a telephone dials for a number, as a `tel:` link holds it (RFC 3966)."""
    extension = EXTENSION.search(number)
    main = re.sub(r"[^\d+]", "", EXTENSION.sub("", number).replace("(0)", ""))
    return f"{main};ext={extension[1]}" if extension else main


def mail(text: str, field: str = "mail") -> str | None:
    """A mail address, None where it is empty."""
    address = text.strip()
    if not address:
        return None
    if len(address) > LONGEST_MAIL or not address.isprintable() or not MAIL.fullmatch(address):
        raise Invalid(
            field, "%(value)s n'est pas une adresse électronique ; par exemple dsi@ch-foix.fr.", value=address
        )
    return address


def check_days(starts_on: date, ends_on: date | None) -> None:
    """Refuse a contact whose last day comes before the first."""
    if ends_on is not None and ends_on < starts_on:
        raise Invalid("ends_on", "Un contact finit après son début, le %(day)s.", day=f"{starts_on:%Y-%m-%d}")


def is_current(starts_on: date, ends_on: date | None, today: date) -> bool:
    """Whether somebody is a contact on a day; the last day counts."""
    return starts_on <= today and (ends_on is None or ends_on >= today)
