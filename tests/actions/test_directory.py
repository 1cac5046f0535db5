"""Importing the directory, as often as one likes."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from console.actions.directory import FieldChange, compare_records, store_records
from console.domain.directory import Kind, LegalEntity, Listing, Record, Site
from console.domain.formats import known_as, read_as, read_sae, read_table
from console.store.models import directory as d
from console.store.queries.directory import search_sites
from console.store.session import Database, Operator
from tests.domain.test_formats import ENTITIES, EXTRACT, GROUPS, SITES, open_file
from tests.given import SAE

FLEYRIAT = "010000024"


@pytest.fixture(scope="module")
def sites() -> Listing:
    return read_sae(SAE.read_bytes())


def some(listing: Listing, *keys: str) -> Listing:
    return replace(listing, records={key: listing.records[key] for key in keys})


def told(record: Record, as_of: date, *says: str, source: str = "test") -> Listing:
    """A file of one record that says some of its facts."""
    kind, key = (
        (Kind.SITES, record.finess_et)
        if isinstance(record, Site)
        else (Kind.LEGAL_ENTITIES, record.finess_ej)  # type: ignore[union-attr]
    )
    return Listing(kind, source, as_of, frozenset(says), {key: record}, {key: 2}, [], [])


def take_in(database: Database, listing: Listing) -> None:
    with database.write(Operator()) as session:
        store_records(session, listing, compare_records(session, listing).to_store)


def site(database: Database, key: str = FLEYRIAT) -> d.DirectorySite:
    with database.read(Operator()) as session:
        return session.get_one(d.DirectorySite, key)


@pytest.mark.both_databases
@pytest.mark.parametrize("path", [SAE, GROUPS, EXTRACT, ENTITIES, SITES], ids=lambda path: path.name[:15])
def test_the_first_import_adds_every_record_and_the_second_changes_nothing(database: Database, path) -> None:
    listing = open_file(path)
    with database.write(Operator()) as session:
        first = compare_records(session, listing)
        store_records(session, listing, first.to_store)
    assert (len(first.new), list(first.changed), first.unchanged) == (len(listing.records), [], 0)
    with database.write(Operator()) as session:
        second = compare_records(session, listing)
        store_records(session, listing, listing.records.values())
    assert (list(second.to_store), second.unchanged) == ([], len(listing.records))
    with database.read(Operator()) as session:
        assert compare_records(session, listing).unchanged == len(listing.records)


def test_a_change_is_told_fact_by_fact_and_what_the_file_leaves_out_stays(
    database: Database, sites: Listing
) -> None:
    key, gone, same = list(sites.records)[:3]
    take_in(database, some(sites, key, gone, same))
    renamed = replace(sites.records[key], name="RENOMMÉ")  # type: ignore[type-var]
    again = replace(sites, records={key: renamed, same: sites.records[same]})
    with database.write(Operator()) as session:
        difference = compare_records(session, again)
        store_records(session, again, difference.to_store)
    (changed,) = difference.changed
    assert changed.changes == [FieldChange("name", sites.records[key].name, "RENOMMÉ")]  # type: ignore[union-attr]
    assert difference.unchanged == 1
    assert site(database, key).name == "RENOMMÉ"
    assert site(database, gone).source == "DREES, SAE"


def test_a_later_file_takes_over_what_it_says_and_leaves_the_rest(database: Database, sites: Listing) -> None:
    take_in(database, some(sites, FLEYRIAT))
    extract = open_file(EXTRACT)
    with database.write(Operator()) as session:
        difference = compare_records(session, some(extract, FLEYRIAT))
        store_records(session, extract, difference.to_store)
    (changed,) = difference.changed
    assert {change.field for change in changed.changes} == {"long_name", "opened_on"}
    row = site(database)
    assert (row.source, row.as_of, row.legal_status) == ("FINESS, cs1100502", date(2026, 5, 12), "13")


def test_an_older_file_fills_what_was_unknown_and_replaces_nothing(
    database: Database, sites: Listing
) -> None:
    extract = open_file(EXTRACT)
    take_in(database, some(extract, FLEYRIAT))
    older = some(sites, FLEYRIAT)
    older = replace(older, records={FLEYRIAT: replace(older.records[FLEYRIAT], name="ANCIEN")})  # type: ignore[type-var]
    with database.write(Operator()) as session:
        difference = compare_records(session, older)
        store_records(session, older, difference.to_store)
    (changed,) = difference.changed
    assert changed.changes == [FieldChange("legal_status", None, "13")]
    row = site(database)
    assert (row.name, row.legal_status, row.as_of) == ("CH DE FLEYRIAT", "13", date(2026, 5, 12))
    with database.read(Operator()) as session:
        assert compare_records(session, older).unchanged == 1


def test_the_order_of_two_files_does_not_matter(database: Database, sites: Listing) -> None:
    survey, extract = some(sites, FLEYRIAT), some(open_file(EXTRACT), FLEYRIAT)
    facts = []
    for order in ((survey, extract), (extract, survey)):
        for listing in order:
            take_in(database, listing)
        row = site(database)
        facts.append({column.key: getattr(row, column.key) for column in d.DirectorySite.__table__.columns})
        with database.write(Operator()) as session:
            session.delete(session.get_one(d.DirectorySite, FLEYRIAT))
    assert facts[0] == facts[1]


def test_an_empty_or_damaged_cell_never_erases_what_is_known(database: Database, sites: Listing) -> None:
    take_in(database, some(sites, FLEYRIAT))
    row = replace(sites.records[FLEYRIAT], siret=None, siren=None)  # type: ignore[type-var]
    without = told(row, date(2026, 1, 1), "finess_et", "siret", "siren")
    take_in(database, without)
    assert (site(database).siret, site(database).as_of) == ("26010004500012", date(2026, 1, 1))


def test_two_sources_of_which_one_has_no_siret_do_not_overwrite_each_other(
    database: Database, sites: Listing
) -> None:
    survey = some(sites, FLEYRIAT)
    line = next(line for line in EXTRACT.read_bytes().splitlines() if FLEYRIAT.encode() in line)
    content = EXTRACT.read_bytes().splitlines()[0] + b"\n" + line.replace(b"26010004500012", b"")
    extract = read_as(known_as("finess", read_table(content)), read_table(content))
    for listing in (survey, extract):
        take_in(database, listing)
    assert site(database).siret == "26010004500012"
    with database.read(Operator()) as session:
        for listing in (survey, extract):
            assert compare_records(session, listing).to_store == ()


def test_a_table_without_a_day_of_closing_opens_nothing_and_a_feed_does(database: Database) -> None:
    feed = open_file(SITES)
    key = next(key for key, one in feed.records.items() if isinstance(one, Site) and not one.closed)
    closed = replace(feed.records[key], closed=True, closed_on=date(2001, 1, 1))  # type: ignore[type-var]
    take_in(database, told(closed, date(2002, 1, 1), "closed", "closed_on"))
    take_in(database, told(feed.records[key], date(2003, 1, 1), "name", "closed", "closed_on"))
    assert site(database, key).closed
    take_in(database, some(feed, key))
    assert (site(database, key).closed, site(database, key).closed_on) == (False, None)


def test_a_file_that_confirms_moves_the_day_and_says_nothing_changes(
    database: Database, sites: Listing
) -> None:
    take_in(database, some(sites, FLEYRIAT))
    later = replace(some(sites, FLEYRIAT), as_of=date(2024, 12, 31))
    with database.write(Operator()) as session:
        difference = compare_records(session, later)
        store_records(session, later, difference.to_store)
    assert (list(difference.changed), len(difference.confirmed)) == ([], 1)
    assert site(database).as_of == date(2024, 12, 31)
    with database.read(Operator()) as session:
        assert compare_records(session, later).to_store == ()


def test_a_site_that_an_extract_holds_is_open_again(database: Database) -> None:
    extract = open_file(EXTRACT)
    closed = replace(extract.records[FLEYRIAT], closed=True, closed_on=date(2020, 1, 1))  # type: ignore[type-var]
    take_in(database, told(closed, date(2021, 1, 1), "closed", "closed_on"))
    assert site(database).closed
    take_in(database, some(extract, FLEYRIAT))
    assert (site(database).closed, site(database).closed_on) == (False, None)


@pytest.mark.both_databases
@pytest.mark.parametrize("words", ["Saint-Étienne", "ste anne", "épernay", "océane"])
def test_a_site_is_found_however_its_name_is_written(database: Database, sites: Listing, words: str) -> None:
    key = FLEYRIAT
    names = {"ste anne": "HOPITAL SAINTE-ANNE", "océane": "RESIDENCE OCEANE"}
    towns = {"Saint-Étienne": "ST ETIENNE", "épernay": "EPERNAY"}
    take_in(database, some(sites, key))
    site = replace(  # type: ignore[type-var]
        sites.records[key], name=names.get(words, "EHPAD"), town=towns.get(words, "VIRIAT")
    )
    take_in(database, replace(sites, records={key: site}))
    with database.read(Operator()) as session:
        assert [found.finess_et for found in search_sites(session, words).rows] == [key]
        assert search_sites(session, "fleyriat").total == 0


@pytest.mark.both_databases
def test_an_entity_keeps_what_the_feed_says(database: Database) -> None:
    take_in(database, open_file(ENTITIES))
    with database.read(Operator()) as session:
        entity = session.get_one(d.LegalEntity, "010008407")
        assert session.scalar(select(func.count()).select_from(d.LegalEntity)) == 3
    assert (entity.name, entity.siren, entity.legal_status, entity.closed) == (
        "CH DU HAUT BUGEY",
        "260110218",
        "14",
        False,
    )
    assert isinstance(open_file(ENTITIES).records["010008407"], LegalEntity)
