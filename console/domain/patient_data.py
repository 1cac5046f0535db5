"""Numbers that may name a patient and have no place in a free text: the NIR and the IPP."""

from __future__ import annotations

import re

# Sex, year, month, department (2A, 2B), commune, order, and a key of two digits that may be left out.
NIR = re.compile(
    r"""(?<!\d) [1-478] [ .]? \d{2} [ .]? (?:[02-9]\d|1[0-2]) [ .]? (?:\d{2}|2[AB])
    [ .]? \d{3} [ .]? \d{3} (?:[ .]?\d{2})? (?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
IPP = re.compile(r"\bIPP\b\D{0,4}\d{4,}", re.IGNORECASE)


def patient_numbers(text: str) -> list[str]:
    """What of a free text looks like a patient's number, in the order of the text."""
    found = [*NIR.finditer(text), *IPP.finditer(text)]
    return [match.group() for match in sorted(found, key=lambda match: match.start())]
