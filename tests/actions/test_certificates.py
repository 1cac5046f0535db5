"""Certificates: kept with their file, replaced, withdrawn, never overwritten."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from console.actions.catalogue import seed_catalogue
from console.actions.certificates import Wording, add_certificate, withdraw_certificate
from console.domain.certificates import Framework, MediaType, Standing, Validity
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import audit as a
from console.store.queries.catalogue import list_services
from console.store.queries.certificates import (
    certificate_file,
    certificates,
    certificates_ending,
    certificates_of,
)
from console.store.session import Database, Operator, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
PDF = b"%PDF-1.7\nsecret of the file"
VALIDITY = Validity(date(2024, 1, 1), date(2026, 12, 31))


@pytest.fixture
def seeded(database: Database) -> Database:
    with database.write(Operator()) as session:
        seed_catalogue(session, TODAY)
    return database


def wording(**changes: Any) -> Wording:
    said = {
        "framework": Framework.HDS,
        "name": "Hébergement de données de santé",
        "body": "Organisme d'essai",
        "number": "ESSAI-1",
        "scope": "Activités 1 à 6",
        "validity": VALIDITY,
    }
    return Wording(**said | changes)


def keep(
    database: Database,
    content: bytes = PDF,
    replaces: int | None = None,
    services: Any = ("hds-iaas",),
    **said: Any,
) -> int:
    with database.write(Operator(), by="ada") as session:
        return add_certificate(
            session, wording(**said), services, content, replaces=replaces, now=NOW, by="ada"
        )


def test_a_certificate_is_kept_with_its_file_its_hash_and_its_services(seeded: Database) -> None:
    number = keep(seeded, services=("hds-paas", "hds-iaas", "hds-iaas"))
    with seeded.read(Operator()) as session:
        (found,) = certificates(session)
        file = certificate_file(session, number)
        assert certificates_of(session, "hds-iaas") == [found]
        assert certificates_of(session, "payroll") == []
    assert (file.content, file.media_type) == (PDF, MediaType.PDF)
    assert (found.sha256, found.size_bytes) == (hashlib.sha256(PDF).hexdigest(), len(PDF))
    assert [service.code for service in found.services] == ["hds-iaas", "hds-paas"]
    assert (found.standing(TODAY), found.days_left(TODAY)) == (Standing.ENDS_SOON, 36)
    assert found.uploaded_by == "ada"


def test_a_certificate_covers_its_services_in_the_list(seeded: Database) -> None:
    keep(seeded)
    with seeded.read(Operator()) as session:
        covered = {line.code for line in list_services(session, TODAY) if line.hds}
        after = {line.code for line in list_services(session, date(2027, 1, 1)) if line.hds}
    assert (covered, after) == ({"hds-iaas"}, set())


def test_who_kept_a_certificate_is_written_down_without_its_file(seeded: Database) -> None:
    keep(seeded)
    with seeded.read(Operator()) as session:
        payloads = [payload or "" for payload in session.scalars(select(a.AuditPayload.payload))]
        entries = {(row.kind, row.by) for row in session.scalars(select(a.AuditEntry))}
    assert ("certificate.added", "ada") in entries
    assert ("certified_service.added", "ada") in entries
    (told,) = [payload for payload in payloads if "ESSAI-1" in payload]
    assert '"hidden":["content"]' in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("said", "content", "services", "field"),
    [
        ({}, b"", ["hds-iaas"], "file"),
        ({}, b"<html>", ["hds-iaas"], "file"),
        ({}, PDF, [], "services"),
        ({}, PDF, ["hds-iaas", "fax"], "services"),
        ({"number": ""}, PDF, ["hds-iaas"], "number"),
        ({"name": "\x07"}, PDF, ["hds-iaas"], "name"),
        ({"scope": "  "}, PDF, ["hds-iaas"], "scope"),
        ({"validity": Validity(date(2026, 1, 2), date(2026, 1, 1))}, PDF, ["hds-iaas"], "valid_to"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field_and_nothing_is_kept(
    seeded: Database, said: dict[str, Any], content: bytes, services: list[str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        keep(seeded, content, services=services, **said)
    assert refused.value.field == field
    with seeded.read(Operator()) as session:
        assert certificates(session) == []


def test_the_same_file_is_kept_once_under_a_number(seeded: Database) -> None:
    keep(seeded)
    with pytest.raises(Conflict, match="déjà gardé"):
        keep(seeded)
    keep(seeded, framework=Framework.ISO_27001)
    keep(seeded, number="ESSAI-2")


def test_a_certificate_is_replaced_once_by_another_and_stays_readable(seeded: Database) -> None:
    first = keep(seeded)
    renewed = Validity(date(2027, 1, 1), date(2029, 12, 31))
    keep(seeded, PDF + b"2", first, number="ESSAI-2", validity=renewed)
    with pytest.raises(Conflict, match="déjà remplacé par le ESSAI-2"):
        keep(seeded, PDF + b"3", first, number="ESSAI-3")
    with pytest.raises(Invalid) as refused:
        keep(seeded, PDF + b"3", 999, number="ESSAI-3")
    assert refused.value.field == "replaces"
    with seeded.read(Operator()) as session:
        assert [(one.number, one.replaced_by) for one in certificates(session)] == [
            ("ESSAI-2", None),
            ("ESSAI-1", "ESSAI-2"),
        ]
        assert certificate_file(session, first).content == PDF


def test_a_withdrawn_certificate_attests_nothing_from_its_day_on(seeded: Database) -> None:
    number = keep(seeded)
    with seeded.write(Operator(), by="ada") as session:
        withdraw_certificate(session, number, withdrawn_on=TODAY)
    with pytest.raises(Conflict, match="déjà retiré"), seeded.write(Operator()) as session:
        withdraw_certificate(session, number, withdrawn_on=TODAY)
    with seeded.read(Operator()) as session:
        assert certificates(session)[0].standing(TODAY) is Standing.WITHDRAWN
        assert not any(line.hds for line in list_services(session, TODAY))


def test_a_certificate_is_not_withdrawn_before_it_begins(seeded: Database) -> None:
    number = keep(seeded)
    with pytest.raises(Invalid) as refused, seeded.write(Operator()) as session:
        withdraw_certificate(session, number, withdrawn_on=date(2023, 1, 1))
    assert refused.value.field == "withdrawn_on"
    with pytest.raises(NotFound), seeded.write(Operator()) as session:
        withdraw_certificate(session, 999, withdrawn_on=TODAY)


def test_certificates_that_end_are_those_that_nothing_follows(seeded: Database) -> None:
    first = keep(seeded)
    keep(seeded, PDF + b"2", first, number="ESSAI-2", validity=Validity(date(2027, 1, 1), date(2027, 6, 30)))
    alone = keep(seeded, PDF + b"3", number="ESSAI-3")
    withdrawn = keep(seeded, PDF + b"4", number="ESSAI-4")
    with seeded.write(Operator()) as session:
        withdraw_certificate(session, withdrawn, withdrawn_on=TODAY)
    with seeded.read(Operator()) as session:
        for before, numbers in (
            (date(2026, 12, 31), []),
            (date(2027, 1, 1), ["ESSAI-3"]),
            (date(2027, 7, 1), ["ESSAI-2", "ESSAI-3"]),
        ):
            assert [one.number for one in certificates_ending(session, before)] == numbers
    assert alone != first


def test_a_scope_of_adherents_reads_certificates_and_their_files(seeded: Database) -> None:
    number = keep(seeded)
    with seeded.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
    with seeded.read(Tenants(frozenset({2}))) as session:
        assert [one.certificate_id for one in certificates(session)] == [number]
        assert certificate_file(session, number).content == PDF
        with pytest.raises(NotFound):
            certificate_file(session, number + 1)
