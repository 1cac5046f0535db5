"""The inventory on its pages: read by who sees the fleet, written by who manages carbon."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy import select

from console.actions.equipment import record_thing
from console.domain.access import Role
from console.domain.equipment import EquipmentKind, Thing
from console.store.models import equipment as q
from console.store.queries.equipment import Bought, Pieces, aging
from console.store.session import Database, Operator
from tests.actions.test_equipment_files import G4IT
from tests.browser import Browser
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]


def imported(browser: Browser) -> str:
    """The inventory of G4IT, looked at and stored; the page of the preview."""
    preview = browser.submit(
        "/carbon/equipment/import/preview",
        file=(io.BytesIO(G4IT.encode()), "physique.csv"),
        planned_months="60",
    )
    assert preview.status_code == 200, preview.text
    number = re.search(r'name="file" value="(\d+)"', preview.text)
    assert number is not None
    stored = browser.submit(
        "/carbon/equipment/import", file=number[1], name="physique.csv", planned_months="60"
    )
    assert stored.status_code in (302, 303)
    return text_of(preview.text)


def words_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def number_of(database: Database, name: str) -> int:
    with database.read(Operator()) as session:
        return session.scalars(select(q.Equipment.equipment_id).where(q.Equipment.name == name)).one()


def test_an_inventory_is_looked_at_then_stored_and_listed(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)

    shown = imported(browser)

    assert "Enregistrer 3 équipements" in shown
    assert "nulle-part" in shown
    page = text_of(browser.get("/carbon/equipment").text)
    assert "3 équipements" in page
    assert "à confirmer" in page
    assert "S2" not in text_of(browser.get("/carbon/equipment?standing=used").text)


def test_what_a_file_changes_is_told_in_words(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)
    changed = "nom;type;hôte;occasion;date de retrait;disques\nS1;Serveur;srv-01;oui;2026-02-01;2 x SSD 480\n"
    page = text_of(
        browser.submit(
            "/carbon/equipment/import/preview", file=(io.BytesIO(changed.encode()), "table.csv")
        ).text
    )
    for words in ("hôte : inconnu → srv-01", "occasion : non → oui", "disques : — → 2 × SSD 480"):
        assert words in page, page
    assert "→ 1er février 2026" in page
    assert "host_name" not in page


def test_a_match_is_confirmed_a_life_extended_and_ended(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)
    address = f"/carbon/equipment/{number_of(database, 'S1')}"
    assert "confiance 100" in text_of(browser.get(address).text)

    browser.submit(f"{address}/impacts/1/confirm")
    assert "Ce qui est compté chaque année" in text_of(browser.get(address).text)
    refused = browser.submit(f"{address}/extend", planned_months="48")
    assert refused.status_code == 422
    browser.submit(f"{address}/extend", planned_months="84")
    browser.submit(f"{address}/retire", retired_on="2026-10-01", end_of_life="donation")

    shown = text_of(browser.get(address).text)
    assert "84 mois" in shown
    assert "don" in shown


def test_what_grows_old_is_on_one_page(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)

    page = text_of(browser.get("/carbon/equipment/obsolescence").text)

    assert "Gardés au-delà de la durée prévue" in page
    assert "B1" in page
    assert "pas atteint" in page


def test_a_file_that_is_none_says_so_on_its_form(sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)

    answer = browser.submit(
        "/carbon/equipment/import/preview", file=(io.BytesIO(b"a;b\n1;2\n"), "x.csv"), planned_months=""
    )

    assert answer.status_code == 422
    assert "Il faut dire quelle colonne le donne." in answer.text


def test_of_purchases_the_rule_counts_servers_and_the_rest_of_it_is_told_beside(database: Database) -> None:
    now, day = datetime(2026, 11, 1, tzinfo=UTC), date(2026, 1, 5)
    with database.write(Operator()) as session:
        for name, kind, second_hand in (
            ("srv", EquipmentKind.SERVER, True),
            ("srv-2", EquipmentKind.SERVER, False),
            ("switch", EquipmentKind.NETWORK, False),
            ("bay", EquipmentKind.STORAGE, True),
            ("ups", EquipmentKind.UPS, False),
            ("hall", EquipmentKind.BUILDING, False),
        ):
            told = Thing(name, kind, purchased_on=day, is_second_hand=second_hand)
            record_thing(session, told, now=now, by="test")
        assert aging(session, date(2026, 11, 1)).bought == [Bought(2026, Pieces(2, 1), Pieces(2, 1))]


def test_ages_are_drawn_by_kind_with_their_values_and_each_year_has_its_mark(
    database: Database, sign_in_as: SignIn
) -> None:
    now = datetime.now(UTC)
    with database.write(Operator()) as session:
        for name, kind, day, second_hand in (
            ("old", EquipmentKind.SERVER, date(2009, 1, 5), False),
            ("ups", EquipmentKind.UPS, date(2020, 1, 5), False),
            ("srv", EquipmentKind.SERVER, date(2022, 1, 5), True),
        ):
            told = Thing(name, kind, purchased_on=day, commissioned_on=day, is_second_hand=second_hand)
            record_thing(session, told, now=now, by="test")

    answer = sign_in_as(Role.ADMINISTRATOR).get("/carbon/equipment/obsolescence").text

    assert '<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img"' in answer
    page = words_of(answer)
    assert "Les valeurs du graphique" in page
    assert "Âge (ans) serveur onduleur" in page
    assert "10+ 1 0" in page
    assert "2022 1 1 100 % 20,0 % atteint 0 0" in page
    assert "2009 1 0 0 % 0 0" in page  # before there was any rule
