"""Files for the directory, in the browser: sent, mapped, previewed, stored."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from console.actions.waiting_files import begin_storing
from console.domain.access import Role
from console.store.models import directory as d
from console.store.models.audit import AuditEntry, AuditPayload
from console.store.session import Database, Operator
from tests import given
from tests.browser import SECRET, Browser
from tests.domain.test_formats import ENTITIES, EXTRACT, GROUPS, MANGLED
from tests.given import SAE

SignIn = Callable[..., Browser]
COLUMNS = {
    "kind": "sites",
    "finess_et": "Numéro",
    "finess_ej": "Entité",
    "name": "Nom",
    "department": "Dépt",
    "town": "Commune",
    "as_of": "2026-01-01",
}
TABLE = "Numéro;Entité;Nom;Dépt;Commune\n010000024;010780054;CH;01;VIRIAT\n"


def form(browser: Browser, content: bytes, name: str, **fields: str) -> dict[str, Any]:
    """A form with a file, as the bytes that a browser sends."""
    secret = SECRET.search(browser.get("/nowhere").text)
    assert secret is not None
    start = "--x\r\nContent-Disposition: form-data; name="
    texts = {"csrf_token": secret[1], **fields}
    parts = [f'{start}"{field}"\r\n\r\n{text}\r\n'.encode() for field, text in texts.items()]
    parts += [f'{start}"file"; filename="{name}"\r\n\r\n'.encode(), content, b"\r\n--x--\r\n"]
    return {"data": b"".join(parts), "content_type": "multipart/form-data; boundary=x"}


def send(browser: Browser, content: Path | str | bytes, name: str = "table.csv", **fields: str):
    if isinstance(content, Path):
        content, name = content.read_bytes(), content.name
    body = content.encode() if isinstance(content, str) else content
    return browser.post("/directory/imports", **form(browser, body, name, **fields))


def rows(database: Database, model: type = d.DirectorySite) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def figures(page: str) -> dict[str, int]:
    """The counts at the top of a preview."""
    found = re.findall(r"<dt>([^<]+)</dt><dd>([\d\s\N{NARROW NO-BREAK SPACE}]+)", page)
    return {name: int(re.sub(r"\D", "", value)) for name, value in found}


@pytest.fixture
def admin(sign_in_as: SignIn) -> Browser:
    return sign_in_as(Role.ADMINISTRATOR)


def test_a_file_is_previewed_then_stored_and_the_second_time_changes_nothing(
    database: Database, admin: Browser
) -> None:
    sent = send(admin, SAE)
    assert sent.status_code == 303
    page = admin.get(sent.location).text
    assert (figures(page)["Nouveaux"], figures(page)["Refusés"], rows(database)) == (3975, 0, 0)
    assert "Les 100 premiers sur 3\N{NARROW NO-BREAK SPACE}975" in page
    assert admin.submit(f"{sent.location}/store").status_code == 303
    assert rows(database) == 3975
    assert "Ce fichier a été importé" in admin.get(sent.location).text
    again = send(admin, SAE)
    page = admin.get(again.location).text
    assert (figures(page)["Nouveaux"], figures(page)["Inchangés"]) == (0, 3975)
    assert "Ce fichier ne change rien" in page
    assert f"{again.location}/store" not in page


def test_storing_is_written_down_and_forgets_the_file(database: Database, admin: Browser) -> None:
    sent = send(admin, GROUPS)
    admin.submit(f"{sent.location}/store")
    assert admin.submit(f"{sent.location}/store").status_code == 409
    with database.read(Operator()) as session:
        row = session.scalars(select(d.DirectoryImport)).one()
        told = session.scalars(select(AuditPayload.payload)).all()
    assert (row.content, row.state.value, row.counts["new"]) == (None, "stored", 135)
    assert any(payload and '"rows_new":135' in payload and '"new"' not in payload for payload in told)


def test_an_import_is_stored_once_however_often_one_asks_for_it(database: Database, admin: Browser) -> None:
    sent = send(admin, GROUPS)
    with database.write(Operator()) as session:
        begin_storing(session, int(sent.location.rsplit("/", 1)[1]), now=datetime.now(UTC))
    page = admin.get(sent.location).text
    assert "est en cours" in page
    assert f"{sent.location}/store" not in page
    assert admin.submit(f"{sent.location}/store").status_code == 409
    with database.read(Operator()) as session:
        kinds = list(session.scalars(select(AuditEntry.kind)))
    assert (rows(database, d.Ght), kinds.count("directory.imported")) == (0, 0)


def test_an_import_that_stopped_half_way_is_resumed(database: Database, admin: Browser) -> None:
    sent = send(admin, GROUPS)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with database.write(Operator()) as session:
        begin_storing(session, int(sent.location.rsplit("/", 1)[1]), now=long_ago)
    assert "interrompu" in admin.get(sent.location).text
    assert admin.submit(f"{sent.location}/store").status_code == 303
    assert rows(database, d.Ght) == 135


def test_a_change_is_shown_field_by_field(database: Database, admin: Browser) -> None:
    with database.write(Operator()) as session:
        given.the_directory(session)
    page = admin.get(send(admin, EXTRACT).location).text
    assert figures(page)["Modifiés"] >= 1
    assert "CENTRE HOSPITALIER DE BOURG-EN-BRESSE FLEYRIAT" in page
    assert "Nom long" in page


def test_what_a_spreadsheet_damaged_is_shown_with_what_became_of_it(
    database: Database, admin: Browser
) -> None:
    asked = send(admin, MANGLED)
    assert asked.status_code == 422
    assert "donnez sa date" in asked.text
    sent = send(admin, MANGLED, as_of="2016-12-31")
    page = admin.get(sent.location).text
    assert (figures(page)["Réparés"], figures(page)["Illisibles"]) == (10, 5)
    assert "2,601E+13" in page
    assert "1979-02-13" in page


def test_every_line_of_a_part_is_a_file(database: Database, admin: Browser) -> None:
    sent = send(admin, SAE)
    answer = admin.get(f"{sent.location}/new.csv")
    assert answer.mimetype == "text/csv"
    assert len(answer.get_data(as_text=True).splitlines()) == 3976
    assert admin.get(f"{sent.location}/other.csv").status_code == 404


def test_refused_rows_say_line_field_and_reason_in_the_language_of_the_reader(
    database: Database, sign_in_as: SignIn
) -> None:
    content = (
        "an;fi;rs;fi_ej;stj;cat;sir;dep;libcom\n2023;010000025;CH;010780054;13;355;260100045;01;VIRIAT\n"
    )
    browser = sign_in_as(Role.ADMINISTRATOR, locale="en")
    page = browser.get(send(browser, content).location).text
    assert "010000025 is not a FINESS number: its key is wrong." in page
    assert "<code>fi</code>" in page


def test_any_table_asks_for_its_columns_once(database: Database, admin: Browser) -> None:
    sent = send(admin, TABLE)
    asked = admin.get(sent.location)
    assert asked.status_code == 303
    form = admin.get(asked.location).text
    assert "Colonnes de table.csv" in form
    assert "VIRIAT" in form  # the first rows help to tell the columns
    chosen = admin.submit(asked.location, **COLUMNS)
    assert chosen.status_code == 303
    assert figures(admin.get(sent.location).text)["Nouveaux"] == 1
    assert admin.submit(f"{sent.location}/store").status_code == 303
    assert rows(database) == 1
    again = send(admin, TABLE.replace("CH", "CHU"), as_of="2026-02-01")
    page = admin.get(again.location)
    assert page.status_code == 200
    assert figures(page.text)["Modifiés"] == 1
    with database.read(Operator()) as session:
        mapping = session.scalars(select(d.ColumnMapping)).one()
    assert mapping.made_by.startswith("administrator")


def test_a_workbook_is_a_table_too(database: Database, admin: Browser) -> None:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for line in TABLE.splitlines():
        book.active.append(line.split(";"))
    book.active["A2"] = 10000024  # the spreadsheet's own idea of a FINESS number
    book.save(file)
    sent = send(admin, file.getvalue(), "table.xlsx")
    admin.submit(f"{sent.location}/columns", **COLUMNS)
    page = admin.get(sent.location).text
    assert (figures(page)["Nouveaux"], figures(page)["Réparés"]) == (1, 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"town": ""}, "Il faut dire quelle colonne"),
        ({"town": "Autre"}, "Un choix de la liste"),
        ({"as_of": ""}, "donnez sa date"),
        ({"as_of": "2199-12-31"}, "à venir"),
        ({"as_of": "hier"}, "n&#39;est pas une date"),
    ],
)
def test_a_wrong_choice_of_columns_is_told_at_its_field(
    database: Database, admin: Browser, changed: dict[str, str], said: str
) -> None:
    sent = send(admin, TABLE)
    answer = admin.submit(f"{sent.location}/columns", **{**COLUMNS, **changed})
    assert answer.status_code == 422
    assert said in answer.text
    assert rows(database, d.ColumnMapping) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"<!doctype html><p>404", "page web"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_a_file_that_is_no_table_is_told_at_its_field_and_not_kept(
    database: Database, admin: Browser, content: bytes, said: str
) -> None:
    answer = send(admin, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="file-error"' in answer.text
    assert rows(database, d.DirectoryImport) == 0


def test_a_file_with_a_cell_too_long_is_refused_when_it_is_sent_with_its_line(
    database: Database, admin: Browser
) -> None:
    answer = send(admin, TABLE + "010000032;010780054;" + "x" * 140_000 + ";01;VIRIAT\n")
    assert answer.status_code == 422
    assert re.search(r"Ligne 3\W+une cellule y passe", answer.text)
    assert rows(database, d.DirectoryImport) == 0


def test_a_file_that_waits_may_be_abandoned_from_the_list(database: Database, admin: Browser) -> None:
    sent = send(admin, TABLE)
    assert f'action="{sent.location}/abandon"' in admin.get("/directory").text
    admin.submit(f"{sent.location}/abandon")
    assert f'action="{sent.location}/abandon"' not in admin.get("/directory").text


def test_no_file_is_told(admin: Browser) -> None:
    assert "Un fichier est attendu" in admin.submit("/directory/imports").text


def test_an_import_may_be_abandoned(database: Database, admin: Browser) -> None:
    sent = send(admin, GROUPS)
    assert admin.submit(f"{sent.location}/abandon").status_code == 303
    assert "abandonné" in admin.get(sent.location).text
    assert admin.submit(f"{sent.location}/store").status_code == 409
    assert rows(database, d.Ght) == 0


def test_a_large_file_passes_here_and_nowhere_else(
    app: Flask, database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
    headings, megabyte = b"code_ght;nom_court_ght;nom_complet_ght\n", b"\n" * 1024 * 1024
    two_megabytes = headings + 2 * megabyte + b"1;A-1;A\n"
    admin, address = sign_in_as(Role.ADMINISTRATOR), "/directory/imports"
    assert admin.post(address, **form(admin, two_megabytes, "GHT_2023r.csv")).status_code == 303
    assert admin.post(address, **form(admin, headings + 32 * megabyte, "GHT_2023r.csv")).status_code == 413
    assert admin.post("/adherents", **form(admin, two_megabytes, "GHT_2023r.csv")).status_code == 413
    manager, nobody = sign_in_as(Role.ACCOUNT_MANAGER, 11), app.test_client()
    assert manager.post(address, **form(manager, two_megabytes, "GHT_2023r.csv")).status_code == 413
    assert nobody.post(address, **form(nobody, two_megabytes, "GHT_2023r.csv")).status_code == 413
    assert rows(database, d.DirectoryImport) == 1


def test_members_of_a_complete_file_end_the_others_when_it_is_stored(
    database: Database, admin: Browser
) -> None:
    with database.write(Operator()) as session:
        given.a_group(session, "84103", "010780054", "010008407")
    content = "CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n"
    sent = send(admin, content, "members.csv", as_of="2026-06-01", complete="1")
    page = admin.get(sent.location).text
    assert figures(page)["Absents du fichier"] == 1
    assert "010008407" in page
    admin.submit(f"{sent.location}/store")
    with database.read(Operator()) as session:
        ended = session.scalars(select(d.GhtMembership.valid_to).where(d.GhtMembership.valid_to.is_not(None)))
        assert [str(day) for day in ended] == ["2026-06-01"]


def test_a_complete_file_with_a_refused_row_says_that_it_ends_nothing(
    database: Database, admin: Browser
) -> None:
    with database.write(Operator()) as session:
        given.a_group(session, "84103", "010780054", "010008407")
    content = "CODE_GHT;FINESS_EJ;ROLE\n84103;010780054;support\n84103;010008406;membre\n"
    sent = send(admin, content, "members.csv", as_of="2026-06-01", complete="1")
    page = admin.get(sent.location).text
    assert figures(page)["Refusés"] == 1
    assert "aucune appartenance ne finira" in page
    admin.submit(f"{sent.location}/store")
    with database.read(Operator()) as session:
        assert not session.scalar(select(func.count(d.GhtMembership.valid_to)))


def test_a_legal_entity_has_a_page_with_its_sites(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
    admin = sign_in_as(Role.ADMINISTRATOR)
    for path in (SAE, ENTITIES):
        admin.submit(f"{send(admin, path).location}/store")
    page = sign_in_as(Role.ACCOUNT_MANAGER, 11).get("/directory/entities/010008407").text
    assert "CENTRE HOSPITALIER DU HAUT BUGEY" in page
    assert "public" in page
    assert "CH DU HAUT BUGEY - GEOVREISSET" in page  # one of its sites, by the survey
    of_sites_only = admin.get("/directory/entities/010780054").text
    assert "le nom est celui d'un de ses sites" in of_sites_only
    assert admin.get("/directory/entities/999999999").status_code == 404


@pytest.mark.parametrize("role", [Role.ACCOUNT_MANAGER, Role.OPS, Role.CIO, Role.AUDITOR])
def test_only_an_administrator_imports(database: Database, sign_in_as: SignIn, role: Role) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
    sent = send(sign_in_as(Role.ADMINISTRATOR), GROUPS)
    browser = sign_in_as(role, 11)
    assert browser.get("/directory").status_code == 403
    assert browser.get(sent.location).status_code == 403
    assert send(browser, GROUPS).status_code == 403
    for deed in ("store", "abandon", "columns"):
        assert browser.submit(f"{sent.location}/{deed}").status_code == 403
    assert rows(database, d.Ght) == 0
