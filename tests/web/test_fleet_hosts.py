"""The list of hosts and one host: who is heard, what measures it, what is declared of it, whom it serves."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import event

from console.domain.access import Role
from console.domain.hours import HOUR, hour_of
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.impact import Impact, Touched, impact_of
from console.store.session import Database, Operator
from tests import fleet, given
from tests.browser import Browser
from tests.fleet import Told

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
DAY = timedelta(days=1)
NO_SENSOR = "no sensor of power in this machine"


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    bare = unescape(re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", bare)


@pytest.fixture
def hosts(database: Database) -> Database:
    """One sound, one whose sensor fails and whose clock is off, one old, one silent, one retired."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        fleet.heard(session, Told("srv-sound", cluster="esx-a"), hours=1)
        odd = Told(
            "srv-odd", {"model": 120}, gaps={"bmc": NO_SENSOR}, site="ami", ahead=timedelta(seconds=90)
        )
        fleet.heard(session, odd, hours=1)
        fleet.heard(session, Told("srv-old", agent="collectors 0.1.9", site=None), hours=1)
        fleet.heard(session, Told("srv-blind", {}), hours=0)
        fleet.heard(session, Told("srv-silent"), hours=0, until=datetime.now(UTC) - HOUR)
        fleet.heard(session, Told("srv-gone"), hours=0, until=datetime.now(UTC) - 2 * HOUR)
        session.get_one(m.Host, m.stable_id("srv-gone")).retired_at = datetime.now(UTC)
    return database


def named(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/fleet/\d+">([^<]+)</a>', page)


def line(page: str, host: str) -> str:
    found = re.search(rf"<tr>\s*<th scope=\"row\"><a[^>]+>{host}</a>.*?</tr>", page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).replace("\N{NO-BREAK SPACE}", " ").split())


def test_where_nothing_can_be_filtered_no_filters_are_shown(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        fleet.heard(session, Told("srv-01"), hours=1)
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert 'aria-label="Filtres"' in browser.get("/fleet?state=sound").text
    assert 'aria-label="Filtres"' not in browser.get("/fleet?words=nowhere").text


FILTERS = {
    "": ["srv-blind", "srv-odd", "srv-old", "srv-silent", "srv-sound"],
    "state=sound": ["srv-sound"],
    "state=silent": ["srv-silent"],
    "state=gap": ["srv-odd"],
    "state=clock": ["srv-odd"],
    "state=agent": ["srv-old"],
    "state=no_source": ["srv-blind"],
    "state=retired": ["srv-gone"],
    "state=none-such": ["srv-blind", "srv-odd", "srv-old", "srv-silent", "srv-sound"],
    "silent=120": ["srv-blind", "srv-odd", "srv-old", "srv-silent", "srv-sound"],
    "state=silent&silent=120": [],
    "state=clock&clock=120": [],
    "site=ami": ["srv-odd"],
    "site=none": ["srv-old"],
    "cluster=esx-a": ["srv-sound"],
    "words=SRV-O": ["srv-odd", "srv-old"],
    "words=srv sound": ["srv-sound"],
    "site=tls&state=no_source": ["srv-blind"],
}


def test_the_hosts_are_narrowed_by_state_site_cluster_and_name(hosts: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    assert {asked: named(ops.fragment(f"/fleet?{asked}").text) for asked in FILTERS} == FILTERS
    assert "<html" not in ops.fragment("/fleet").text


def test_a_state_counts_what_the_other_filters_leave(hosts: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/fleet?site=tls").text
    chips = dict(re.findall(r'<a class="button[^>]*>([^<]+?)\s(\d+)</a>', page))
    assert chips["muet"] == "1"
    assert chips["énergie inconnue"] == "1"
    assert chips["retiré du parc"] == "1"
    assert chips["Amiens"] == "1"
    assert "horloge décalée" not in chips


def test_a_line_tells_when_by_what_how_much_and_what_is_amiss(hosts: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/fleet").text
    sound, odd = line(page, "srv-sound"), line(page, "srv-odd")
    assert "Toulouse, esx-a" in sound
    assert "redfish mesuré entrée du serveur" in sound
    assert "300 W" in sound
    assert "100 %" in sound.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "à l'heure" in sound
    assert "model modélisé" in odd
    assert "bmc : pas de capteur de puissance dans cette machine" in odd
    assert "avance de 90 s" in odd
    assert "collectors 0.1.9" in line(page, "srv-old")
    assert "inconnue" in line(page, "srv-blind")
    assert "inconnu" in line(page, "srv-blind")
    assert "0 W" not in line(page, "srv-blind")


def test_the_file_holds_every_line_of_the_list(hosts: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.OPS).get("/fleet.csv?state=gap")
    assert answer.mimetype == "text/csv"
    head, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
    (row,) = [dict(zip(head, one, strict=True)) for one in rows]
    assert row["Hôte"] == "srv-odd"
    assert row["Qualité"] == "modélisé"
    assert row["Puissance moyenne de la dernière heure (W)"] == "120,0"
    assert row["Avance de l'horloge (s)"] == "90,0"


def statements(browser: Browser, address: str) -> int:
    browser.get(address)  # the first page of a browser also notes that somebody is there
    seen: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    engine = browser.application.extensions["console"].database.engine
    event.listen(engine, "before_cursor_execute", note)
    assert browser.get(address).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_the_statements_are_as_many_for_one_host_as_for_many(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    addresses = ("/fleet", "/fleet/live", "/fleet/workloads", "/fleet/reconciliation")
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        fleet.heard(session, Told("srv-00", {"redfish": 300, "rapl": 200}), hours=1)
    few = [statements(browser, address) for address in addresses]
    with database.write(Operator()) as session:
        for number in range(1, 6):
            told = Told(f"srv-{number:02}", {"redfish": 300, "rapl": 200}, cluster=f"esx-{number}")
            fleet.heard(session, told, hours=1)
    assert [statements(browser, address) for address in addresses] == few


def test_a_host_shows_its_sensors_its_day_and_its_workloads(hosts: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    page = ops.get(f"/fleet/{m.stable_id('srv-odd')}").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Essai Xeon 6248" in page
    assert "2 socles" in page
    assert "pas de capteur de puissance dans cette machine" in page
    assert "model (modélisé)" in page  # the legend of the chart
    assert "payroll" in page
    assert "non affectée" in page
    assert ops.get("/fleet/7").status_code == 404
    assert ops.get(f"/fleet/{2**63}").status_code == 404


def test_where_another_source_takes_over_the_day_says_so(database: Database, sign_in_as: SignIn) -> None:
    now = datetime.now(UTC)
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        before = hour_of(now) - HOUR
        fleet.heard(session, Told("srv-01", {"rapl": 200}), hours=2, until=before)
        stream = Told("srv-01", {"rapl": 200, "redfish": 310})
        fleet.heard(session, stream, hours=1)
    page = sign_in_as(Role.OPS).get(f"/fleet/{m.stable_id('srv-01')}").text
    assert "changement de source" in page
    assert re.search(r"rapl, puis redfish", page)


def test_what_is_declared_of_a_host_holds_from_its_hour_on(hosts: Database, sign_in_as: SignIn) -> None:
    host_id = m.stable_id("srv-sound")
    ops, address = sign_in_as(Role.OPS), f"/fleet/{m.stable_id('srv-sound')}"
    this_hour = re.search(r'name="valid_from"[^>]*value="([^"]+)"', ops.get(address).text)
    assert this_hour is not None
    form = {"valid_from": this_hour[1], "idle_power_w": "110,5", "idle_policy": "operator", "source": ""}
    assert ops.submit(f"{address}/terms", **form).status_code == 303
    page = ops.get(address).text
    assert "en vigueur" in page
    assert "gardée par l'opérateur" in page
    with hosts.read(Operator()) as session:
        (terms,) = session.query(f.HostTerms).filter_by(host_id=host_id)
        assert terms.idle_power_mw == 110_500
        assert terms.valid_from == hour_of(datetime.now(UTC))


REFUSED = (
    ("valid_from", "hier"),
    ("valid_from", "2020-01-01T10:00"),
    ("valid_from", f"{datetime.now(UTC):%Y-%m-%dT%H:30}"),
    ("idle_power_w", "beaucoup"),
    ("idle_policy", "lottery"),
    ("source", "smoke"),
)


def test_what_cannot_be_declared_is_refused_on_its_field(hosts: Database, sign_in_as: SignIn) -> None:
    ops, address = sign_in_as(Role.OPS), f"/fleet/{m.stable_id('srv-sound')}/terms"
    hour = f"{hour_of(datetime.now(UTC)) + DAY:%Y-%m-%dT%H:00}"
    good = {"valid_from": hour, "idle_power_w": "", "idle_policy": "", "source": ""}
    for field, value in REFUSED:
        answer = ops.submit(address, **good | {field: value})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), (field, value)
    with hosts.read(Operator()) as session:
        assert session.query(f.HostTerms).count() == 0


def test_where_a_host_stood_is_said_for_hours_that_passed(hosts: Database, sign_in_as: SignIn) -> None:
    ops, address = sign_in_as(Role.OPS), f"/fleet/{m.stable_id('srv-sound')}"
    assert "Où l&#39;hôte se trouvait" not in ops.get(address).text
    form = {"site": "ami", "since": "2026-01-02T00:00", "until": "2026-02-03T10:00"}
    assert ops.submit(f"{address}/place", **form).status_code == 303
    page = text_of(ops.get(address).text)
    assert re.search(r"3 février 2026, 10:00 Amiens", page)
    assert re.search(r"2 janvier 2026, 00:00 Toulouse", page)
    log = text_of(sign_in_as(Role.ADMINISTRATOR).get("/audit?thing=host").text)
    assert "Centre de données de l'hôte srv-sound dit pour des heures passées" in log


MISPLACED = (
    ("site", "atlantis"),
    ("since", "hier"),
    ("since", "2026-01-02T00:30"),
    ("until", "2026-01-01T00:00"),
    ("until", ""),  # its agent tells Toulouse
)


def test_a_place_that_cannot_be_is_refused_on_its_field(hosts: Database, sign_in_as: SignIn) -> None:
    ops, address = sign_in_as(Role.OPS), f"/fleet/{m.stable_id('srv-sound')}/place"
    good = {"site": "ami", "since": "2026-01-02T00:00", "until": "2026-02-03T10:00"}
    for field, value in MISPLACED:
        answer = ops.submit(address, **good | {field: value})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), (field, value)
    with hosts.read(Operator()) as session:
        assert session.query(f.HostStay).count() == 0


def test_a_host_is_retired_and_comes_back(hosts: Database, sign_in_as: SignIn) -> None:
    ops, address = sign_in_as(Role.OPS), f"/fleet/{m.stable_id('srv-silent')}"
    assert "4 sur 5" in ops.get("/").text  # heard, on the first page
    assert ops.submit(f"{address}/retirement").status_code == 303
    assert "srv-silent" not in named(ops.get("/fleet").text)
    assert "4 sur 4" in ops.get("/").text
    assert ops.submit(f"{address}/retirement").status_code == 409
    assert ops.submit(f"{address}/return").status_code == 303
    assert "srv-silent" in named(ops.get("/fleet").text)


def test_the_first_page_leads_to_the_hosts_and_tells_their_gaps_in_french(
    hosts: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.OPS).get("/").text.replace("\N{NO-BREAK SPACE}", " ")
    assert f'href="/fleet/{m.stable_id("srv-odd")}">srv-odd</a>' in page
    assert "bmc : pas de capteur de puissance dans cette machine" in page


def test_a_calibration_that_cannot_be_made_says_why(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        host_id = fleet.heard(session, Told("srv-01", {"rapl": 200, "redfish": 310}))
    ops = sign_in_as(Role.OPS)
    assert ops.submit(f"/fleet/{host_id}/calibration").status_code == 303
    page = ops.get(f"/fleet/{host_id}").text
    assert "rapl sur redfish" in page
    assert "trop peu d&#39;intervalles" in page


def test_the_impact_of_a_host_is_those_it_serves_now(hosts: Database, sign_in_as: SignIn) -> None:
    host_id, began = m.stable_id("srv-sound"), datetime.now(UTC) - 2 * DAY
    with hosts.write(Operator()) as session:
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, PAMIERS, "payroll")
        session.add_all(
            [
                claim(host_id, "nginx", FOIX, began),
                claim(m.stable_id("srv-odd"), "nginx", FOIX, began),
                claim(host_id, "payroll", PAMIERS, began, until=began + DAY),
                k.ServiceClaim(
                    service_code="payroll",
                    host_id=host_id,
                    workload_id=m.stable_id("payroll"),
                    host_name="srv-sound",
                    workload_name="payroll",
                    valid_from=began,
                    claimed_by="test",
                    claimed_at=began,
                ),
            ]
        )
        given.an_open_incident(session, FOIX, "Admissions arrêtées")
    page = sign_in_as(Role.OPS).get(f"/fleet/{host_id}/impact").text
    touched = re.findall(r'<th scope="row"><a href="/adherents/(\d+)">', page)
    assert touched == [str(FOIX), str(PAMIERS)]
    assert "1 autre hôte" in page
    assert "nulle part" in page
    assert "Admissions arrêtées" in page
    assert f'href="/adherents/{PAMIERS}/contacts"' in page
    table = sign_in_as(Role.OPS).get(f"/fleet/{host_id}/impact.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    assert [row[0] for row in rows[1:]] == ["CH de Foix", "CH de Pamiers"]


@pytest.mark.parametrize(
    ("told", "adherents"), [([], 0), ([None, None], None), ([None, False], 0), ([None, True], 1)]
)
def test_a_day_of_which_no_calendar_tells_is_unknown_and_not_critical_for_nobody(
    told: list[bool | None], adherents: int | None
) -> None:
    lines = [
        Touched(number, "CH", 1, "x", "x", "x", None, [], False, 0, critical, None, None, [])
        for number, critical in enumerate(told)
    ]
    assert Impact(1, "srv-01", lines, 0).critical == adherents


def test_workloads_that_nobody_claims_are_not_nobody_touched(hosts: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get(f"/fleet/{m.stable_id('srv-odd')}/impact").text
    assert "Qui est touché n'est pas connu" in page


def test_a_machine_that_moved_away_touches_nobody_on_the_host_it_left(
    hosts: Database, sign_in_as: SignIn
) -> None:
    left, went = m.stable_id("srv-sound"), m.stable_id("srv-odd")
    began = datetime.now(UTC) - 9 * DAY
    with hosts.write(Operator()) as session:
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, PAMIERS, "payroll")
        last = hour_of(began)
        for host_id, hour in ((left, last + 8 * DAY), (went, last + 9 * DAY - HOUR)):
            session.add(a_workload(host_id, "vm:mail", "mail", hour, uid="mail"))
            session.add(claim(host_id, "vm:mail", FOIX, began))
        session.add(a_workload(left, "batch", "batch", last))  # of more than a week ago: it is gone
        session.add(a_workload(left, "other", "other", last))
        session.add(claim(left, "batch", PAMIERS, began))
        session.flush()
        now = datetime.now(UTC)
        before, after = (impact_of(session, host_id, now.date(), now=now) for host_id in (left, went))
    assert (before.adherents, before.unclaimed) == (0, 2)  # payroll and nginx run, other does not
    assert [(line.tenant_id, line.elsewhere) for line in after.lines] == [(FOIX, 0)]
    assert after.alone == 1


def a_workload(host_id: int, key: str, name: str, last_hour: datetime, uid: str | None = None) -> m.Workload:
    return m.Workload(
        host_id=host_id,
        workload_id=m.stable_id(key),
        name=name,
        kind="vm",
        uid=uid,
        last_hour=last_hour,
    )


def claim(
    host_id: int, workload: str, tenant_id: int, since: datetime, until: datetime | None = None
) -> c.WorkloadClaim:
    return c.WorkloadClaim(
        tenant_id=tenant_id,
        subscription=1,
        host_id=host_id,
        workload_id=m.stable_id(workload),
        host_name="srv",
        workload_name=workload,
        valid_from=since,
        valid_to=until,
        claimed_by="test",
        claimed_at=since,
    )


def test_the_fleet_is_for_those_who_run_it(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    for other in (sign_in_as(Role.CIO, FOIX), sign_in_as(Role.ACCOUNT_MANAGER, FOIX)):
        for address in ("/fleet", "/fleet/7", "/fleet/7/impact", "/fleet/live", "/fleet.csv"):
            assert other.get(address).status_code == 403, address


def test_an_auditor_reads_and_changes_nothing(hosts: Database, sign_in_as: SignIn) -> None:
    auditor, address = sign_in_as(Role.AUDITOR), f"/fleet/{m.stable_id('srv-sound')}"
    page = auditor.get(address).text
    assert "<form" not in page.split("<main", 1)[1].split("</main>", 1)[0]
    for deed in ("terms", "calibration", "retirement", "return"):
        assert auditor.submit(f"{address}/{deed}").status_code == 403


def test_the_pages_of_the_fleet_speak_english(hosts: Database, sign_in_as: SignIn) -> None:
    english = sign_in_as(Role.OPS, locale="en")
    page = english.get("/fleet").text
    assert "silent" in page
    assert "no power sensor in this machine" in page
