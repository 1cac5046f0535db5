"""The workloads of the fleet: found, counted, and many of them claimed at once."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from collectors.reading import Kind
from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests import fleet, given
from tests.browser import Browser
from tests.fleet import Told

SignIn = Callable[..., Browser]
FOIX = 11
TODAY = datetime.now(UTC).date()
WEB, DB, NGINX = "srv-01:web", "srv-01:db", "srv-02:nginx"


def key(name: str) -> str:
    host, workload = name.split(":")
    return f"{m.stable_id(host)}:{m.stable_id(workload)}"


@pytest.fixture
def workloads(database: Database) -> Database:
    """Three of them on two hosts: a virtual machine of an adherent, one that nobody holds, and a unit."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX, "payroll")
        virtual = Told("srv-01", busy={"web": 1.0, "db": 3.0}, kind=Kind.VM, cluster="esx-a", steal=0.25)
        fleet.heard(session, virtual, hours=1)
        fleet.heard(session, Told("srv-02", busy={"nginx": 2.0}, site="ami", reserved_mcpu=1500), hours=1)
        since = datetime.now(UTC) - timedelta(days=1)
        session.add(
            c.WorkloadClaim(
                tenant_id=FOIX,
                subscription=1,
                host_id=m.stable_id("srv-01"),
                workload_id=m.stable_id("db"),
                host_name="srv-01",
                workload_name="db",
                valid_from=since,
                claimed_by="test",
                claimed_at=since,
            )
        )
    return database


def rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row">([^<]+)<small>', page)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OPS])
def test_the_files_of_machines_are_a_page_of_the_fleet_for_who_may_claim(
    workloads: Database, sign_in_as: SignIn, role: Role
) -> None:
    browser = sign_in_as(role)
    around = re.search(r'<nav aria-label="Pages du parc">.*?</nav>', browser.get("/fleet/workloads").text)
    assert around is not None
    may_claim = browser.get("/cmdb").status_code == 200
    assert ('<a href="/cmdb">Machines par fichier</a>' in around[0]) == may_claim
    if may_claim:
        assert '<a href="/cmdb" aria-current="page">' in browser.get("/cmdb").text


FILTERS = {
    "": ["nginx", "web", "db"],
    "held=nobody": ["nginx", "web"],
    "held=adherent": ["db"],
    "held=service": [],
    "rule=vm": ["web", "db"],
    "rule=vm&held=nobody": ["web"],
    "site=ami": ["nginx"],
    "cluster=esx-a": ["web", "db"],
    "cluster=none": ["nginx"],
    "host=srv-02": ["nginx"],
    "words=fóix": ["db"],
    "words=-": ["nginx", "web", "db"],  # of the names of hosts
    "words=srv-01 we": ["web"],
    "words=per%": [],
}


@pytest.mark.both_databases
def test_the_workloads_are_narrowed_those_that_nobody_holds_first_by_energy(
    workloads: Database, sign_in_as: SignIn
) -> None:
    ops = sign_in_as(Role.OPS)
    assert {asked: rows(ops.fragment(f"/fleet/workloads?{asked}").text) for asked in FILTERS} == FILTERS


def test_a_filter_counts_what_the_others_leave(workloads: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/fleet/workloads?held=nobody").text
    chips = dict(re.findall(r'<a class="button[^>]*>([^<]+?)\s(\d+)</a>', page))
    assert chips["non affectées"] == "2"
    assert chips["à un adhérent"] == "1"
    assert chips["machine virtuelle"] == "1"
    assert chips["Toulouse"] == "1"


def test_a_line_tells_its_energy_its_reservation_and_what_was_stolen(
    workloads: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.OPS).get("/fleet/workloads").text
    page = page.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "1,5</td>" in page
    assert "25,0 %" in page
    table = sign_in_as(Role.OPS).get("/fleet/workloads.csv?host=srv-02").data.decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(table), delimiter=";")
    told = dict(zip(head, row, strict=True))
    assert (told["Charge"], told["vCPU réservés"], told["Adhérent"]) == ("nginx", "1,5", "")
    assert float(told["Énergie sur 7 jours (Wh)"].replace(",", ".")) >= 300


def test_a_workload_that_used_nothing_this_week_is_unknown_and_not_zero(
    workloads: Database, sign_in_as: SignIn
) -> None:
    with workloads.write(Operator()) as session:
        session.add(m.Workload(host_id=m.stable_id("srv-02"), workload_id=7, name="asleep", kind="systemd"))
    page = sign_in_as(Role.OPS).get("/fleet/workloads?words=asleep").text
    assert "inconnu" in page
    assert "0 Wh" not in page.replace("\N{NO-BREAK SPACE}", " ")


def test_many_are_claimed_for_a_subscription_and_each_tells_what_became_of_it(
    workloads: Database, sign_in_as: SignIn
) -> None:
    ops = sign_in_as(Role.OPS)
    ticked = [key(WEB), key(NGINX), key(DB)]
    page = ops.submit("/fleet/workloads/holder", workloads=ticked, query="held=nobody").text
    assert page.count('name="workloads"') == 3
    found = ops.submit("/fleet/workloads/claims", workloads=ticked, words="foix paie", deed="search").text
    assert f'value="{FOIX}:2"' in found
    assert f'value="{FOIX}:1"' not in found
    form = {"workloads": ticked, "subscription": f"{FOIX}:2", "first_day": str(TODAY), "query": "held=nobody"}
    done = ops.submit("/fleet/workloads/claims", **form).text
    assert "2 charges sont affectées" in done
    assert "1 charge n&#39;a pas changé" in done or "1 charge n'a pas changé" in done
    assert 'href="/fleet/workloads?held=nobody"' in done
    again = ops.submit("/fleet/workloads/claims", **form).text
    assert "2 charges l'étaient déjà" in again
    with workloads.read(Operator()) as session:
        claims = session.query(c.WorkloadClaim).filter_by(subscription=2).all()
        assert {claim.workload_name for claim in claims} == {"web", "nginx"}


def test_all_that_a_filter_finds_are_claimed_for_a_shared_service(
    workloads: Database, sign_in_as: SignIn
) -> None:
    ops = sign_in_as(Role.OPS)
    page = ops.submit("/fleet/workloads/holder", every="yes", query="held=nobody").text
    ticked = re.findall(r'name="workloads" value="([^"]+)"', page)
    assert sorted(ticked) == sorted([key(WEB), key(NGINX)])
    ops.submit("/fleet/workloads/claims", workloads=ticked, service="payroll", first_day=str(TODAY))
    with workloads.read(Operator()) as session:
        assert session.query(k.ServiceClaim).count() == 2
    assert rows(ops.get("/fleet/workloads?held=service").text) == ["nginx", "web"]


REFUSED: tuple[tuple[dict[str, object], str], ...] = (
    ({"workloads": []}, "Choisissez au moins une charge"),
    ({"workloads": ["smoke"]}, "Une charge est attendue"),
    ({"workloads": [key(WEB)], "first_day": str(TODAY)}, "Choisissez une souscription"),
    ({"subscription": "11:1", "service": "payroll"}, "Choisissez une souscription"),
    ({"subscription": "11", "first_day": str(TODAY)}, "Une souscription est attendue"),
    ({"subscription": "11:1", "first_day": "hier"}, "hier n"),
    ({"workloads": [f"{number}:7" for number in range(501)]}, "Au plus 500 charges"),
)


def test_what_cannot_be_claimed_is_refused_and_says_why(workloads: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    for form, said in REFUSED:
        answer = ops.submit("/fleet/workloads/claims", **{"workloads": [key(WEB)], **form})
        assert (answer.status_code, said in answer.text) == (422, True), said
    with workloads.read(Operator()) as session:
        assert session.query(c.WorkloadClaim).count() == 1


def test_an_auditor_reads_the_workloads_and_claims_none(workloads: Database, sign_in_as: SignIn) -> None:
    auditor = sign_in_as(Role.AUDITOR)
    assert 'type="checkbox"' not in auditor.get("/fleet/workloads").text
    for deed in ("holder", "claims"):
        assert auditor.submit(f"/fleet/workloads/{deed}", workloads=key(WEB)).status_code == 403
