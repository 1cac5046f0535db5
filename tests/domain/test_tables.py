"""Tables of text: encodings, separators, headings, and files that are something else."""

import gzip

import pytest

from console.domain.errors import Invalid
from console.domain.tables import Table, read_csv


def rows(content: bytes) -> list[list[str]]:
    table = read_csv(content)
    return [list(table.headings), *(list(cells) for _line, cells in table.rows)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_text_is_windows_1252_unless_it_is_utf_8(encoding: str) -> None:
    assert rows("nom;ville\nCŒUR D'ÉTÉ;Sète\n".encode(encoding))[1] == ["CŒUR D'ÉTÉ", "Sète"]


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_the_separator_is_that_of_the_headings(separator: str) -> None:
    content = separator.join(["code", "nom", "ville"]) + "\n" + separator.join(["1", '"A ""B"" ; C"', "D"])
    assert rows(content.encode()) == [["code", "nom", "ville"], ["1", 'A "B" ; C', "D"]]


def test_blank_lines_and_blank_headings_at_the_end_do_not_count() -> None:
    assert rows(b"a;b;;\r\n\r\n;;;\r\n1;2;;\r\n") == [["a", "b"], ["1", "2", "", ""]]


def test_a_row_is_told_by_the_line_it_starts_on() -> None:
    table = read_csv(b'a;b\n"1\n2";3\n4;5\n')
    assert [line for line, _cells in table.rows] == [2, 4]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b" \r\n\r\n", "vide"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "page web"),
        (b"<HTML>", "page web"),
        (b"PK\x03\x04\x14\x00", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel d'avant 2007"),
        (b"%PDF-1.7", "PDF"),
        (gzip.compress(b"a;b", mtime=0), "gzip"),
        ("a;b\n".encode("utf-16"), "UTF-16"),
        (b'{"a": 1}', "JSON"),
        (b"\x81\x00\x02", "UTF-8"),
        (b"a;A \n1;2\n", "Deux colonnes"),
        (b"x" * 300, "en-têtes"),
    ],
)
def test_a_file_that_is_no_table_is_told_for_what_it_is(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said) as refusal:
        read_csv(content)
    assert refusal.value.field == "file"


def test_a_fingerprint_is_that_of_the_headings_in_their_order() -> None:
    def fingerprint(*headings: str) -> str:
        return Table(headings, []).fingerprint()

    assert fingerprint("FINESS", "Nom  usuel") == fingerprint("finess", " nom usuel ")
    assert fingerprint("a", "b") != fingerprint("b", "a")
    assert fingerprint("a", "b") != fingerprint("a b")
