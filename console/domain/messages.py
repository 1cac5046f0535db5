"""Texts that are written from a template: words in braces stand for what is known of the incident."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from console.domain.errors import Invalid
from console.domain.free_text import several_lines

BRACED = re.compile(r"\{([^{}\n]*)\}")


class Word(StrEnum):
    """What a template may name."""

    NUMBER = "numero"
    TITLE = "titre"
    ADHERENT = "adherent"
    SERVICE = "service"
    PRIORITY = "priorite"
    OPENED = "ouvert_le"
    DUE = "echeance"
    RESOLVED = "resolu_le"


def check_template(text: str, field: str) -> str:
    """The text of a template; raises `Invalid` for a word that stands for nothing."""
    whole = several_lines(text, field)
    if not whole:
        raise Invalid(field, "Un texte est attendu.")
    unknown = [word for word in BRACED.findall(whole) if word not in list(Word)]
    if unknown:
        raise Invalid(
            field,
            "%(unknown)s ne veut rien dire ici ; les mots possibles sont %(known)s.",
            unknown=f"{{{unknown[0]}}}",
            known=", ".join(f"{{{word}}}" for word in Word),
        )
    return whole


def fill_in(template: str, values: Mapping[Word, str]) -> str:
    """A template with its words in place, each once: what is put in is not read again."""
    return BRACED.sub(lambda match: values[Word(match[1])], template)
