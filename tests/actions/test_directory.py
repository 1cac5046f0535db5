"""Importing the directory, as often as one likes."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from console.actions.directory import compare_sites, store_sites
from console.domain.directory import Site, read_sae
from console.store.models import catalogue as c
from console.store.session import Database, Operator
from tests.given import SAE


@pytest.fixture(scope="module")
def sites() -> dict[str, Site]:
    return dict(read_sae(SAE.read_bytes()).sites)


@pytest.mark.both_databases
def test_the_first_import_adds_every_site_and_the_second_nothing(
    database: Database, sites: dict[str, Site]
) -> None:
    with database.write(Operator()) as session:
        first = compare_sites(session, sites)
        store_sites(session, first.to_store)
    assert (len(first.new), len(first.changed), first.unchanged) == (3975, 0, 0)
    with database.read(Operator()) as session:
        second = compare_sites(session, sites)
        assert session.scalar(select(func.count()).select_from(c.DirectorySite)) == 3975
    assert (list(second.to_store), second.unchanged) == ([], 3975)


def test_a_site_that_changed_is_brought_up_to_date_and_one_that_is_left_out_stays(
    database: Database, sites: dict[str, Site]
) -> None:
    some = dict(list(sites.items())[:3])
    with database.write(Operator()) as session:
        store_sites(session, some.values())
    key, gone, _same = some
    changed = {k: replace(v, name="RENOMMÉ") if k == key else v for k, v in some.items() if k != gone}
    with database.write(Operator()) as session:
        difference = compare_sites(session, changed)
        store_sites(session, difference.to_store)
    assert [site.finess_et for site in difference.changed] == [key]
    assert difference.unchanged == 1
    with database.read(Operator()) as session:
        assert session.get_one(c.DirectorySite, key).name == "RENOMMÉ"
        assert session.get(c.DirectorySite, gone) is not None
