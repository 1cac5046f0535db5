"""Files that may be joined to an incident: what they are by their content, whatever their name says."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from enum import StrEnum
from io import BytesIO
from pathlib import PurePosixPath

from console.domain.errors import Conflict, Invalid

MEBIBYTE = 1024 * 1024
LARGEST_FILE = 10 * MEBIBYTE  # bytes
LARGEST_TOTAL = 50 * MEBIBYTE  # bytes of all files of one incident
LONGEST_NAME = 120
CONTENT_TYPES = "[Content_Types].xml"
LARGEST_CONTENT_TYPES = MEBIBYTE  # bytes
# What reading an archive raises where it is damaged, encrypted, or no document.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(KeyError, ValueError, NotImplementedError, RuntimeError),
)


class FileKind(StrEnum):
    """What a file may be."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    TEXT = "text"
    XLSX = "xlsx"
    DOCX = "docx"

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self]

    @property
    def extensions(self) -> tuple[str, ...]:
        """The ends of a name that say so; the first is the usual one."""
        return EXTENSIONS[self]


OFFICE = "application/vnd.openxmlformats-officedocument"
MEDIA_TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
    FileKind.TEXT: "text/plain",
    FileKind.XLSX: f"{OFFICE}.spreadsheetml.sheet",
    FileKind.DOCX: f"{OFFICE}.wordprocessingml.document",
}
EXTENSIONS = {
    FileKind.PDF: (".pdf",),
    FileKind.PNG: (".png",),
    FileKind.JPEG: (".jpeg", ".jpg"),
    FileKind.TEXT: (".txt", ".csv", ".log"),
    FileKind.XLSX: (".xlsx",),
    FileKind.DOCX: (".docx",),
}
SIGNATURES = {
    b"%PDF-": FileKind.PDF,
    b"\x89PNG\r\n\x1a\n": FileKind.PNG,
    b"\xff\xd8\xff": FileKind.JPEG,
}
# What the list of its parts says of the main part of a document; one with macros says otherwise.
MAIN_PARTS = {
    b"spreadsheetml.sheet.main+xml": FileKind.XLSX,
    b"wordprocessingml.document.main+xml": FileKind.DOCX,
}


def text_of(content: bytes) -> str:
    """What a file of text says; empty for a file of another kind."""
    return "" if _by_signature(content) or _document(content) else _read(content) or ""


def check_file(content: bytes, others_bytes: int) -> FileKind:
    """What a file is; raises `Invalid` for one that may not be kept beside `others_bytes` of other files."""
    if not content:
        raise Invalid("file", "Choisissez un fichier : il est vide ou absent.")
    if len(content) > LARGEST_FILE:
        raise Invalid(
            "file", "Un fichier pèse au plus %(mebibytes)s Mio.", mebibytes=LARGEST_FILE // MEBIBYTE
        )
    if others_bytes + len(content) > LARGEST_TOTAL:
        raise Conflict(
            "Les fichiers d'un incident pèsent ensemble %(mebibytes)s Mio au plus.",
            mebibytes=LARGEST_TOTAL // MEBIBYTE,
        )
    found = _by_signature(content) or _document(content)
    if found is None and _read(content) is not None:
        return FileKind.TEXT
    if found is None:
        raise Invalid(
            "file", "Un fichier est un PDF, un PNG, un JPEG, un texte, un CSV, un XLSX ou un DOCX sans macro."
        )
    return found


def safe_name(name: str, kind: FileKind) -> str:
    """The name of a file without folders nor what a system may misread, ended by what the file is."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"/|?*')
    kept = " ".join(kept.split()).strip(". ")
    stem, suffix = PurePosixPath(kept).stem, PurePosixPath(kept).suffix
    if suffix.lower() in kind.extensions:
        return stem[:LONGEST_NAME] + suffix.lower()
    return (kept or "fichier")[:LONGEST_NAME] + kind.extensions[0]


def _by_signature(content: bytes) -> FileKind | None:
    return next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), None)


def _document(content: bytes) -> FileKind | None:
    """An archive of a document's parts; no other archive is taken."""
    if not content.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if _hides_something(archive.namelist()):
                return None
            with archive.open(CONTENT_TYPES) as parts:
                told = parts.read(LARGEST_CONTENT_TYPES)
    except UNREADABLE:
        return None
    return next((kind for part, kind in MAIN_PARTS.items() if part in told), None)


def _hides_something(parts: Iterable[str]) -> bool:
    return any(part.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for part in parts)


def _read(content: bytes) -> str | None:
    """A text in UTF-8, or in Windows-1252, in which every byte but five is a letter."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        readable = all(letter.isprintable() or letter in "\t\r\n\f\ufeff" for letter in text)
        return text if readable else None
    return None
