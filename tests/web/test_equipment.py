"""The inventory on its pages: read by who sees the fleet, written by who manages carbon."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from console.actions.equipment import record_thing
from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.equipment import EndOfLife, EquipmentKind, Thing
from console.store.models import equipment as q
from console.store.queries.audit import history
from console.store.queries.equipment_age import Bought, Pieces, aging
from console.store.session import Database, Operator
from tests.actions.test_equipment_files import G4IT
from tests.browser import Browser, fields_of
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]


def imported(browser: Browser) -> str:
    """The inventory of G4IT, looked at and stored; the page of the preview."""
    preview = browser.submit(
        "/carbon/equipment/import/columns",
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
    page = words_of(
        browser.submit(
            "/carbon/equipment/import/columns", file=(io.BytesIO(changed.encode()), "table.csv")
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
        "/carbon/equipment/import/columns", file=(io.BytesIO(b"a;b\n1;2\n"), "x.csv"), planned_months=""
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


SERVER = {
    "name": "S9",
    "kind": "server",
    "site": "tls",
    "manufacturer": "Dell",
    "model": "PowerEdge R740",
    "quantity": "1",
    "cpu_model": "Intel Xeon Gold 6230",
    "cpus": "2",
    "cores": "40",
    "ram_gb": "384",
    "disks": "2 × SSD 480 + 4 × HDD 8000",
    "purchased_on": "2022-03-14",
    "commissioned_on": "2022-04-01",
    "planned_months": "60",
}


def test_a_thing_is_added_by_a_form_and_its_model_looked_up(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)

    assert browser.submit("/carbon/equipment/new", **SERVER).status_code in (302, 303)

    address = f"/carbon/equipment/{number_of(database, 'S9')}"
    page = words_of(browser.get(address).text)
    assert "2 × SSD 480 + 4 × HDD 8000" in page
    assert "confiance 100" in page
    again = browser.submit("/carbon/equipment/new", **SERVER)
    assert again.status_code == 422
    assert "Un autre équipement de l'inventaire porte ce nom." in words_of(again.text)


def test_what_is_corrected_is_in_the_log_and_what_is_emptied_is_no_longer_known(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit("/carbon/equipment/new", **SERVER)
    number = number_of(database, "S9")
    form = f"/carbon/equipment/{number}/edit"

    told = browser.filled_in(form, form)
    assert {name: value for name, [value] in told.items() if value} == SERVER
    saved = browser.submit(
        form, **told | {"name": "S-09", "cpus": "", "retired_on": "2025-02-03", "end_of_life": "weee"}
    )

    assert saved.status_code in (302, 303)
    with database.read(Operator()) as session:
        row = session.scalars(select(q.Equipment)).one()
        assert (row.name, row.cpus, row.cores) == ("S-09", None, 40)
        assert (row.retired_on, row.end_of_life) == (date(2025, 2, 3), EndOfLife.WEEE)
        logged = history(session, OPERATOR_TENANT, f"equipment/{number}")
        assert ("S9", "S-09") in [(one.old.get("name"), one.new.get("name")) for one in logged]
    assert "Aucun équipement" in words_of(browser.get("/carbon/equipment?standing=used").text)

    browser.submit(form, **told | {"retired_on": "", "end_of_life": ""})  # it was another one
    with database.read(Operator()) as session:
        row = session.scalars(select(q.Equipment)).one()
        assert (row.retired_on, row.end_of_life) == (None, None)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Un texte lisible de 1 à 200 caractères est attendu."),
        ({"kind": ""}, "Un choix de la liste est attendu."),
        ({"site": "nulle-part"}, "« nulle-part » n'est pas l'un de"),
        ({"host_name": "h" * 65}, "Un texte lisible de 1 à 64 caractères est attendu."),
        ({"host_name": "srv-01", "quantity": "2"}, "Un hôte est un seul équipement."),
        ({"quantity": "0"}, "Un nombre positif est attendu."),
        ({"cpus": "deux"}, "« deux » n'est pas un nombre entier positif."),
        ({"cpus": "40000"}, "Un nombre jusqu'à 1000 est attendu."),
        ({"disks": "deux disques"}, "« deux disques » ne dit pas des disques"),
        ({"purchased_on": "hier"}, "« hier » n'est pas une date"),
        ({"commissioned_on": "2022-01-01"}, "La mise en service ne peut pas précéder l'achat."),
        ({"planned_months": "1201"}, "De 1 à 1200 mois sont attendus."),
        ({"retired_on": "2021-01-01"}, "Le retrait ne peut pas précéder la mise en service."),
        ({"end_of_life": "weee"}, "Le jour du retrait est attendu avec sa destination."),
    ],
)
def test_what_a_form_tells_wrong_is_said_at_its_field(
    database: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit("/carbon/equipment/new", **SERVER | typed)

    assert answer.status_code == 422
    [(field, text)] = re.findall(r'<p class="error" id="(\w+)-error">(.*?)</p>', answer.text)
    assert words_of(text).startswith(said)
    assert field in {*typed, "retired_on"}
    with database.read(Operator()) as session:
        assert session.scalars(select(q.Equipment)).all() == []


def test_all_that_cannot_be_read_of_a_form_is_said_at_once(sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit(
        "/carbon/equipment/new", **SERVER | {"name": "", "cores": "x", "disks": "y"}
    )

    assert re.findall(r'id="(\w+)-error"', answer.text) == ["name", "cores", "disks"]


def test_a_life_that_was_extended_is_not_corrected_past_its_extension(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit("/carbon/equipment/new", **SERVER)
    address = f"/carbon/equipment/{number_of(database, 'S9')}"
    browser.submit(f"{address}/extend", planned_months="84")

    for typed, said in (
        ({"planned_months": "90"}, "Cette vie a été prolongée à 84 mois : moins de mois sont attendus."),
        (
            {"purchased_on": "", "commissioned_on": ""},
            "La mise en service précède la prolongation décidée.",
        ),
    ):
        answer = browser.submit(f"{address}/edit", **SERVER | typed)
        assert (answer.status_code, said in words_of(answer.text)) == (422, True)
    assert browser.submit(f"{address}/edit", **SERVER | {"planned_months": "72"}).status_code in (302, 303)


def test_only_those_who_manage_carbon_add_or_correct_a_thing(database: Database, sign_in_as: SignIn) -> None:
    sign_in_as(Role.ADMINISTRATOR).submit("/carbon/equipment/new", **SERVER)
    reader = sign_in_as(Role.AUDITOR)
    address = f"/carbon/equipment/{number_of(database, 'S9')}"

    assert reader.get(address).status_code == 200
    assert "Modifier" not in reader.get(address).text
    for page in ("/carbon/equipment/new", f"{address}/edit"):
        assert reader.get(page).status_code == 403
        assert reader.submit(page, **SERVER).status_code == 403


FOREIGN = "Asset;What;Purchase;Weight\nS1;Serveur;2022-03-14;20\nS2;Serveur;2023-03-14;21\n"


def sent_foreign(browser: Browser, content: str = FOREIGN) -> TestResponse:
    return browser.submit(
        "/carbon/equipment/import/columns",
        file=(io.BytesIO(content.encode()), "parc.csv"),
        planned_months="60",
    )


def test_headings_that_nobody_knows_are_mapped_on_the_page_and_nothing_is_stored_before(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)

    asked = sent_foreign(browser)
    assert asked.status_code == 422
    assert "nom : Il faut dire quelle colonne le donne." in words_of(asked.text)
    assert "S1, S2" in words_of(asked.text)  # what the column holds
    told = fields_of(asked.text, "/carbon/equipment/import/preview")
    assert told["planned_months"] == ["60"]
    mapped = told | {"fact-0": "name", "fact-1": "kind", "fact-2": "purchased_on"}

    shown = browser.submit("/carbon/equipment/import/preview", **mapped)
    assert (shown.status_code, "Enregistrer 2 équipements" in words_of(shown.text)) == (200, True)
    assert "Colonnes ignorées : Weight." in words_of(shown.text)
    with database.read(Operator()) as session:
        assert session.scalars(select(q.Equipment)).all() == []

    browser.submit("/carbon/equipment/import", **fields_of(shown.text, "/carbon/equipment/import"))
    with database.read(Operator()) as session:
        rows = session.scalars(select(q.Equipment).order_by(q.Equipment.name)).all()
        assert [(row.name, row.purchased_on, row.planned_months) for row in rows] == [
            ("S1", date(2022, 3, 14), 60),
            ("S2", date(2023, 3, 14), 60),
        ]


def test_headings_that_are_understood_can_be_told_otherwise(sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    shown = sent_foreign(browser, "nom;type;hôte\nS1;Serveur;srv-01\n")
    told = fields_of(shown.text, "/carbon/equipment/import/preview")
    assert [told[f"fact-{place}"] for place in range(3)] == [["name"], ["kind"], ["host_name"]]

    again = browser.submit("/carbon/equipment/import/preview", **told | {"fact-0": "", "fact-2": "name"})

    assert again.status_code == 200
    assert "srv-01" in words_of(again.text)
    assert "Colonnes ignorées : nom." in words_of(again.text)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"fact-2": "name"}, "nom : Deux colonnes le donneraient : nom et hôte."),
        ({"fact-1": ""}, "nature : Il faut dire quelle colonne le donne."),
        ({"planned_months": "x"}, "Un nombre entier est attendu."),
    ],
)
def test_a_choice_of_columns_that_cannot_be_is_said_with_the_choice_still_there(
    sign_in_as: SignIn, chosen: dict[str, str], said: str
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    shown = sent_foreign(browser, "nom;type;hôte\nS1;Serveur;srv-01\n")
    told = fields_of(shown.text, "/carbon/equipment/import/preview") | chosen

    answer = browser.submit("/carbon/equipment/import/preview", **told)

    assert answer.status_code == 422
    assert said in words_of(answer.text)
    assert fields_of(answer.text, "/carbon/equipment/import/preview")["fact-0"] == ["name"]


def test_a_file_that_waits_is_its_senders_alone(sign_in_as: SignIn) -> None:
    told = fields_of(sent_foreign(sign_in_as(Role.ADMINISTRATOR)).text, "/carbon/equipment/import/preview")
    other = sign_in_as(Role.ADMINISTRATOR)
    assert other.submit("/carbon/equipment/import/preview", **told).status_code == 404
    assert other.submit("/carbon/equipment/import", **told).status_code == 404


def standing(database: Database) -> dict[str, tuple[bool, bool]]:
    """By name of thing, whether its impact is confirmed, and whether it is refused."""
    with database.read(Operator()) as session:
        found = session.execute(
            select(q.Equipment.name, q.EmbodiedImpact.confirmed, q.EmbodiedImpact.refused_at).join(
                q.EmbodiedImpact, q.EmbodiedImpact.equipment_id == q.Equipment.equipment_id
            )
        )
        return {name: (confirmed, refused_at is not None) for name, confirmed, refused_at in found}


def test_matches_wait_on_one_page_and_are_confirmed_or_refused_several_at_once(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)
    for name in ("S7", "S8"):
        browser.submit("/carbon/equipment/new", **SERVER | {"name": name})
    key = {name: f"{number_of(database, name)}:1" for name in ("S1", "S2", "S7", "S8")}
    page = words_of(browser.get("/carbon/equipment/proposals").text)
    assert "4 empreintes à confirmer, pour une pièce" in page
    assert "S7 serveur, Dell, PowerEdge R740 100 % 1,36 t CO₂e" in page
    assert "Boavizta : Dell PowerEdge R740" in page
    assert "4 empreintes à confirmer" in words_of(browser.get("/carbon/equipment").text)

    browser.submit("/carbon/equipment/proposals", chosen=[key["S1"], key["S7"]], decision="confirm")
    browser.submit("/carbon/equipment/proposals", chosen=[key["S2"], key["S8"]], decision="refuse")

    assert standing(database) == {
        "S1": (True, False), "S7": (True, False), "S2": (False, True), "S8": (False, True),
    }  # fmt: skip
    assert "Aucune empreinte n'attend" in words_of(browser.get("/carbon/equipment/proposals").text)
    assert (
        "à confirmer"
        not in words_of(browser.get("/carbon/equipment?standing=waits").text).split("Filtrer")[1]
    )
    assert "refusée" in words_of(browser.get(f"/carbon/equipment/{number_of(database, 'S2')}").text)


def test_who_decided_first_holds_and_a_ticked_list_is_decided_whole_or_not(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)
    one, other = (f"{number_of(database, name)}:1" for name in ("S1", "S2"))
    browser.submit("/carbon/equipment/proposals", chosen=[other], decision="refuse")

    for chosen, decision in (([one, other], "confirm"), ([one, "999:1"], "refuse")):
        answer = browser.submit("/carbon/equipment/proposals", chosen=chosen, decision=decision)
        assert answer.status_code in (404, 409)
        assert standing(database) == {"S1": (False, False), "S2": (False, True)}
    browser.submit("/carbon/equipment/proposals", chosen=[one], decision="confirm")
    assert browser.submit("/carbon/equipment/proposals", chosen=[one], decision="refuse").status_code == 409


@pytest.mark.parametrize(
    ("chosen", "decision", "said"),
    [
        ([], "confirm", "Cochez au moins une empreinte."),
        (["1"], "confirm", "Un choix de la liste est attendu."),
        (["1:1"], "later", "Un choix de la liste est attendu."),
    ],
)
def test_a_decision_on_nothing_is_said_to_be_none(
    sign_in_as: SignIn, chosen: list[str], decision: str, said: str
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    imported(browser)

    answer = browser.submit("/carbon/equipment/proposals", chosen=chosen, decision=decision)

    assert (answer.status_code, said in words_of(answer.text)) == (422, True)


def test_who_reads_the_fleet_sees_what_waits_and_decides_nothing(
    database: Database, sign_in_as: SignIn
) -> None:
    imported(sign_in_as(Role.ADMINISTRATOR))
    reader = sign_in_as(Role.AUDITOR)

    page = reader.get("/carbon/equipment/proposals")

    assert "2 empreintes à confirmer" in words_of(page.text)
    assert 'type="checkbox"' not in page.text
    key = f"{number_of(database, 'S1')}:1"
    assert reader.submit("/carbon/equipment/proposals", chosen=[key], decision="confirm").status_code == 403
