"""Passwords and repeated failures: what is accepted, and how long a failing account must wait."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from console.domain.access import Role
from console.domain.errors import Invalid

SHORTEST = 12
SHORTEST_OF_ADMINISTRATORS = 15
LONGEST = 200
FREE_FAILURES = 4
LONGEST_DELAY = timedelta(hours=1)

COMMON = Path(__file__).with_name("common_passwords.txt")  # its origin is in the file beside it
OWN_NAMES = ("console", "mipih")
SHORTEST_NAME = 4  # of a person, or "Li" would be found in too many phrases
SHORTEST_UNIT = 8  # what is repeated to make a password is one itself
SHORTEST_RUN = 4
LEAST_OUTSIDE_RUNS = 6  # characters
DISGUISES = str.maketrans("013457@$!|", "oieastasii")
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    *("azertyuiop", "qsdfghjklm", "wxcvbn"),
    *("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("qwertzuiop", "yxcvbnm"),
)


def shortest_password(role: Role) -> int:
    """How many characters a password of this role has at least."""
    return SHORTEST_OF_ADMINISTRATORS if role is Role.ADMINISTRATOR else SHORTEST


def check_password(password: str, login: str, role: Role, name: str = "") -> None:
    """Refuse a password that is too short or too long, or that is among the first to be tried.

    That is one that holds a name of the person or of the house, a common one, dressed up or not, one made of
    rows of keys, and a short one repeated. Nothing else is asked of it: length is what counts.
    """
    if not shortest_password(role) <= len(password) <= LONGEST:
        raise Invalid(
            "password",
            "Le mot de passe compte de %(least)s à %(most)s caractères.",
            least=shortest_password(role),
            most=LONGEST,
        )
    if login.casefold() in password.casefold():
        raise Invalid("password", "Le mot de passe ne contient pas l'identifiant.")
    plain = _plain(password)
    if any(word in plain or word in plain.translate(DISGUISES) for word in _names(login, name)):
        raise Invalid("password", "Le mot de passe ne contient ni votre nom, ni celui de la maison.")
    if len(set(password)) < 5 or _repeats(plain):
        raise Invalid("password", "Le mot de passe répète trop peu de caractères différents.")
    if len(_outside_runs(plain)) < LEAST_OUTSIDE_RUNS:
        raise Invalid("password", "Le mot de passe suit trop l'ordre du clavier ou de l'alphabet.")
    if _is_common(plain):
        raise Invalid("password", "Ce mot de passe est de ceux que l'on essaie en premier.")


def lock_delay(failures: int) -> timedelta:
    """How long an account is closed after so many failures in a row: none, then a minute, then doubling."""
    if failures <= FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES - 1, 10)
    return min(LONGEST_DELAY, timedelta(minutes=1 << doublings))


def _plain(text: str) -> str:
    """Without case, accents or blanks around."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().strip())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _names(login: str, name: str) -> Iterator[str]:
    yield from OWN_NAMES
    for word in re.split(r"[^\w]+", f"{_plain(login.partition('@')[0])} {_plain(name)}"):
        if len(word) >= SHORTEST_NAME:
            yield word


def _repeats(plain: str) -> bool:
    """Whether a short text, repeated, makes the whole."""
    period = (plain + plain).find(plain, 1)
    return period < min(len(plain), SHORTEST_UNIT)


def _outside_runs(plain: str) -> str:
    """What is left without the runs of four keys or letters in a row, either way."""
    left, place = [], 0
    while place < len(plain):
        length = _run_at(plain, place)
        if length < SHORTEST_RUN:
            left.append(plain[place])
            length = 1
        place += length
    return "".join(left)


def _run_at(plain: str, place: int) -> int:
    """How many characters from a place follow a row, forwards or backwards."""
    longest = 1
    for row in (*ROWS, *(row[::-1] for row in ROWS)):
        start = row.find(plain[place])
        while start >= 0:
            length = 0
            while (
                plain[place + length : place + length + 1] == row[start + length : start + length + 1] != ""
            ):
                length += 1
            longest = max(longest, length)
            start = row.find(plain[place], start + 1)
    return longest


def _is_common(plain: str) -> bool:
    """Whether it is in the list, as it is or without digits and signs around a disguised word."""
    bare = re.sub(r"^[^a-z]+|[^a-z]+$", "", plain)
    undressed = re.sub(r"^[^a-z]+|[^a-z]+$", "", plain.translate(DISGUISES))
    return not _common().isdisjoint((plain, bare, undressed, bare.translate(DISGUISES)))


@cache
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="ascii").split())
