"""Readings that were kept out of the ledger: seen, let in or turned down, one or many at once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collectors.reading import decode_batch, encode_batch
from console.actions.ingest import ingest
from console.domain.access import Role
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser
from tests.readings import MINUTE, STREAM, measured, reading

SignIn = Callable[..., Browser]
NOW = datetime.now(UTC).replace(microsecond=0)
TOO_MUCH = 200_000 * 60_000  # millijoules a minute of 200 kW


@pytest.fixture
def kept(database: Database) -> Database:
    """Three minutes with more energy than a host draws, and one reading that tries to be a page."""
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        start = NOW - timedelta(hours=2)
        much = [
            reading(n, measured(TOO_MUCH), started_at=start + n * MINUTE, payroll=9_000) for n in (1, 2, 3)
        ]
        whole = decode_batch(encode_batch("1.0", "srv-01", STREAM, much))
        ingest(session, whole, now=NOW)
        odd = {"sequence": 9, "<script>alert(1)</script>": "\x00\ud800", "note": "é"}
        ingest(session, replace(whole, readings=(odd,)), now=NOW)
    return database


def keys(database: Database) -> dict[str, list[str]]:
    with database.read(Operator()) as session:
        found: dict[str, list[str]] = {}
        for row in session.query(m.QuarantinedReading).order_by(m.QuarantinedReading.fingerprint):
            found.setdefault(row.rule, []).append(f"/fleet/quarantine/{row.host_id}/{row.fingerprint}")
        return found


def energy_mj(database: Database) -> int:
    with database.read(Operator()) as session:
        return sum(row.energy_mj for row in session.query(m.HostHour))


def test_what_waits_is_grouped_by_the_rule_it_broke_and_its_host(kept: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/fleet/quarantine").text
    groups = re.findall(r'<td class="number">(\d+)</td>', page)
    assert groups == ["3", "1"]
    assert "plus d'énergie que possible" in page
    assert "illisible" in page
    assert "4 mesures" in page
    host_id = m.stable_id("srv-01")
    assert "3 mesures" in sign_in_as(Role.OPS).get(f"/fleet/quarantine?rule=energy&host={host_id}").text


def test_a_reading_is_shown_as_it_came_and_is_no_page(kept: Database, sign_in_as: SignIn) -> None:
    (address,) = keys(kept)["unreadable"]
    page = sign_in_as(Role.OPS).get(address).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\\u0000" in page
    assert "\\ud800" in page
    assert "é" in page
    assert sign_in_as(Role.OPS).get(f"/fleet/quarantine/{m.stable_id('srv-01')}/none").status_code == 404


def test_a_reading_is_let_in_with_who_when_and_why(kept: Database, sign_in_as: SignIn) -> None:
    ops, address = sign_in_as(Role.OPS), keys(kept)["energy"][0]
    refused = ops.submit(address, deed="accept", note="")
    assert refused.status_code == 422
    assert 'id="note-error"' in refused.text
    assert ops.submit(address, deed="smoke", note="Banc d'essai").status_code == 422
    assert ops.submit(address, deed="accept", note="Banc d'essai").status_code == 303
    decided = ops.get("/fleet/quarantine?which=decided").text
    assert "entrée au registre" in decided
    assert "Banc d&#39;essai" in decided
    again = ops.submit(address, deed="reject", note="Encore")
    assert again.status_code == 409
    assert "déjà été examinée" in again.text
    with kept.read(Operator()) as session:
        assert session.query(m.Reading).count() == 1


def test_a_group_is_decided_on_and_those_that_cannot_be_let_in_say_why(
    kept: Database, sign_in_as: SignIn
) -> None:
    ops, host = sign_in_as(Role.OPS), str(m.stable_id("srv-01"))
    page = ops.submit(
        "/fleet/quarantine/decisions", rule="unreadable", host=host, deed="accept", note="Oui"
    ).text
    assert "Cette mesure n&#39;est pas lisible" in page
    assert "1 mesure attend toujours" in page
    page = ops.submit(
        "/fleet/quarantine/decisions", rule="energy", host=host, deed="reject", note="Banc"
    ).text
    assert "décidé pour 3 mesures" in page
    assert len(re.findall("écartée", ops.get("/fleet/quarantine?which=decided").text)) == 3
    assert energy_mj(kept) == 0


def test_a_group_without_a_rule_a_deed_or_a_reason_is_refused(kept: Database, sign_in_as: SignIn) -> None:
    ops, good = sign_in_as(Role.OPS), {"rule": "energy", "deed": "reject", "note": "Banc", "host": ""}
    for wrong in ({"rule": "smoke"}, {"note": ""}, {"deed": "smoke"}):
        assert ops.submit("/fleet/quarantine/decisions", **good | wrong).status_code == 422, wrong
    with kept.read(Operator()) as session:
        assert session.query(m.QuarantinedReading).filter_by(decision=None).count() == 4


def test_an_auditor_reads_the_quarantine_and_decides_nothing(kept: Database, sign_in_as: SignIn) -> None:
    auditor, address = sign_in_as(Role.AUDITOR), keys(kept)["energy"][0]
    assert 'name="deed"' not in auditor.get(address).text
    assert auditor.submit(address, deed="reject", note="Non").status_code == 403
    assert auditor.submit("/fleet/quarantine/decisions", rule="energy").status_code == 403
