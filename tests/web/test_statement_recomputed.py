"""The CSV of a statement is enough to reckon it again by hand, to what its PDF prints."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fractions import Fraction

import pytest
from pypdf import PdfReader
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.reckoning_due import make_months_due
from console.actions.statements import issue_statement
from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import Contract, ContractKind, Quantity
from console.domain.hours import month_bounds
from console.store.models import catalogue as c
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.browser import Browser
from tests.carbon_past import NOW, PARIS, a_meter, hours_of, intensity, reckon_all
from tests.given import an_adherent
from tests.sharing_past import a_metered_month, a_platform, takes, tells

SignIn = Callable[..., Browser]
MARCH = date(2026, 3, 1)  # of 743 hours
START, END = month_bounds(MARCH, PARIS)
HOURS = 743
KWH = 3_600_000_000
CAPTION = "Calcul de chaque ligne sur chaque base"
SIZES = {
    "Wh": 3_600_000, "kWh": KWH, "MWh": 1000 * KWH, "mg CO₂e": 10**3, "g CO₂e": 10**6, "kg CO₂e": 10**9,
    "t CO₂e": 10**12, "mL": 1, "L": 10**3, "m³": 10**6,
}  # fmt: skip


def embodied(session: Session, host: str, workload: str, embodied_ug: int) -> None:
    """What the making of a host gives a workload for the month."""
    session.merge(
        q.WorkloadMonth(
            month=MARCH, host_id=m.stable_id(host), workload_id=m.stable_id(workload), hours=HOURS,
            energy_mj=0, idle_mj=0, mcpu_hours=0, mb_hours=0, embodied_ug=embodied_ug, embodied_low_ug=None,
            embodied_high_ug=None, adpe_ug=None, primary_mj=None, terms={},
        )
    )  # fmt: skip


def a_whole_month(session: Session) -> None:
    """Two adherents, a shared platform and a metered site whose contract begins halfway."""
    for tenant_id, volume in ((7, 1301), (8, 977)):
        an_adherent(session, tenant_id, f"CH {tenant_id}")
        tells(session, tenant_id, takes(session, tenant_id), MARCH, volume)
    session.add(
        c.WorkloadClaim(
            tenant_id=7, subscription=1, host_id=m.stable_id("srv-01"), workload_id=m.stable_id("dpi"),
            host_name="srv-01", workload_name="dpi", valid_from=START - timedelta(days=9), claimed_by="test",
            claimed_at=START,
        )
    )  # fmt: skip
    session.flush()
    a_platform(session, START, HOURS, 2 * KWH // 7)
    hours_of(session, "srv-01", START, HOURS, {"dpi": KWH // 11, "other": 333_331}, kept_mj=77_777)
    a_metered_month(session, "tls", MARCH, 400 * KWH + 17, 577 * KWH + 5)
    a_meter(session, "tls", MARCH, Quantity.WATER, 612_345)
    for hour in range(HOURS - 5):  # of the last ones nobody tells
        intensity(session, START + timedelta(hours=hour), 1, 20_000 + 137 * (hour % 97))
    bought = Contract(
        ContractKind.PPA, "Parc", date(2026, 3, 12), date(2027, 1, 1), 600_000, 12_500, 1_000_000, "PPA-7"
    )
    facility.add_contract(session, "tls", bought, now=NOW, by="test")
    reckon_all(session)
    for host, workload, amount in (("srv-01", "dpi", 9_000_000_017), ("platform-01", "shared-db", 13**8)):
        embodied(session, host, workload, amount)
    session.flush()
    for tenant_id in (7, 8, OPERATOR_TENANT):
        make_months_due(session, [(tenant_id, MARCH)], now=NOW)
    reckon_all(session)
    for tenant_id in (7, 8, OPERATOR_TENANT):
        issue_statement(session, tenant_id, MARCH, now=NOW, by="test")


def rows_of(content: bytes, caption: str = CAPTION) -> Iterator[dict[str, str]]:
    """The rows of one table, of the reckoning of lines, and nothing else of the file."""
    told = iter(csv.reader(io.StringIO(content.decode("utf-8-sig").replace("\u00a0", " ")), delimiter=";"))
    assert any(row == [caption] for row in told)
    headings = next(told)
    for row in iter(lambda: next(told), []):
        yield dict(zip(headings, row, strict=True))


def number(row: dict[str, str], heading: str) -> int:
    return int(row[heading] or 0)


def carbon_of(row: dict[str, str]) -> int | None:
    """The carbon of a row from the other columns, in micrograms."""
    energy, overhead = number(row, "Énergie (mJ)"), number(row, "Surconsommation du site (mJ)")
    if row["Base"] == "yearly_average":
        exact = Fraction((energy + overhead) * number(row, "Intensité (mg CO2e/kWh)"))
    elif row["Base"] == "hourly_direct":
        it = number(row, "PUE : énergie IT (mJ)")
        pue = Fraction(it + number(row, "PUE : surconsommation (mJ)"), it)
        exact = number(row, "Somme énergie × intensité des heures (mJ·mg/kWh)") * pue
    else:
        parts = [part.split(" × ") for part in row["Contrats : part ppm × mg/kWh"].split(" + ")]
        known = [(int(share), int(of)) for share, of in parts if of != "?"]
        exact = (energy + overhead) * Fraction(sum(share * of for share, of in known), 10**6)
    return round(exact * 1000 / KWH)


def printed(text: str, label: str) -> tuple[Fraction, Fraction]:
    """The key figure under a label of the PDF in stored units, and how far it may be rounded."""
    found = re.search(rf"{label}\s+([\d\s]+(?:,\d+)?)\s(mg CO₂e|g CO₂e|kg CO₂e|t CO₂e|[kM]?Wh|mL|L|m³)", text)
    assert found is not None, (label, text)
    amount = re.sub(r"\s", "", found[1])
    decimals = len(amount.partition(",")[2])
    size = SIZES[found[2]]
    return Fraction(amount.replace(",", ".")) * size, Fraction(size, 2 * 10**decimals)


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        a_whole_month(session)
    return database


@pytest.mark.both_databases
@pytest.mark.parametrize("tenant_id", [7, 8])
def test_the_file_gives_the_totals_of_the_paper(
    database: Database, sign_in_as: SignIn, tenant_id: int
) -> None:
    browser = sign_in_as(Role.CIO, tenant_id)
    rows = list(rows_of(browser.get(f"/adherents/{tenant_id}/statements/1.csv").data))
    paper = PdfReader(io.BytesIO(browser.get(f"/adherents/{tenant_id}/statements/1.pdf").data))
    text = " ".join(
        " ".join(page.extract_text() for page in paper.pages)
        .replace("\u202f", " ")
        .replace("\u00a0", " ")
        .split()
    )
    assert {row["Nature"] for row in rows} == ({"own", "share"} if tenant_id == 7 else {"share"})
    assert {row["Base"] for row in rows} == {"yearly_average", "hourly_direct", "market_based"}
    for row in rows:
        assert carbon_of(row) == number(row, "Carbone (µg CO2e)"), row
        overhead = number(row, "Énergie (mJ)") * number(row, "PUE : surconsommation (mJ)")
        expected = overhead // number(row, "PUE : énergie IT (mJ)")
        slack = 0 if row["Nature"] == "own" else 1  # shares give away what rounding left
        assert abs(number(row, "Surconsommation du site (mJ)") - expected) <= slack, row
    usual = [row for row in rows if row["Base"] == "yearly_average"]
    for label, heading in (
        ("Énergie", "Énergie (mJ)"),
        ("Surconsommation du site", "Surconsommation du site (mJ)"),
        ("Carbone de l'usage", "Carbone (µg CO2e)"),
    ):
        shown, slack_of = printed(text, label)
        assert abs(shown - sum(number(row, heading) for row in usual)) <= slack_of
    for label, heading in (("Carbone incorporé", "Carbone incorporé (µg CO2e)"), ("Eau", "Eau (mL)")):
        shown, slack_of = printed(text, label)
        assert abs(shown - sum(number(row, heading) for row in rows)) <= slack_of


@pytest.mark.both_databases
@pytest.mark.parametrize("tenant_id", [7, 8])
def test_days_add_up_to_the_lines_shares_within(
    database: Database, sign_in_as: SignIn, tenant_id: int
) -> None:
    content = sign_in_as(Role.CIO, tenant_id).get(f"/adherents/{tenant_id}/statements/1.csv").data
    days = list(rows_of(content, "Énergie par jour"))
    usual = [row for row in rows_of(content) if row["Base"] == "yearly_average"]
    assert len(days) == 31
    for heading, kind in (
        ("Charges de travail (mJ)", "own"),
        ("Parts de services partagés (mJ)", "share"),
    ):
        of_kind = sum(number(row, "Énergie (mJ)") for row in usual if row["Nature"] == kind)
        assert sum(number(row, heading) for row in days) == of_kind


@pytest.mark.both_databases
def test_the_codes_of_the_file_are_put_into_words_in_the_file(database: Database, sign_in_as: SignIn) -> None:
    content = sign_in_as(Role.CIO, 7).get("/adherents/7/statements/1.csv").data
    told = {row["Code"] for row in rows_of(content, "Codes des colonnes « Nature » et « Base »")}
    assert {row[name] for row in rows_of(content) for name in ("Nature", "Base")} <= told


@pytest.mark.both_databases
def test_carbon_per_unit_is_what_the_page_of_the_service_tells(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, 8)
    content = browser.get("/adherents/8/statements/1.csv").data
    (row,) = rows_of(content, "SCI de chaque service")
    told = browser.get(f"/adherents/8/sci/{row['N°']}/sci.csv").data.decode("utf-8-sig")
    page = csv.DictReader(io.StringIO(told), delimiter=";")
    (seen,) = [one for one in page if one["Mois"] == "2026-03"]
    use, made, volume = (
        number(row, name)
        for name in ("Carbone de l'usage (µg CO2e)", "Carbone incorporé (µg CO2e)", "Volume")
    )
    assert volume == 977
    assert (row["Contenu"], row["Couverture (%)"]) == ("usage et fabrication", "100")
    assert round(Fraction(use + made, volume)) == number(row, "Par unité (µg CO2e)")
    assert row["Par unité (µg CO2e)"] == seen["SCI, µg CO2e par unité, arrondi"]


@pytest.mark.both_databases
def test_the_statements_of_all_add_up_to_the_site(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    energy = overhead = 0
    for tenant_id in (7, 8, OPERATOR_TENANT):
        rows = rows_of(browser.get(f"/adherents/{tenant_id}/statements/1.csv").data)
        usual = [row for row in rows if row["Base"] == "yearly_average"]
        energy += sum(number(row, "Énergie (mJ)") for row in usual)
        overhead += sum(number(row, "Surconsommation du site (mJ)") for row in usual)
    assert (energy, overhead) == (400 * KWH + 17, 177 * KWH - 12)
