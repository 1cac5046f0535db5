"""Certificates as people upload, read, download and withdraw them."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from console.domain.access import Role
from console.domain.certificates import LARGEST_FILE
from console.store.queries.certificates import certificates
from console.store.session import Database, Operator
from tests import given
from tests.browser import SECRET, Browser

SignIn = Callable[..., Browser]
FOIX = 11
TODAY = datetime.now(ZoneInfo("Europe/Paris")).date()  # as the pages count days
PDF = b"%PDF-1.7\n1 0 obj"


@pytest.fixture
def foix(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    return database


def form(content: bytes = PDF, name: str = "certificat.pdf", **changes: Any) -> dict[str, Any]:
    return {
        "file": (io.BytesIO(content), name),
        "framework": "hds",
        "name": "Hébergement de données de santé",
        "body": "Organisme d'essai",
        "number": "ESSAI-1",
        "scope": "Activités 1 à 6",
        "valid_from": "2024-01-01",
        "valid_to": (TODAY + timedelta(days=30)).isoformat(),
        "services": ["hds-iaas", "hds-paas"],
        "replaces": "",
    } | changes


def send(browser: Browser, address: str, size: int) -> TestResponse:
    """The form with a PDF of a size, as bytes: the test client would leave a large file open."""
    secret = SECRET.search(browser.get("/nowhere").text)
    assert secret is not None
    fields = form() | {"csrf_token": secret[1]}
    del fields["file"]
    parts = [
        (name, value)
        for name, said in fields.items()
        for value in (said if isinstance(said, list) else [said])
    ]
    head = "".join(f'--cut\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts)
    head += '--cut\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = head.encode() + PDF.ljust(size, b".") + b"\r\n--cut--\r\n"
    return browser.post(address, data=body, content_type="multipart/form-data; boundary=cut")


def kept(database: Database) -> list[str]:
    with database.read(Operator()) as session:
        return [one.number for one in certificates(session)]


def test_a_certificate_is_uploaded_and_read_by_a_cio_who_takes_its_file_away(
    foix: Database, sign_in_as: SignIn
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit("/catalogue/certificates", **form())
    assert (answer.status_code, answer.location) == (303, "/catalogue/certificates")
    cio = sign_in_as(Role.CIO, FOIX)
    page = cio.get("/catalogue/certificates").text
    for text in ("encore 30 jours", "is-warning", "ESSAI-1", "Hébergement HDS : plateforme", "PDF"):
        assert text in page
    assert "Retirer" not in page
    assert "certifié" in cio.get("/catalogue").text
    assert "encore 30 jours" in cio.get("/catalogue/services/hds-iaas").text
    file = cio.get("/catalogue/certificates/1/file")
    assert file.data == PDF


def test_a_file_is_kept_by_the_browser_and_not_opened(foix: Database, sign_in_as: SignIn) -> None:
    page = form(name="../../page.html")
    assert sign_in_as(Role.ADMINISTRATOR).submit("/catalogue/certificates", **page).status_code == 303
    file = sign_in_as(Role.CIO, FOIX).get("/catalogue/certificates/1/file")
    assert file.content_type == "application/pdf"
    assert file.headers["Content-Disposition"] == "attachment; filename=certificat-hds-1.pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in file.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": b"<html><script>"}, "file"),
        ({"content": b""}, "file"),
        ({"framework": "iso"}, "framework"),
        ({"services": []}, "services"),
        ({"services": ["fax"]}, "services"),
        ({"valid_from": "2999-01-01"}, "valid_from"),
        ({"valid_to": "2023-12-31"}, "valid_to"),
        ({"replaces": "7"}, "replaces"),
        ({"replaces": "x"}, "replaces"),
        ({"scope": "IPP 123456"}, "confirmed"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_nothing_is_kept(
    foix: Database, sign_in_as: SignIn, changes: dict[str, Any], field: str
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit("/catalogue/certificates", **form(**changes))
    assert answer.status_code == 422
    assert (f'id="{field}-error"' if field != "confirmed" else 'name="confirmed"') in answer.text
    assert "ESSAI-1" in answer.text
    assert kept(foix) == []


def test_a_file_larger_than_a_form_is_taken_and_one_much_larger_is_not_read(
    foix: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert send(browser, "/catalogue/certificates", LARGEST_FILE).status_code == 303
    refused = send(browser, "/catalogue/certificates", LARGEST_FILE + 1)
    assert (refused.status_code, 'id="file-error"' in refused.text) == (422, True)
    assert send(browser, "/catalogue/certificates", LARGEST_FILE + 200_000).status_code == 413
    assert send(browser, "/catalogue/services", 2_000_000).status_code == 413
    assert kept(foix) == ["ESSAI-1"]


def test_a_certificate_is_replaced_and_both_are_there(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit("/catalogue/certificates", **form())
    assert "ESSAI-1" in browser.get("/catalogue/certificates/new").text
    browser.submit(
        "/catalogue/certificates", **form(PDF + b"2", number="ESSAI-2", valid_to="2100-01-01", replaces="1")
    )
    page = browser.get("/catalogue/certificates").text
    assert "remplacé par le ESSAI-2" in page
    assert kept(foix) == ["ESSAI-2", "ESSAI-1"]
    again = browser.submit("/catalogue/certificates", **form(PDF + b"3", number="ESSAI-3", replaces="1"))
    assert again.status_code == 409


def test_a_certificate_is_withdrawn_and_its_file_stays(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit("/catalogue/certificates", **form())
    early = browser.submit("/catalogue/certificates/1/withdrawal", withdrawn_on="2020-01-01")
    assert (early.status_code, 'id="withdrawn-1-error"' in early.text) == (422, True)
    assert (
        browser.submit("/catalogue/certificates/1/withdrawal", withdrawn_on=TODAY.isoformat()).status_code
        == 303
    )
    assert "retiré le" in browser.get("/catalogue/certificates").text
    assert browser.get("/catalogue/certificates/1/file").data == PDF
    assert (
        browser.submit("/catalogue/certificates/2/withdrawal", withdrawn_on="2026-01-01").status_code == 404
    )


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_who_manages_the_catalogue_uploads_and_withdraws(
    foix: Database, sign_in_as: SignIn, role: Role
) -> None:
    with foix.write(Operator()) as session:
        given.a_certificate(session)
    browser = sign_in_as(role, FOIX)
    assert "/catalogue/certificates/new" not in browser.get("/catalogue/certificates").text
    assert browser.get("/catalogue/certificates/new").status_code == 403
    assert browser.submit("/catalogue/certificates", **form()).status_code == 403
    assert (
        browser.submit("/catalogue/certificates/1/withdrawal", withdrawn_on="2026-01-01").status_code == 403
    )
    assert kept(foix) == ["ESSAI-1"]


def test_a_certificate_that_is_not_there_has_no_file(foix: Database, sign_in_as: SignIn) -> None:
    assert sign_in_as(Role.CIO, FOIX).get("/catalogue/certificates/1/file").status_code == 404
