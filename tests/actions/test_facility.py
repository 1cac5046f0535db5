"""Meters of a site are stored once, corrected, and refused where they cannot be."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select

from console.actions import facility
from console.actions.facility import Looked
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.facility import Contract, ContractKind, DeclaredPue, Quantity
from console.domain.facility_files import Defaults
from console.domain.site_judging import Verdict
from console.domain.site_measures import Measure, Quality
from console.store.models import audit as a
from console.store.models import site as s
from console.store.queries.sites import site_page
from console.store.session import Database, Operator

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
FILE = b"mois;EDC (MWh);EIT (MWh)\n2026-09;150;100\n2026-10;151;100\n"
MWH = 3_600_000_000_000


def take(database: Database, content: bytes, site: str = "tls") -> Looked:
    with database.write(Operator(), by="ops") as session:
        row = facility.site_called(session, site)
        found = facility.store_file(session, row, content, Defaults(category=2), now=NOW, by="ops")
        facility.note_import(session, row, "compteurs.csv", found)
        return found


def stored(database: Database) -> list[tuple[str, str, int]]:
    row = s.SiteMeasure
    with database.read(Operator()) as session:
        rows = session.scalars(select(row).order_by(row.site, row.started_at, row.quantity))
        return [(one.site, one.quantity.value, one.amount // MWH) for one in rows]


@pytest.mark.both_databases
def test_a_file_is_stored_once_and_again_changes_nothing(database: Database) -> None:
    found = take(database, FILE)
    assert found.counts()[Verdict.NEW] == 4
    assert stored(database) == [
        ("tls", "e_dc", 150),
        ("tls", "e_it", 100),
        ("tls", "e_dc", 151),
        ("tls", "e_it", 100),
    ]
    assert take(database, FILE).counts() == {Verdict.UNCHANGED: 4, Verdict.REFUSED: 0}
    corrected = take(database, FILE.replace(b"151", b"152"))
    assert (corrected.to_store, corrected.counts()[Verdict.CHANGED]) == (1, 1)
    assert ("tls", "e_dc", 152) in stored(database)
    with database.read(Operator()) as session:
        page = site_page(session, "tls", NOW.date())
    pue = page.summary.indicators[0]
    assert (pue.category, pue.months, pue.value) == (2, 2, Fraction(302, 200))
    assert [(meter.measures, meter.first.day, meter.last.day) for meter in page.meters] == [(2, 31, 31)] * 2


@pytest.mark.both_databases
def test_zones_of_a_site_are_stored_by_their_names_and_are_in_no_indicator_of_the_site(
    database: Database,
) -> None:
    take(database, FILE)
    take(database, b"mois;compteur;E_ZONE (MWh);E_IT_ZONE (MWh)\n2026-10;Salle A;78;60\n2026-10;Salle 2;5;\n")
    with database.read(Operator()) as session:
        page = site_page(session, "tls", NOW.date())
    assert page.summary.indicators[0].value == Fraction(301, 200)
    assert {quantity for quantity, _category in page.by_month} == {Quantity.TOTAL, Quantity.IT}
    found = [(zone.name, one.category, one.value) for zone in page.zones for one in zone.partial_pues]
    assert found == [("Salle 2", 0, None), ("Salle A", 2, Fraction(13, 10))]
    assert [one.alone[0].value for one in page.zones[1].series[-2:]] == [None, Fraction(13, 10)]


def test_what_a_correction_replaces_stays_in_the_log(database: Database) -> None:
    take(database, FILE)
    take(database, FILE.replace(b"151", b"152"))
    with database.read(Operator()) as session:
        entry = session.scalars(select(a.AuditEntry).where(a.AuditEntry.kind == "site.corrected")).one()
        payload = session.get_one(a.AuditPayload, (entry.tenant_id, entry.number))
        said = "e_dc site 2026-09-30T22:00Z: 151000 kWh (measured) -> 152000 kWh (measured)"
        assert payload.payload is not None
        assert said in payload.payload


def test_what_is_refused_keeps_nothing_else_back_and_is_counted_in_the_log(database: Database) -> None:
    found = take(database, FILE.replace(b"2026-10;151", b"2026-10;99"))
    assert [one.line for one in found.refused()] == [3, 3]
    assert "99000 kWh" in str(found.refused()[0].error)
    assert "100000 kWh" in str(found.refused()[0].error)
    assert len(stored(database)) == 2
    with database.read(Operator()) as session:
        entry = session.scalars(select(a.AuditEntry).where(a.AuditEntry.kind == "site.imported")).one()
        assert entry.subject == "tls/compteurs.csv"


def test_a_site_is_called_by_its_code_or_its_name(database: Database) -> None:
    with database.read(Operator()) as session:
        assert facility.site_called(session, "TOULOUSE").code == "tls"
        with pytest.raises(Invalid, match=r"ami \(Amiens\), tls \(Toulouse\)"):
            facility.site_called(session, "Lyon")


def measure(**changes: Any) -> Measure:
    told: dict[str, Any] = {
        "started_at": datetime(2026, 9, 30, 22, tzinfo=UTC),
        "ended_at": datetime(2026, 10, 31, 23, tzinfo=UTC),
        "quantity": Quantity.WATER,
        "category": 0,
        "meter": "site",
        "amount": 180_000_000,
        "quality": Quality.DECLARED,
    }
    return Measure(**told | changes)


def test_one_measure_by_form_is_judged_as_a_file_is(database: Database) -> None:
    def record(**changes: Any) -> bool:
        with database.write(Operator()) as session:
            return facility.record_measure(session, "ami", measure(**changes), now=NOW, by="ops")

    assert record()
    assert not record()
    assert record(amount=181_000_000)
    with pytest.raises(Invalid, match="se recouvrent"):
        record(started_at=datetime(2026, 10, 1, tzinfo=UTC))
    with pytest.raises(Invalid, match="finie"):
        record(ended_at=datetime(2026, 12, 1, tzinfo=UTC))
    with pytest.raises(Invalid, match="catégorie"):
        record(quantity=Quantity.IT)
    assert len(stored(database)) == 1


def declared(pue_ppm: int = 1_420_000) -> DeclaredPue:
    window = (date(2025, 1, 1), date(2025, 6, 30))
    return DeclaredPue(date(2026, 1, 1), pue_ppm, 1, *window, is_provisional=False, note="Audit 2025")


def test_a_declared_pue_of_the_same_day_is_corrected_and_provisional_under_a_year(database: Database) -> None:
    for ppm in (1_420_000, 1_410_000):
        with database.write(Operator(), by="ops") as session:
            facility.declare_pue(session, "tls", declared(ppm), now=NOW, by="ops")
    with database.read(Operator()) as session:
        (row,) = session.scalars(select(s.SitePue)).all()
        assert (row.pue_ppm, row.is_provisional, row.recorded_by) == (1_410_000, True, "ops")
        kinds = session.scalars(select(a.AuditEntry.kind).order_by(a.AuditEntry.number)).all()
        assert [kind for kind in kinds if kind.startswith("site_pue")] == [
            "site_pue.added",
            "site_pue.changed",
        ]


def contract(share_ppm: int) -> Contract:
    return Contract(
        kind=ContractKind.PPA,
        supplier="  Parc  éolien ",
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
        share_ppm=share_ppm,
        intensity_mg_per_kwh=None,
        renewable_ppm=1_000_000,
        evidence="PPA-7",
    )


def test_contracts_have_numbers_and_never_buy_more_than_the_whole(database: Database) -> None:
    def add(share_ppm: int, site: str = "tls") -> int:
        with database.write(Operator(), by="ops") as session:
            return facility.add_contract(session, site, contract(share_ppm), now=NOW, by="ops")

    assert [add(600_000), add(400_000), add(900_000, "ami")] == [1, 2, 1]
    with pytest.raises(Conflict, match="100 %"):
        add(1)
    with database.read(Operator()) as session:
        assert session.scalars(select(s.PowerContract.supplier)).first() == "Parc éolien"


@pytest.mark.parametrize(
    "deed",
    [
        lambda session: facility.declare_pue(session, "lyo", declared(), now=NOW, by="ops"),
        lambda session: facility.add_contract(session, "lyo", contract(1), now=NOW, by="ops"),
        lambda session: facility.record_measure(session, "lyo", measure(), now=NOW, by="ops"),
    ],
)
def test_a_site_that_is_none_has_nothing(database: Database, deed: Callable[..., Any]) -> None:
    with pytest.raises(NotFound), database.write(Operator()) as session:
        deed(session)
