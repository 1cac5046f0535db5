"""Texts that the database or a browser keeps and only the console reads: sealed with a key of its own.

The key comes from the console's secret key by HKDF (RFC 5869), one for each purpose; the seal is Fernet:
AES-128-CBC with HMAC-SHA256 and the time at which it was made.
"""

from __future__ import annotations

import base64
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class BrokenSeal(Exception):
    """The text was not sealed with this key, was altered, or is too old."""


class Seal:
    """Seals and opens texts for one purpose."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=f"console {purpose}".encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))

    def close(self, text: str) -> str:
        """The text under seal."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, lasts: timedelta | None = None) -> str:
        """The text; raises `BrokenSeal`, also where it was sealed longer ago than `lasts`."""
        seconds = None if lasts is None else int(lasts.total_seconds())
        try:
            return self._fernet.decrypt(sealed.encode(), ttl=seconds).decode()
        except InvalidToken:
            raise BrokenSeal from None
