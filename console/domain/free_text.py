"""Texts as people type them: one line or several, of a bounded length, without control characters."""

from __future__ import annotations

from console.domain.errors import Invalid

LONGEST_LINE = 200
LONGEST_TEXT = 20_000


def one_line(text: str, field: str) -> str:
    """A text of one line, its blanks made single; at least one character."""
    line = " ".join(text.split())
    if not 0 < len(line) <= LONGEST_LINE or not line.isprintable():
        raise Invalid(
            field, "Un texte d'une ligne, de 1 à %(longest)s caractères, est attendu.", longest=LONGEST_LINE
        )
    return line


def optional_line(text: str, field: str) -> str | None:
    """A text of one line, None where it is empty."""
    return one_line(text, field) if text.strip() else None


def several_lines(text: str, field: str) -> str:
    """A text of several lines ended by a line feed, without blanks at the end of a line; it may be empty."""
    lines = [line.rstrip() for line in text.replace("\t", " ").splitlines()]
    if not all(line.isprintable() for line in lines):
        raise Invalid(field, "Ce texte contient des caractères qui ne s'affichent pas.")
    whole = "\n".join(lines).strip("\n")
    if len(whole) > LONGEST_TEXT:
        raise Invalid(
            field,
            "Ce texte a %(length)s caractères ; %(longest)s au plus sont attendus.",
            length=len(whole),
            longest=LONGEST_TEXT,
        )
    return whole
