"""Published files, as they are and as they come back from a spreadsheet."""

from datetime import date
from pathlib import Path

import pytest

from console.domain.directory import Group, Kind, LegalEntity, Listing, Membership, Site
from console.domain.errors import Invalid
from console.domain.formats import day_of_name, format_of, known_as, read_as, read_sae, read_table
from tests.given import SAE

DATA = Path(__file__).parent.parent / "data"
EXTRACT = DATA / "finess/etalab-cs1100502-stock-20260512-0339_15lines.csv"
MANGLED = DATA / "finess/etalab-cs1100507-2016_excel-mangled.csv"
ENTITIES = DATA / "finess/finess_cs1400101_stock_20211214-0333.xml"
SITES = DATA / "finess/finess_cs1400102_stock_20211214-0336.xml"
GROUPS = DATA / "sae/GHT_2023r.csv"

HEADER = "an;fi;rs;fi_ej;stj;cat;sir;dep;LIBCOM"
ROW = "2023;010000024;CH DE FLEYRIAT;010780054;13;355;26010004500012;01;VIRIAT"
CORSICAN = "2023;2A0000030;CRF DU FINOSELLO;2A0000048;73;109;316475847;2A;AJACCIO"


def open_file(path: Path, as_of: date | None = None) -> Listing:
    table = read_table(path.read_bytes())
    known = format_of(table)
    assert known is not None
    return read_as(known, table, as_of or day_of_name(path.name))


def read(*rows: str, header: str = HEADER) -> Listing:
    return read_sae("\n".join([header, *rows, ""]).encode("cp1252"))


def site(listing: Listing, key: str = "010000024") -> Site:
    found = listing.records[key]
    assert isinstance(found, Site)
    return found


def test_the_published_sites_of_the_survey_are_3975_and_none_is_wrong() -> None:
    listing = open_file(SAE)
    assert len(listing.records) == 3975
    assert not listing.refusals
    assert not listing.repairs
    assert listing.as_of == date(2023, 12, 31)
    without_siret = [key for key in listing.records if site(listing, key).siret is None]
    assert len(without_siret) == 46
    assert all(site(listing, key).siren for key in without_siret)
    assert sum(key.startswith("2") and key[1] in "AB" for key in listing.records) == 37


def test_the_groups_are_135_with_their_ligatures() -> None:
    listing = open_file(GROUPS)
    assert (listing.kind, len(listing.records), listing.as_of) == (Kind.GROUPS, 135, date(2023, 12, 31))
    assert listing.records["84103"] == Group("84103", "BRESSE HAUT-BUGEY", "ARA-03")
    names = {group.name for group in listing.records.values() if isinstance(group, Group)}
    assert "CŒUR GRAND EST" in names
    assert not any("\x8c" in name for name in names)


def test_an_extract_says_its_day_and_holds_sites_from_everywhere() -> None:
    listing = open_file(EXTRACT)
    assert (listing.as_of, len(listing.records), listing.refusals) == (date(2026, 5, 12), 14, [])
    assert site(listing) == Site(
        finess_et="010000024",
        finess_ej="010780054",
        name="CH DE FLEYRIAT",
        department="01",
        town="VIRIAT",
        long_name="CENTRE HOSPITALIER DE BOURG-EN-BRESSE FLEYRIAT",
        siret="26010004500012",
        siren="260100045",
        category="355",
        address="900 RTE DE PARIS 01440 VIRIAT",
        opened_on=date(1979, 2, 13),
    )
    departments = {site(listing, key).department for key in listing.records}
    assert departments == {"01", "9A", "9B", "9C", "9D", "9F", "9J"}
    assert site(listing, "980501506").name == 'LIEU DE VIE "MAVOUNA MEMA 1"'
    assert site(listing, "970300026").town == "CAYENNE"
    assert "legal_status" not in listing.says  # the survey's stays
    assert {"closed", "closed_on"} <= listing.says  # what an extract holds is open


def test_an_extract_that_a_spreadsheet_mangled_is_repaired_where_it_can_be_and_says_so() -> None:
    with pytest.raises(Invalid, match="date") as refusal:
        open_file(MANGLED)
    assert refusal.value.field == "as_of"
    listing = open_file(MANGLED, date(2016, 12, 31))
    assert (len(listing.records), listing.refusals) == (5, [])
    repairs = [(one.line, one.field, one.before, one.after) for one in listing.repairs]
    assert repairs[:3] == [
        (2, "siret", "2,601E+13", None),
        (2, "departement", "1", "01"),
        (2, "dateouv", "13/02/1979", "1979-02-13"),
    ]
    assert len(repairs) == 15


def test_feeds_hold_legal_entities_and_sites_with_the_closed_ones() -> None:
    entities, sites = open_file(ENTITIES), open_file(SITES)
    assert (entities.kind, len(entities.records), entities.refusals) == (Kind.LEGAL_ENTITIES, 3, [])
    assert entities.as_of == date(2021, 12, 14)
    closed = entities.records["010000164"]
    assert isinstance(closed, LegalEntity)
    assert (closed.name, closed.closed, closed.closed_on) == (
        "POLYCLINIQUE D'AMBERIEU",
        True,
        date(2002, 7, 10),
    )
    assert closed.category is None
    assert (sites.kind, len(sites.records), sites.refusals) == (Kind.SITES, 14, [])
    nantua = site(sites, "010000040")
    assert (nantua.name, nantua.closed, nantua.closed_on) == ("CH NANTUA", True, date(2007, 4, 20))


def test_a_feed_with_a_type_or_an_entity_is_refused() -> None:
    content = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><fluxfiness><structureej/></fluxfiness>'
    with pytest.raises(Invalid, match="entités"):
        read_table(content)


def test_a_feed_that_is_cut_short_is_told() -> None:
    table = read_table(SITES.read_bytes()[:4000])
    known = format_of(table)
    assert known is not None
    with pytest.raises(Invalid, match="mal formé"):
        read_as(known, table, date(2021, 12, 14))


def test_a_feed_of_something_else_is_told() -> None:
    with pytest.raises(Invalid, match="cs1400101"):
        read_table(b"<fluxfiness><equipement/></fluxfiness>")


def test_the_case_and_order_of_the_header_do_not_matter() -> None:
    header = ";".join(reversed(HEADER.upper().split(";")))
    assert read(";".join(reversed(ROW.split(";"))), header=header).records == read(ROW).records


def test_what_a_spreadsheet_lost_comes_back_with_its_key() -> None:
    row = ROW.replace("010000024", "10000024").replace("010780054", "10780054").replace(";01;V", ";1;V")
    listing = read(row)
    assert listing.records == read(ROW).records
    repaired = {one.field: one.after for one in listing.repairs}
    assert repaired == {"fi": "010000024", "fi_ej": "010780054", "dep": "01"}


@pytest.mark.parametrize(
    ("before", "after", "field", "said"),
    [
        ("010000024", "10000025", "fi", "9 caractères"),
        ("010000024", "1,0E+07", "fi", "tableur"),
        ("010000024", "010000025", "fi", "clé"),
        ("010780054", "", "fi_ej", "manque"),
        ("26010004500012", "26010004500013", "sir", "clé"),
        (";01;VIRIAT", ";2;VIRIAT", "dep", "02 attendu"),
        (";01;VIRIAT", ";20;VIRIAT", "dep", "2A"),
        ("CH DE FLEYRIAT", "", "rs", "texte lisible"),
        ("CH DE FLEYRIAT", "X" * 201, "rs", "200"),
        (";355;", ";35X;", "cat", "35X"),
        (";355;", ";355,0;", "cat", "355 attendu"),
        (";13;", ";1;", "stj", "01 attendu"),
        (";VIRIAT", "", "row", "8 cellules"),
        (";VIRIAT", ";VIRIAT;x", "row", "10 cellules"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_field_and_the_others_count(
    before: str, after: str, field: str, said: str
) -> None:
    listing = read(CORSICAN, ROW.replace(before, after))
    assert list(listing.records) == ["2A0000030"]
    (refusal,) = listing.refusals
    assert (refusal.line, refusal.error.field) == (3, field)
    assert said in str(refusal.error)


def test_a_rounded_siret_leaves_the_site_without_one_and_says_so() -> None:
    listing = read(ROW.replace("26010004500012", "2,601E+13"))
    assert site(listing).siret is None
    assert [(one.field, one.before, one.after) for one in listing.repairs] == [("sir", "2,601E+13", None)]


def test_a_key_that_comes_twice_counts_once_and_names_the_first_line() -> None:
    listing = read(ROW, CORSICAN, ROW.replace("FLEYRIAT", "AUTRE"))
    assert site(listing).name == "CH DE FLEYRIAT"
    (refusal,) = listing.refusals
    assert refusal.line == 4
    assert "ligne 2" in str(refusal.error)


@pytest.mark.parametrize(
    ("code", "department"), [("971", "9A"), ("974", "9D"), ("976", "9F"), ("2a", "2A"), ("9J", "9J")]
)
def test_overseas_departments_have_two_codes(code: str, department: str) -> None:
    row = ROW.replace(";01;VIRIAT", f";{code};LA-BAS")
    assert site(read(row)).department == department


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("sae", HEADER.replace(";cat", "").encode(), "il lui manque cat"),
        ("sae", b"a;b\n1;2\n", "an, fi, rs"),
        ("ght", HEADER.encode(), "code_ght"),
        ("finess", HEADER.encode(), "« finess »"),
        ("finess-xml", EXTRACT.read_bytes(), "« finess-xml »"),
        ("sae", SITES.read_bytes(), "« sae »"),
    ],
)
def test_a_file_in_another_format_is_told_with_what_is_missing(name: str, content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        known_as(name, read_table(content))


def test_members_may_give_their_days() -> None:
    content = "CODE_GHT;FINESS_EJ;ROLE;DU;AU\n84103;010780054;Support;01/07/2016;\n84103;010008407;;;\n"
    table = read_table(content.encode())
    known = format_of(table)
    assert known is not None
    listing = read_as(known, table, date(2026, 1, 1))
    assert list(listing.records.values()) == [
        Membership("84103", "010780054", "support", date(2016, 7, 1)),  # type: ignore[arg-type]
        Membership("84103", "010008407", "member"),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("etalab-cs1100502-stock-20260512-0339.csv", date(2026, 5, 12)),
        ("finess_cs1400102_stock_20211214-0336.xml", date(2021, 12, 14)),
        ("GHT_2023r.csv", date(2023, 12, 31)),
        ("liste.csv", None),
        ("etalab-stock-20269999.csv", None),
    ],
)
def test_the_name_of_a_published_file_says_its_day(name: str, day: date | None) -> None:
    assert day_of_name(name) == day
