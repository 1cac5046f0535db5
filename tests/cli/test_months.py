"""`console months`: closes what is over, once, and finds what was changed behind its back."""

from datetime import date

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from console.cli import months
from console.store.models.carbon import CarbonMonth
from console.store.models.service_months import ServiceMonth
from console.store.session import Database, Operator
from tests import given
from tests.actions.test_carbon_months import told as carbon_past

pytestmark = pytest.mark.both_databases
MONTH = date(2025, 10, 1)


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id in (11, 12):
            given.an_adherent(session, tenant_id, f"CH {tenant_id}")
            given.a_subscription(session, tenant_id, "hds-iaas", starts_on=date(2025, 1, 1))
    return database


def run(shell: CliRunner, *arguments: str) -> tuple[int, str]:
    done = shell.invoke(months.group, arguments)
    return done.exit_code, done.output.strip()


def hashes(database: Database) -> list[str]:
    with database.read(Operator()) as session:
        row = ServiceMonth
        return list(
            session.scalars(select(row.sha256).order_by(row.tenant_id, row.subscription, row.revision))
        )


def test_a_month_is_closed_for_every_adherent_and_only_once(two: Database, shell: CliRunner) -> None:
    code, said = run(shell, "close", "2025-10")
    closed = hashes(two)
    assert (code, said) == (0, f"{len(closed)} service months closed for 2 adherents")
    assert len(closed) >= 2
    assert run(shell, "close", "2025-10") == (0, "0 service months closed for 2 adherents")
    assert hashes(two) == closed


def test_months_of_carbon_close_where_they_are_final_and_are_verified(
    database: Database, shell: CliRunner
) -> None:
    with database.write(Operator()) as session:
        carbon_past(session)
    told = run(shell, "close-carbon", "2026-03")
    assert told == (0, "0 carbon months closed of 2 adherents\n2 are provisional and stay open")
    assert run(shell, "close-carbon", "2026-03", "--provisional", "--adherent", "7") == (
        0,
        "1 carbon months closed of 1 adherents\n"
        "factor to confirm: ADEME, Base Carbone, électricité 2022, mix moyen de consommation, "
        "France continentale, 2022 (in 1 of the months closed)",
    )
    assert run(shell, "verify") == (0, "every closed month holds")
    with database.write(Operator()) as session:
        session.execute(update(CarbonMonth).values(energy_mj=1))
    assert run(shell, "verify") == (1, "adherent 7, carbon, 2026-03, revision 1: does not hold")


def test_one_adherent_may_be_closed_alone(two: Database, shell: CliRunner) -> None:
    assert run(shell, "close", "2025-10", "--adherent", "12")[0] == 0
    with two.read(Operator()) as session:
        assert set(session.scalars(select(ServiceMonth.tenant_id))) == {12}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["close", "2999-01"], "Error: 2999-01 is not over", id="a month to come"),
        pytest.param(["close", "2025-13"], "'2025-13' is not a month such as 2026-10", id="no month"),
        pytest.param(
            ["close", "2025-10", "--adherent", "99"], "Error: no adherent 99", id="no such adherent"
        ),
        pytest.param(["verify", "--adherent", "99"], "Error: no adherent 99", id="nothing to check"),
    ],
)
def test_what_cannot_be_done_is_told(
    two: Database, shell: CliRunner, arguments: list[str], said: str
) -> None:
    code, output = run(shell, *arguments)
    assert code != 0
    assert said in output
    assert hashes(two) == []


def test_a_month_that_was_tampered_with_is_named(two: Database, shell: CliRunner) -> None:
    run(shell, "close", "2025-10")
    assert run(shell, "verify") == (0, "every closed month holds")
    with two.write(Operator()) as session:
        session.execute(update(ServiceMonth).where(ServiceMonth.tenant_id == 12).values(outage_s=1))
    code, output = run(shell, "verify")
    assert code == 1
    assert "adherent 12, subscription 2, 2025-10, revision 1: does not hold" in output
    assert "adherent 11" not in output
    assert run(shell, "verify", "--adherent", "11") == (0, "every closed month holds")
