"""French identifiers of bodies and places: FINESS, SIREN, SIRET, each with its check digit.

A reading function takes the text as it was typed or imported and the field it came from, and returns the
identifier as it is kept; it raises `Invalid` with what would be right where the text shows what went wrong.
"""

from __future__ import annotations

import re
from typing import NoReturn

from console.domain.errors import Invalid
from console.domain.spreadsheets import is_floating

CORSICA = str.maketrans("AB", "12")  # the key of 2A and 2B departments is reckoned with 21 and 22
FINESS = re.compile(r"(?:0[1-9]|[1-9]\d|2[AB])\d{7}")
SEPARATORS = re.compile(r"[\s.\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
LA_POSTE = "356000000"  # its many establishments carry another key: their digits add up to a multiple of 5


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn key of the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def finess(text: str, field: str = "finess") -> str:
    """A FINESS number, of an establishment or of a legal entity: nine characters."""
    number = _bare(text, field).upper()
    if not FINESS.fullmatch(number):
        _refuse_length(number, 9, field)
    if not _finess_key_holds(number):
        raise Invalid(field, "%(value)s n'est pas un numéro FINESS : sa clé est fausse.", value=number)
    return number


def siren(text: str, field: str = "siren") -> str:
    """The nine digits of a legal entity."""
    number = _bare(text, field)
    if not _is_number(number, 9):
        _refuse_length(number, 9, field)
    if not luhn_holds(number):
        raise Invalid(field, "%(value)s n'est pas un SIREN : sa clé est fausse.", value=number)
    return number


def siret(text: str, field: str = "siret") -> str:
    """The fourteen digits of an establishment; the first nine are its SIREN."""
    number = _bare(text, field)
    if not _is_number(number, 14):
        _refuse_length(number, 14, field)
    if not _siret_key_holds(number):
        raise Invalid(field, "%(value)s n'est pas un SIRET : sa clé est fausse.", value=number)
    return number


def _bare(text: str, field: str) -> str:
    text = text.strip()
    if is_floating(text):
        raise Invalid(
            field,
            "%(value)s est un nombre arrondi par un tableur : "
            "réimportez le fichier d'origine, ou gardez cette colonne en texte.",
            value=text,
        )
    bare = SEPARATORS.sub("", text)
    if not bare:
        raise Invalid(field, "Cet identifiant manque.")
    return bare


def _is_number(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _refuse_length(number: str, length: int, field: str) -> NoReturn:
    """Say what was expected, and the number itself where only its leading zeros were lost."""
    whole = number.zfill(length)
    if len(number) < length and _is_number(whole, length) and _key_holds(whole):
        raise Invalid(
            field,
            "%(value)s a perdu ses zéros de tête : %(whole)s attendu.",
            value=number,
            whole=whole,
        )
    raise Invalid(
        field,
        "%(value)s n'a pas la forme attendue : %(length)s caractères.",
        value=number,
        length=length,
    )


def _key_holds(number: str) -> bool:
    return _siret_key_holds(number) if len(number) == 14 else luhn_holds(number)


def _finess_key_holds(number: str) -> bool:
    return luhn_holds(number.translate(CORSICA))


def _siret_key_holds(number: str) -> bool:
    if not luhn_holds(number[:9]):
        return False
    if number.startswith(LA_POSTE):
        return luhn_holds(number) or sum(map(int, number)) % 5 == 0
    return luhn_holds(number)
