"""Names as they are sought and sorted: whoever asks need not know their accents, hyphens or short forms."""

from __future__ import annotations

import re
import unicodedata

LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})
JOINTS = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}`\-‐-―]")
IN_FULL = {"ST": "SAINT", "STE": "SAINTE"}


def fold(text: str) -> str:
    """A text in capitals without accents, hyphens, apostrophes or doubled blanks; a saint is named in full.

    The national directory writes `CH ST ETIENNE` where its people write « CH Saint-Étienne ».
    """
    parts = unicodedata.normalize("NFKD", text.translate(LIGATURES))
    plain = "".join(part for part in parts if not unicodedata.combining(part)).upper()
    return " ".join(IN_FULL.get(word, word) for word in JOINTS.sub(" ", plain).split())


def folded_words(text: str) -> list[str]:
    """The words of a search, folded as the names they are sought in."""
    return fold(text).split()
