"""The SAE table of sites, as published and as it comes back from a spreadsheet."""

import pytest

from console.domain.directory import Listing, read_sae, zone_of
from console.domain.errors import Invalid
from tests.given import SAE

HEADER = "an;fi;rs;fi_ej;stj;cat;sir;dep;LIBCOM"
ROW = "2023;010000024;CH DE FLEYRIAT;010780054;13;355;26010004500012;01;VIRIAT"
CORSICAN = "2023;2A0000030;CRF DU FINOSELLO;2A0000048;73;109;316475847;2A;AJACCIO"


def read(*rows: str, header: str = HEADER, encoding: str = "cp1252") -> Listing:
    return read_sae("\n".join([header, *rows, ""]).encode(encoding))


def test_the_published_file_has_3975_sites_and_no_wrong_row() -> None:
    listing = read_sae(SAE.read_bytes())
    assert len(listing.sites) == 3975
    assert not listing.refusals
    without_siret = [site for site in listing.sites.values() if site.siret is None]
    assert len(without_siret) == 46
    assert sum(key.startswith("2") and key[1] in "AB" for key in listing.sites) == 37


def test_text_is_windows_1252_unless_it_is_utf_8() -> None:
    row = ROW.replace("CH DE FLEYRIAT", "CŒUR D'ÉTÉ")
    for encoding in ("cp1252", "utf-8", "utf-8-sig"):
        assert read(row, encoding=encoding).sites["010000024"].name == "CŒUR D'ÉTÉ"


def test_the_case_and_order_of_the_header_do_not_matter() -> None:
    header = ";".join(reversed(HEADER.upper().split(";")))
    assert read(";".join(reversed(ROW.split(";"))), header=header).sites == read(ROW).sites


def test_doubled_quotes_are_one_quote() -> None:
    row = ROW.replace("CH DE FLEYRIAT", '"LIEU ""MAVOUNA"""')
    assert read(row).sites["010000024"].name == 'LIEU "MAVOUNA"'


@pytest.mark.parametrize(
    ("before", "after", "field", "said"),
    [
        ("010000024", "10000024", "fi", "010000024 attendu"),
        ("010780054", "10780054", "fi_ej", "010780054 attendu"),
        ("26010004500012", "2,601E+13", "sir", "tableur"),
        ("26010004500012", "26010004500013", "sir", "clé"),
        (";01;VIRIAT", ";1;VIRIAT", "dep", "01 attendu"),
        (";01;VIRIAT", ";20;VIRIAT", "dep", "2A"),
        ("CH DE FLEYRIAT", "", "rs", "texte lisible"),
        ("CH DE FLEYRIAT", "X" * 201, "rs", "200"),
        ("355", "35X", "cat", "35X"),
        (";VIRIAT", "", "row", "8 cellules"),
        (";VIRIAT", ";VIRIAT;", "row", "10 cellules"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_field_and_the_others_count(
    before: str, after: str, field: str, said: str
) -> None:
    listing = read(CORSICAN, ROW.replace(before, after))
    assert list(listing.sites) == ["2A0000030"]
    (refusal,) = listing.refusals
    assert (refusal.line, refusal.error.field) == (3, field)
    assert said in str(refusal.error)


def test_a_key_that_comes_twice_counts_once_and_names_the_first_line() -> None:
    listing = read(ROW, CORSICAN, ROW.replace("FLEYRIAT", "AUTRE"))
    assert listing.sites["010000024"].name == "CH DE FLEYRIAT"
    (refusal,) = listing.refusals
    assert refusal.line == 4
    assert "ligne 2" in str(refusal.error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b" \r\n\r\n", "vide"),
        (HEADER.replace(";cat", "").encode(), "cat"),
        (HEADER.replace(";", ",").encode(), "«"),
        (HEADER.encode("utf-16"), "UTF-8"),
        (b"PK\x03\x04\x00\x81", "UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said) as refusal:
        read_sae(content)
    assert refusal.value.field == "file"


@pytest.mark.parametrize(
    ("department", "zone"),
    [
        ("31", "Europe/Paris"),
        ("2A", "Europe/Paris"),
        ("95", "Europe/Paris"),
        ("9A", "America/Guadeloupe"),
        ("9B", "America/Martinique"),
        ("9C", "America/Cayenne"),
        ("9D", "Indian/Reunion"),
        ("9F", "Indian/Mayotte"),
    ],
)
def test_each_department_has_its_zone(department: str, zone: str) -> None:
    assert zone_of(department).key == zone


def test_an_overseas_department_without_a_known_zone_is_not_guessed() -> None:
    with pytest.raises(Invalid, match="9A"):
        zone_of("9J")
