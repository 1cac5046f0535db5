"""Files are what their content is, and bear a name that says so."""

import io
import zipfile

import pytest

from console.domain.attachments import (
    CONTENT_TYPES,
    LARGEST_FILE,
    LARGEST_TOTAL,
    FileKind,
    check_file,
    safe_name,
)
from console.domain.errors import Conflict, Invalid

SHEET = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TEXT = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACROS = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"


def archive(**parts: bytes) -> bytes:
    """A zip file; the names of its parts have their dots as two underscores."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as opened:
        for name, content in parts.items():
            opened.writestr(name.replace("__", "."), content)
    return kept.getvalue()


def document(main: bytes, **more: bytes) -> bytes:
    return archive(**{CONTENT_TYPES: b'<Override ContentType="' + main + b'"/>'}, **more)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ...", FileKind.PDF),
        (b"\x89PNG\r\n\x1a\n...", FileKind.PNG),
        (b"\xff\xd8\xff\xe0...", FileKind.JPEG),
        ("Journal d'événements\n".encode(), FileKind.TEXT),
        ("matricule;libellé\r\n".encode("cp1252"), FileKind.TEXT),
        ("\ufeffa;b\n".encode(), FileKind.TEXT),
        (b"<script>alert(1)</script>", FileKind.TEXT),  # it is sent as a text, to keep
        (document(SHEET), FileKind.XLSX),
        (document(TEXT), FileKind.DOCX),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, kind: FileKind) -> None:
    assert check_file(content, 0) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"\x7fELF\x02\x01\x01\x00",
        archive(a__txt=b"plain"),
        document(MACROS),
        document(SHEET, vbaProject__bin=b"\x00"),
        b"PK\x03\x04 and nothing of an archive",
        b"a text with \x00 in it",
        b"x" * (LARGEST_FILE + 1),
    ],
    ids=["empty", "exe", "elf", "zip", "macros", "hidden macros", "broken", "nul", "large"],
)
def test_anything_else_is_refused_at_its_field(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        check_file(content, 0)
    assert refusal.value.field == "file"


def test_the_files_of_one_incident_are_bounded_together() -> None:
    assert check_file(b"text", LARGEST_TOTAL - 4) is FileKind.TEXT
    with pytest.raises(Conflict, match="50 Mio"):
        check_file(b"text", LARGEST_TOTAL - 3)


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("facture.PDF", FileKind.PDF, "facture.pdf"),
        ("facture.exe", FileKind.PDF, "facture.exe.pdf"),
        ("photo.jpg", FileKind.JPEG, "photo.jpg"),
        ("C:\\Users\\moi\\relevé du 3.csv", FileKind.TEXT, "relevé du 3.csv"),
        ("../../etc/passwd", FileKind.TEXT, "passwd.txt"),
        ("page.html", FileKind.TEXT, "page.html.txt"),
        ("", FileKind.PNG, "fichier.png"),
        ('a"b\r\nc.txt', FileKind.TEXT, "abc.txt"),
        (".htaccess", FileKind.TEXT, "htaccess.txt"),
    ],
)
def test_a_name_says_what_the_file_is_and_leads_nowhere(name: str, kind: FileKind, kept: str) -> None:
    assert safe_name(name, kind) == kept
