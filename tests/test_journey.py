"""Recorded readings become a page, an alert and a statement."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import func, select

from console import jobs
from console.actions.api_tokens import issue_token
from console.actions.catalogue import seed_catalogue
from console.config import Config, read_config
from console.domain.access import Role
from console.domain.hours import day_bounds, month_bounds, month_of
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.session import Database, Operator
from reports.language import FRENCH
from reports.quantities import Kind, text
from tests import given
from tests.browser import Browser
from tests.smtp import MailServer, mail_server

pytestmark = pytest.mark.both_databases

RECORDED = Path(__file__).parent / "data" / "readings" / "vm-2vcpu.json"
SITE = "310016977"  # a hospital of Toulouse in the directory
PARIS = ZoneInfo("Europe/Paris")
TITLE = "Portail patient lent"
OPS = "ops@mipih.example"


def recorded(ends_at: datetime, first_sequence: int = 1) -> dict[str, Any]:
    """The recorded batch as if its last interval ended then."""
    batch: dict[str, Any] = json.loads(RECORDED.read_text())
    shift = ends_at - datetime.fromisoformat(batch["readings"][-1]["ended_at"])
    for sequence, reading in enumerate(batch["readings"], start=first_sequence):
        reading["sequence"] = sequence
        for label in ("started_at", "ended_at"):
            moved = datetime.fromisoformat(reading[label]) + shift
            reading[label] = moved.isoformat()
    return batch


@dataclass
class Journey:
    """A console with an administrator's browser, an agent's token and a mail server."""

    app: Flask
    database: Database
    means: jobs.Means
    mails: MailServer
    administrator: Browser
    token: str

    def agent_sends(self, batch: dict[str, Any]) -> None:
        """The console takes every reading in, and the jobs attribute them."""
        authorization = {"Authorization": f"Bearer {self.token}"}
        answer = self.app.test_client().post("/api/v1/readings", json=batch, headers=authorization)
        assert answer.status_code == 202
        assert {receipt["status"] for receipt in answer.json["readings"]} == {"accepted"}
        self.jobs_run()

    def jobs_run(self, after: timedelta = timedelta(0)) -> list[str]:
        """Everything that is due, twice, as if that much later; what the mails that left are about."""
        self.mails.taken.clear()
        means = replace(self.means, clock=lambda: datetime.now(UTC) + after)
        for work in (jobs.meter, jobs.reckon, jobs.watch, jobs.deliver) * 2:
            work(means)
        return sorted(about(mail.text) for mail in self.mails.taken)

    def does(self, address: str, **fields: str) -> str:
        """The administrator sends a form; where it leads."""
        answer = self.administrator.submit(address, **fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def sees(self, address: str) -> str:
        answer = self.administrator.get(address)
        assert answer.status_code == 200
        return answer.text

    def energy_of(self, tenant_id: int, bounds: tuple[datetime, datetime]) -> int:
        """What the ledger holds of an adherent between two hours, in mJ."""
        line, (start, end) = t.EnergyLine, bounds
        held = (line.tenant_id == tenant_id, line.hour >= start, line.hour < end)
        with self.database.read(Operator()) as session:
            return int(session.scalar(select(func.sum(line.energy_mj)).where(*held)) or 0)


@pytest.fixture
def journey(app: Flask, config: Config, database: Database, sign_in_as) -> Iterator[Journey]:
    now = datetime.now(UTC)
    with database.write(Operator()) as session:
        seed_catalogue(session, now.date())
        given.the_directory(session)
        token = issue_token(session, "journey", now=now)
    with mail_server() as mails:
        means = replace(
            jobs.means_of(with_mail(config, mails), database), started_at=now - timedelta(hours=1)
        )
        yield Journey(app, database, means, mails, sign_in_as(Role.ADMINISTRATOR), token)


def test_from_recorded_readings_to_page_alert_and_statement(journey: Journey, sign_in_as) -> None:
    now = datetime.now(UTC)
    batch = recorded(now)
    journey.agent_sends(batch)

    # An adherent is chosen from the directory, subscribed, and what runs for it is claimed.
    home = journey.does("/adherents", finess_et=SITE)
    tenant_id = int(home.rsplit("/", 1)[1])
    since = f"{now.year - 1}-01-01"
    journey.does(f"{home}/subscriptions", service="hds-managed-application", starts_on=since)
    workload = f"{m.stable_id('srv-demo')}:{m.stable_id('user root')}"
    journey.does(f"{home}/claims", workload=workload, subscription="1", first_day=since, last_day="")
    assert journey.jobs_run() == []
    day, month = now.astimezone(PARIS).date(), month_of(now, PARIS)
    own_mj = journey.energy_of(tenant_id, day_bounds(day, PARIS))
    assert 0 < own_mj < sum(reading["measurements"][0]["energy_mj"] for reading in batch["readings"])

    # The page of its energy shows the workload, its figure and how it was come by.
    page = journey.sees(f"{home}/energy?day={day}")
    for shown in ("user root", text(Kind.ENERGY_MJ, own_mj, FRENCH), "modélisé"):
        assert shown in page

    # A silent collector and an incident at risk: one mail each, none while it lasts, one at the end.
    opened_at = now - timedelta(hours=3, minutes=30)  # of the four hours that the plan gives
    with journey.database.write(Operator()) as session:
        number = given.an_incident(session, tenant_id, TITLE, "P1", opened_at=opened_at)
    assert journey.jobs_run(after=timedelta(minutes=10)) == ["collector", "incident"]
    assert journey.jobs_run(after=timedelta(minutes=20)) == []
    assert TITLE in journey.sees("/incidents")
    journey.does(f"{home}/incidents/{number}/events", kind="resolved", at="")
    journey.agent_sends(recorded(datetime.now(UTC) + timedelta(minutes=2), first_sequence=9))
    assert sorted(about(mail.text) for mail in journey.mails.taken) == ["collector", "incident"]
    assert journey.jobs_run() == []

    # What the page, the PDF and the CSV of the statement say is what the ledger holds.
    statement = journey.does(f"{home}/statements", month=f"{month:%Y-%m}")
    own_mj = journey.energy_of(tenant_id, month_bounds(month, PARIS))
    for shown in ("Brouillon", TITLE, text(Kind.ENERGY_MJ, own_mj, FRENCH)):
        assert shown in journey.sees(statement)
    pdf = PdfReader(io.BytesIO(journey.administrator.get(f"{statement}.pdf").data))
    printed = plain(" ".join(page.extract_text() for page in pdf.pages))
    assert plain(text(Kind.ENERGY_MJ, own_mj, FRENCH)) in printed
    assert csv_energy_mj(journey.administrator.get(f"{statement}.csv").data) == own_mj
    with journey.database.read(Operator()) as session:
        found = ledger.check(session, now - timedelta(days=1), now + timedelta(days=1), now=now)
    assert (found.residue_mj, found.waiting_hours) == (0, 0)

    # The CIO of the establishment reads it; another is told that there is no such thing.
    assert sign_in_as(Role.CIO, tenant_id).get(statement).status_code == 200
    with journey.database.write(Operator()) as session:
        neighbour = given.an_adherent(session, 900, "CH voisin")
    assert sign_in_as(Role.CIO, neighbour).get(statement).status_code == 404


def with_mail(config: Config, server: MailServer) -> Config:
    settings = {
        "CONSOLE_VAR": str(config.var),
        "CONSOLE_DATABASE_URL": config.database_url,
        "CONSOLE_SMTP_URL": server.url,
        "CONSOLE_ALERTS_TO": OPS,
    }
    return read_config(settings)


def about(mail: EmailMessage) -> str:
    assert mail["To"] == OPS
    return "incident" if TITLE in mail.get_content() else "collector"


def plain(text: str) -> str:
    """One kind of space."""
    return " ".join(text.split())


def csv_energy_mj(body: bytes) -> int:
    """The energy of the workloads, added up from the CSV as somebody else would."""
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))
    header = next(number for number, row in enumerate(rows) if len(row) > 4 and "mJ" in "".join(row))
    column = next(number for number, cell in enumerate(rows[header]) if "mJ" in cell)
    *lines, total = itertools.takewhile(len, rows[header + 1 :])
    assert total[0] == "Total"
    energy_mj = sum(int(line[column]) for line in lines)
    assert energy_mj == int(total[column])
    return energy_mj
