"""Figures that look like those of a real month, for the tests of the reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from reports.figures import (
    Adherent,
    Attribution,
    Basis,
    Boundary,
    Coverage,
    DayEnergy,
    Factor,
    Incident,
    InrStatement,
    Line,
    Perimeter,
    Period,
    Quality,
    SlaState,
    Source,
)

PARIS = "Europe/Paris"
KWH = 3_600_000_000
FACTOR = Factor(
    factor_id="ademe-fr-2024",
    publisher="ADEME",
    title="Électricité, mix moyen de consommation",
    vintage=2024,
    perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE,
    geography="FRA",
    intensity_mg_per_kwh=52_000,
    low_mg_per_kwh=46_800,
    high_mg_per_kwh=57_200,
    licence="Licence Ouverte 2.0",
    source="https://base-empreinte.ademe.fr",
    retrieved_on=date(2026, 9, 12),
    confirmed=False,
    provisional=True,
)
CONFIRMED = replace(FACTOR, factor_id="ademe-fr-2026", vintage=2026, confirmed=True, provisional=False)


def a_line(workload: str, energy_mj: int | None, **changes: object) -> Line:
    """A measured line with its carbon by the given factor, or an unknown one."""
    known = {} if energy_mj is None else {
        "measured_mj": energy_mj,
        "carbon_ug": energy_mj * 52_000 // 3_600_000,
        "factor_id": FACTOR.factor_id,
    }  # fmt: skip
    fields = {"subscription": "C-2026-014", "service": "Hébergement HDS", **known, **changes}
    return Line(workload=workload, energy_mj=energy_mj, **fields)  # type: ignore[arg-type]


def days_of(first_day: date, known_days: range, total_mj: int, count: int) -> tuple[DayEnergy, ...]:
    """Days of uneven energy that add up to the total; the others of the month are unknown."""
    weights = {day: 4 + day * 7 % 5 for day in known_days}
    amounts = {day: total_mj * weight // sum(weights.values()) for day, weight in weights.items()}
    amounts[known_days[0]] += total_mj - sum(amounts.values())
    return tuple(
        DayEnergy(day=first_day + timedelta(days=day - 1), energy_mj=amounts.get(day))
        for day in range(1, count + 1)
    )


def incidents() -> tuple[Incident, ...]:
    """One met and one whose clock is stopped."""
    return (
        Incident(
            number="INC0001203",
            title="Bulletins de paie : édition bloquée",
            priority="P2",
            opened_at=datetime(2026, 10, 6, 7, 12, tzinfo=UTC),
            due_at=datetime(2026, 10, 6, 15, 12, tzinfo=UTC),
            state=SlaState.MET,
        ),
        Incident(
            number="INC0001377",
            title="Lenteurs à l'ouverture du dossier patient",
            priority="P3",
            opened_at=datetime(2026, 10, 21, 13, 5, tzinfo=UTC),
            due_at=None,
            state=SlaState.WAITING,
        ),
    )


def a_statement(**changes: object) -> InrStatement:
    """October 2026 of a hospital: several services, one modelled workload, its first two days unknown."""
    first_day = date(2026, 10, 1)
    lines = (
        a_line("dpi-base-01", 61 * KWH + 123, energy_min_mj=60 * KWH, energy_max_mj=63 * KWH),
        a_line("dpi-web", 18 * KWH + 77_001),
        a_line(
            "paie-lot", 7 * KWH + 5, subscription="C-2026-051", service="Production de paie",
            measured_mj=0, modelled_mj=7 * KWH + 5,
        ),
        a_line("paie-web", 900_123, subscription="C-2026-051", service="Production de paie"),
    )  # fmt: skip
    fields: dict[str, object] = {
        "adherent": Adherent(name="CHU de Reims", finess_ej="510000029", zone=PARIS),
        "period": Period.of_month(first_day, PARIS),
        "lines": lines,
        "days": days_of(first_day, range(3, 32), sum(line.energy_mj or 0 for line in lines), 31),
        "coverage": Coverage(covered_hours=701, elapsed_hours=745),
        "factors": (FACTOR,),
        "basis": Basis.YEARLY_AVERAGE,
        "attribution": Attribution(policy="used", version="1"),
        "sources": (
            Source(
                name="rapl",
                boundary=Boundary.PACKAGE_DRAM,
                quality=Quality.MEASURED,
                energy_mj=79 * KWH + 977_247,
            ),
            Source(
                name="modèle de charge",
                boundary=Boundary.SERVER_INPUT,
                quality=Quality.MODELLED,
                energy_mj=7 * KWH + 5,
            ),
        ),
        "incidents": incidents(),
        "generated_at": datetime(2026, 11, 3, 8, 30, tzinfo=UTC),
        "generated_by": "Console INR 0.1.0",
    }
    return InrStatement(**{**fields, **changes}).judged()  # type: ignore[arg-type]


def a_first_statement() -> InrStatement:
    """The first minutes of a virtual machine: 3 Wh, all modelled, the month running."""
    first_day = date(2026, 11, 1)
    energy_mj = 3 * KWH // 1000
    return a_statement(
        period=Period.of_month(first_day, PARIS),
        lines=(
            a_line(
                "nginx", energy_mj, measured_mj=0, modelled_mj=energy_mj, carbon_ug=156_000,
                carbon_min_ug=140_400, carbon_max_ug=171_600,
            ),
        ),
        days=days_of(first_day, range(24, 25), energy_mj, 24),
        coverage=Coverage(covered_hours=1, elapsed_hours=579),
        sources=(
            Source(
                name="codecarbon",
                boundary=Boundary.SERVER_INPUT,
                quality=Quality.MODELLED,
                energy_mj=energy_mj,
            ),
        ),
        incidents=(),
        generated_at=datetime(2026, 11, 25, 3, 30, tzinfo=UTC),
    )  # fmt: skip
