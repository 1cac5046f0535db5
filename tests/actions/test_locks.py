"""Claims and metering at the same time: neither waits for the other in a circle, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from collectors.reading import Kind, Use
from console.actions.claims import claim_workload, end_claim
from console.actions.host_locks import hold_hosts
from console.actions.ingest import ingest, mark_due
from console.actions.metering import hours_due, meter_hour
from console.actions.posting import post
from console.domain.access import Role
from console.domain.errors import Conflict
from console.domain.hours import HOUR
from console.store.again import TIMES, write_again
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.session import Database, Operator, ScopedSession
from tests import given as past
from tests.browser import Browser
from tests.readings import START, batch, measured, reading

CHU = 7
NOW = START + 4 * HOUR
ESX_A, ESX_B = m.stable_id("esx-a"), m.stable_id("esx-b")
MACHINE = m.workload_key("paie", "uid-1")

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def moved(database: Database) -> Database:
    """A machine that ran on one host, then on another; the hour of the other waits to be metered again."""
    with database.write(Operator()) as session:
        past.an_adherent(session, CHU, "CHU")
        for place, host in enumerate(("esx-a", "esx-b")):
            one = reading(1, measured(60_000), started_at=START + place * HOUR, paie=9_000)
            machine = Use("paie", Kind.VM, 9_000, uid="uid-1")
            ingest(session, batch(replace(one, workloads=(machine,)), host=host), now=NOW)
        meter(session)
        mark_due(session, ESX_B, [START + HOUR], NOW)
    return database


def meter(session: ScopedSession) -> None:
    for host_id, hour in hours_due(session, now=NOW):
        meter_hour(session, host_id, hour, now=NOW)


def claim(session: ScopedSession) -> int:
    return claim_workload(
        session,
        tenant_id=CHU,
        subscription=1,
        host_id=ESX_A,
        workload_id=MACHINE,
        first_day=date(2026, 11, 1),
        now=NOW,
        by="ana",
    )


@contextmanager
def metering_half_done(database: Database) -> Iterator[None]:
    """An hour is taken; what runs meanwhile has come as far as it can when the hour is posted."""
    with database.write(Operator()) as session:
        hold_hosts(session, [ESX_B])
        session.execute(delete(m.HourDue).where(m.HourDue.host_id == ESX_B))
        yield
        post(session, ESX_B, START + HOUR, START + 2 * HOUR, now=NOW)


def in_the_way(database: Database) -> bool:
    """Whether somebody waits for a lock."""
    with database.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def carried_to(database: Database) -> list[int]:
    with database.write(Operator()) as session:
        meter(session)
    with database.read(Operator()) as session:
        line = t.EnergyLine
        of_machine = (line.workload_id == MACHINE, line.tenant_id == CHU)
        return list(session.scalars(select(line.host_id).where(*of_machine).order_by(line.hour)))


def test_a_claim_and_the_metering_of_the_host_its_machine_moved_to_do_not_wait_in_a_circle(
    moved: Database,
) -> None:
    def claims() -> None:
        with moved.write(Operator(), by="ana") as session:
            claim(session)

    with ThreadPoolExecutor(1) as pool:
        with metering_half_done(moved):
            claiming = pool.submit(claims)
            until(lambda: claiming.done() or in_the_way(moved))
        claiming.result()
    assert carried_to(moved) == [ESX_A, ESX_B]


def test_a_claim_waits_for_the_metering_of_the_first_hour_of_its_machine_elsewhere(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        past.an_adherent(session, CHU, "CHU")
        machine = Use("paie", Kind.VM, 9_000, uid="uid-1")
        for place, host in enumerate(("esx-a", "esx-b")):
            one = reading(1, measured(60_000), started_at=START + place * HOUR, paie=9_000)
            ingest(session, batch(replace(one, workloads=(machine,)), host=host), now=NOW)
    with database.write(Operator()) as session:
        meter_hour(session, ESX_A, START, now=NOW)

    def claims() -> None:
        with database.write(Operator(), by="ana") as session:
            claim(session)

    with ThreadPoolExecutor(1) as pool:
        with database.write(Operator()) as session:
            meter_hour(session, ESX_B, START + HOUR, now=NOW)
            claiming = pool.submit(claims)
            until(lambda: claiming.done() or in_the_way(database))
        claiming.result()
    assert carried_to(database) == [ESX_A, ESX_B]


def test_the_end_of_a_claim_waits_for_the_metering_of_the_hosts_that_it_reaches(moved: Database) -> None:
    with moved.write(Operator(), by="ana") as session:
        number = claim(session)
        meter(session)
        mark_due(session, ESX_B, [START + HOUR], NOW)

    def ends() -> None:
        with moved.write(Operator(), by="ana") as session:
            end_claim(session, CHU, number, last_day=date(2026, 10, 31), now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with metering_half_done(moved):
            ending = pool.submit(ends)
            until(lambda: ending.done() or in_the_way(moved))
            assert not ending.done()
        ending.result()
    assert carried_to(moved) == []


def test_two_that_wait_for_each_other_are_both_done_one_of_them_again(moved: Database) -> None:
    both_hold = threading.Barrier(2, timeout=5)
    tried: list[int] = []

    def work(first: int, second: int) -> int:
        def rename(session: ScopedSession) -> int:
            tried.append(first)
            for host_id in (first, second):
                session.execute(update(m.Host).where(m.Host.host_id == host_id).values(agent=f"by {first}"))
                if host_id == first and len(tried) <= 2:
                    both_hold.wait()
            return first

        return write_again(moved, Operator(), rename)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, (ESX_A, ESX_B), (ESX_B, ESX_A))) == [ESX_A, ESX_B]
    assert len(tried) == 3
    with moved.read(Operator()) as session:
        assert len(set(session.scalars(select(m.Host.agent)))) == 1


def test_what_is_in_the_way_each_time_is_told_and_leaves_nothing(moved: Database) -> None:
    tried = []

    def work(session: ScopedSession) -> None:
        tried.append(session)
        session.execute(delete(c.WorkloadClaim))
        session.execute(update(m.Host).values(agent="x"))
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Conflict, match="réessayez"):
        write_again(moved, Operator(), work)
    assert len(tried) == TIMES
    with moved.read(Operator()) as session:
        assert "x" not in session.scalars(select(m.Host.agent)).all()


def test_a_bulk_claim_tells_what_was_stored_where_the_database_did_not_answer(
    moved: Database, app: Flask, sign_in_as: Callable[[Role], Browser]
) -> None:
    """Each workload is a transaction of its own: those before are claimed, whatever became of the others."""
    machine = f"{ESX_B}:{MACHINE}"
    with moved.write(Operator()) as session:
        one = reading(9, measured(60_000), started_at=START, mail=9_000)
        ingest(session, batch(one, host="esx-a"), now=NOW)
        meter(session)
    browser = sign_in_as(Role.OPS)
    with impatient(app.extensions["console"].database), moved.write(Operator()) as other:
        hold_hosts(other, [ESX_B])
        page = browser.submit(
            "/fleet/workloads/claims",
            workloads=[f"{ESX_A}:{m.stable_id('mail')}", machine],
            subscription=f"{CHU}:1",
            first_day="2026-11-01",
        )
    text_of_page = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "1 charge est affectée" in text_of_page
    assert "La base de données n&#39;a pas répondu" in text_of_page
    with moved.read(Operator()) as session:
        assert session.scalars(select(c.WorkloadClaim.workload_name)).all() == ["mail"]


@contextmanager
def impatient(database: Database) -> Iterator[None]:
    """New connections wait for a lock for an instant only."""
    _set(database, "SET lock_timeout = '300ms'")
    try:
        yield
    finally:
        _set(database, "RESET lock_timeout")


def _set(database: Database, setting: str) -> None:
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text(f"ALTER ROLE CURRENT_USER {setting}"))
    database.engine.dispose()
