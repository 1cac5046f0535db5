"""`console import facility`, `grid`, `factors`, `cmdb`: tried, then stored; refused rows make it fail."""

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import func, select

from console.cli import directory
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s
from console.store.session import Database, Operator
from tests import given

FOIX = 11
ECO2MIX = Path(__file__).parents[1] / "data" / "eco2mix" / "odre_eco2mix-national-tr_2021-12_cut.csv"


def run(shell: CliRunner, *arguments: str | Path) -> Result:
    return shell.invoke(directory.group, [*map(str, arguments)])


def count(database: Database, table: type) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_meters_of_a_site_are_tried_stored_and_stored_again_without_effect(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "compteurs.csv"
    file.write_text("mois;énergie totale (MWh);énergie IT (MWh);eau (m3);fluide\n2026-10;151,5;100;180;R32\n")
    told = ("facility", file, "--site", "Toulouse", "--category", "2")
    tried = run(shell, *told, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "new        3" in tried.output
    assert "ignored    fluide" in tried.output
    assert count(database, s.SiteMeasure) == 0
    assert "3 measures imported." in run(shell, *told, "--yes").output
    assert "Nothing to import." in run(shell, *told, "--yes").output
    file.write_text(file.read_text().replace("151,5", "99"))
    wrong = run(shell, *told, "--yes")
    assert wrong.exit_code == 1
    assert "line 2, amount: The total energy (99000 kWh) would be below that of the IT" in wrong.output
    file.write_text(file.read_text().replace("99", "152"))
    assert (
        "e_dc of site from 2026-09-30 22:00Z: 151500 kWh -> 152000 kWh" in run(shell, *told, "--yes").output
    )
    elsewhere = run(shell, "facility", file, "--site", "Lyon")
    assert elsewhere.exit_code == 1
    assert "ami (Amiens), tls (Toulouse)" in elsewhere.output


def test_intensities_of_a_grid_are_stored_once(shell: CliRunner, database: Database) -> None:
    told = ("grid", ECO2MIX, "--zone", "fra")
    tried = run(shell, *told, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "500 rows of RTE" in tried.output
    assert count(database, s.GridIntensity) == 0
    assert "500 intensities of FR added, 0 replaced." in run(shell, *told, "--yes").output
    again = run(shell, *told, "--yes")
    assert "unchanged  500" in again.output
    assert "Nothing to import." in again.output
    for zone in ("XXX", "MYT"):
        elsewhere = run(shell, "grid", ECO2MIX, "--zone", zone)
        assert elsewhere.exit_code == 1, zone
    assert count(database, s.GridIntensity) == 500


BASE_CARBONE = Path(__file__).parents[1] / "data" / "base_carbone" / "base_carbone_v22_cut.csv"


def test_factors_of_the_base_carbone_are_tried_stored_and_stored_again_without_effect(
    shell: CliRunner, database: Database
) -> None:
    before = count(database, b.EmissionFactor)
    tried = run(shell, "factors", BASE_CARBONE, "--dry-run")
    assert tried.exit_code == 0, tried.output
    for said in ("new        1", "56900 mg/kWh", "left out   2  (no year)", "Nothing was changed."):
        assert said in tried.output, said
    assert count(database, b.EmissionFactor) == before
    assert "1 factors imported." in run(shell, "factors", BASE_CARBONE, "--yes").output
    assert "Nothing to import." in run(shell, "factors", BASE_CARBONE, "--yes").output
    assert count(database, b.EmissionFactor) == before + 1


def test_factors_of_a_table_are_read_by_its_columns(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "aib.csv"
    file.write_text("an;taux\n2025;0,0403\n2024;beaucoup\n")
    unknown = run(shell, "factors", file, "--yes")
    assert unknown.exit_code == 1
    assert "say which column" in unknown.output
    fixed = ("publisher=AIB", "title=Residual mix", "perimeter=residual_mix", "geography=fr", "licence=-",
             "source=page 3")  # fmt: skip
    told = [part for text in fixed for part in ("--set", text)]
    columns = ("--column", "vintage=an", "--column", "value=taux", "--unit", "kg/kWh", "--official")
    done = run(shell, "factors", file, *columns, *told, "--yes")
    assert done.exit_code == 1  # one row is refused
    assert "line 3" in done.output
    assert "1 factors imported." in done.output
    with database.read(Operator()) as session:
        row = session.get_one(b.EmissionFactor, "aib-fra-2025-residual")
        assert (row.intensity_mg_per_kwh, row.confirmed) == (40_300, True)
    assert run(shell, "factors", file, "--column", "vintage", "--yes").exit_code == 2


def test_machines_of_a_cmdb_are_claimed_row_by_row(
    shell: CliRunner, database: Database, tmp_path: Path
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX)
        given.a_metered_morning(session, datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    file = tmp_path / "cmdb.csv"
    file.write_text(
        "hôte;machine virtuelle;étiquettes\n"
        'srv-01;payroll;"adherent=CH de Foix;service=payroll"\n'
        'srv-01;autre;"adherent=11;service=payroll"\n'
        'srv-01;nginx;"adherent=99;service=payroll"\n'
    )
    told = ("cmdb", file, "--from", "2026-11-01")
    tried = run(shell, *told, "--dry-run")
    assert tried.exit_code == 1, tried.output
    assert "line 2, payroll on srv-01: CH de Foix, payroll from 2026-11-01" in tried.output
    assert "line 3, autre: no host has told of it yet" in tried.output
    assert "line 4, nginx: adherent: No adherent is called “99”" in tried.output
    assert count(database, c.WorkloadClaim) == 0
    assert "1 machines claimed" in run(shell, *told, "--yes").output
    assert "unchanged  1" in run(shell, *told, "--yes").output
    assert count(database, c.WorkloadClaim) == 1
    assert "first day" in run(shell, "cmdb", file, "--yes").output
