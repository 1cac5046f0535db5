"""The power of a server as its controller tells it, against a real HTTPS server with the DMTF's mockup."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import Energy, Roots, SecretFile
from collectors.polling import NoAnswer, Sample
from collectors.sources.redfish import Counted, Redfish, RedfishSettings, Total
from tests.collectors.consoles import Console
from tests.collectors.controllers import PASSWORD, USER, Controller
from tests.collectors.instruments import read_as_it_goes

CHASSIS = "Chassis/1U"
METRICS = f"{CHASSIS}/EnvironmentMetrics"
BAY_1 = f"{CHASSIS}/PowerSubsystem/PowerSupplies/Bay1/Metrics"
TOTAL_ENERGY = f"{CHASSIS}/Sensors/TotalEnergy"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def controller(authority: trustme.CA) -> Iterator[Controller]:
    with Controller(authority) as served:
        yield served


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return tmp_path


def source_of(controller: Controller, files: Path, **other: Any) -> Redfish:
    fields: dict[str, Any] = {
        "address": controller.address,
        "user": USER,
        "password_file": SecretFile(files / "password"),
        "ca_file": files / "authority.pem",
        "timeout_seconds": 2.0,
    }
    return Redfish(Roots(), RedfishSettings(**fields | other))


def without(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


def only(controller: Controller, place: str) -> None:
    """The chassis with one of the places that tell a power."""
    places = {"EnvironmentMetrics", "Sensors", "PowerSubsystem", "Power"}
    controller.change(CHASSIS, **without(*places - {place}))


def test_the_metrics_of_the_chassis_are_believed_first_and_what_differs_is_told(
    controller: Controller, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        source = source_of(controller, files)
        sample = source.ask()
        source.ask()
    assert sample == Sample(374_000, None, low_mw=344_000, high_mw=937_400)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "EnvironmentMetrics says 374 W, and PowerSupplies 937.4 W, Power 344 W" in said[0]


@pytest.mark.parametrize(
    ("place", "power_mw"),
    [("EnvironmentMetrics", 374_000), ("Sensors", 374_000), ("PowerSubsystem", 937_400), ("Power", 344_000)],
)
def test_each_place_tells_the_power_where_the_others_are_missing(
    controller: Controller, files: Path, place: str, power_mw: int
) -> None:
    only(controller, place)
    assert source_of(controller, files).ask() == Sample(power_mw)


def test_an_absent_supply_without_a_reading_is_left_out_and_one_that_is_silent_makes_the_sum_unknown(
    controller: Controller, files: Path
) -> None:
    only(controller, "PowerSubsystem")
    assert source_of(controller, files).ask() == Sample(937_400)
    controller.change(BAY_1, InputPowerWatts={"Reading": None})
    with pytest.raises(NoAnswer, match="none of 1 chassis tells a power"):
        source_of(controller, files).ask()


@pytest.mark.parametrize("reading", [None, 0, 32767, 65535, -5, "374", True, 1e9])
def test_what_controllers_say_for_unknown_is_no_reading(
    controller: Controller, files: Path, reading: object
) -> None:
    only(controller, "EnvironmentMetrics")
    controller.change(METRICS, PowerWatts={"Reading": reading})
    with pytest.raises(NoAnswer, match="tells a power"):
        source_of(controller, files).ask()


@pytest.mark.parametrize("state", ["Absent", "Disabled", "UnavailableOffline"])
def test_a_sensor_that_is_not_at_work_is_not_read(controller: Controller, files: Path, state: str) -> None:
    only(controller, "Sensors")
    controller.change(f"{CHASSIS}/Sensors/TotalPower", Status={"State": state})
    with pytest.raises(NoAnswer):
        source_of(controller, files).ask()


@pytest.mark.parametrize(("unit", "reading", "power_mw"), [("kW", 0.374, 374_000), ("mW", 374_000, 374_000)])
def test_the_unit_of_a_sensor_is_its_own(
    controller: Controller, files: Path, unit: str, reading: float, power_mw: int
) -> None:
    only(controller, "Sensors")
    controller.change(f"{CHASSIS}/Sensors/TotalPower", Reading=reading, ReadingUnits=unit)
    assert source_of(controller, files).ask() == Sample(power_mw)


def test_a_unit_that_is_not_known_is_refused(controller: Controller, files: Path) -> None:
    only(controller, "Sensors")
    controller.change(f"{CHASSIS}/Sensors/TotalPower", ReadingUnits="[Btu_th]/h")
    with pytest.raises(NoAnswer, match=r"a power in '\[Btu_th\]/h' is not understood: one of W, kW, mW is"):
        source_of(controller, files).ask()


class TestCounters:
    @pytest.mark.parametrize(
        ("change", "first", "second", "counted_mj"),
        [
            ((METRICS, "EnergyJoules"), 1_000_000, 1_000_150, 150_000),
            ((TOTAL_ENERGY, "Reading"), 12.00001, 12.00005, 4 * 36_000),
        ],
    )
    def test_a_counter_with_a_fine_step_goes_before_the_power_in_its_own_unit(
        self,
        controller: Controller,
        files: Path,
        change: tuple[str, str],
        first: float,
        second: float,
        counted_mj: int,
    ) -> None:
        path, field = change
        source = source_of(controller, files)
        for reading in (first, second):
            controller.change(path, **{field: reading if field == "Reading" else {"Reading": reading}})
            sample = source.ask()
            time.sleep(0.25)
        assert sample.counted_mj == counted_mj

    def test_a_counter_of_whole_kilowatt_hours_is_not_used(self, controller: Controller, files: Path) -> None:
        source = source_of(controller, files)
        source.ask()
        controller.change(TOTAL_ENERGY, Reading=325_676)
        assert source.ask() == Sample(374_000, None, 344_000, 937_400)

    @pytest.mark.parametrize("joules", [1, 10**14])
    def test_a_counter_that_was_reset_or_set_counts_nothing(
        self, controller: Controller, files: Path, joules: int
    ) -> None:
        source = source_of(controller, files)
        for reading in (10_000_000, joules):
            controller.change(METRICS, EnergyJoules={"Reading": reading})
            assert source.ask().counted_mj is None

    def test_one_that_moves_once_a_minute_tells_what_the_power_did_not(self) -> None:
        counted = Counted()
        told_mj = 0.0
        for at_s in range(0, 301, 10):
            total = Total("EnergyJoules", 400_000 * (at_s // 60 * 60), 1000)
            said_mj = counted.since_last(total, 380_000, float(at_s))
            told_mj += 380_000 * 10 if said_mj is None and at_s else said_mj or 0
        assert told_mj == 400_000 * 300

    @given(
        moves=st.lists(st.integers(1, 6), min_size=1, max_size=10),
        powers_mw=st.lists(st.integers(200_000, 500_000), min_size=60, max_size=60),
    )
    def test_whenever_it_moves_what_is_told_in_all_is_what_it_counted(
        self, moves: list[int], powers_mw: list[int]
    ) -> None:
        counted, told_mj, true_mj, stands_mj = Counted(), 0.0, 0, 0
        counted.since_last(Total("EnergyJoules", 0, 1000), powers_mw[0], 0.0)
        answers = iter(range(1, 60))
        for move in moves:
            for place in range(move):
                answer = next(answers)
                true_mj += (powers_mw[answer - 1] + powers_mw[answer]) * 11 // 2
                stands_mj = true_mj if place == move - 1 else stands_mj
                said_mj = counted.since_last(
                    Total("EnergyJoules", stands_mj, 1000), powers_mw[answer], 10.0 * answer
                )
                by_power_mj = (powers_mw[answer - 1] + powers_mw[answer]) / 2 * 10
                told_mj += by_power_mj if said_mj is None else said_mj
        assert told_mj == pytest.approx(true_mj, abs=len(moves))

    def test_an_energy_in_an_unknown_unit_is_refused_and_the_power_goes_on(
        self, controller: Controller, files: Path
    ) -> None:
        controller.change(TOTAL_ENERGY, ReadingUnits="hp.h", Reading=12.00001)
        assert source_of(controller, files).ask().power_mw == 374_000
        controller.change(CHASSIS, EnvironmentMetrics=None, PowerSubsystem=None, Power=None)
        controller.changed[f"{CHASSIS}/Sensors/TotalPower"] = None
        with pytest.raises(NoAnswer, match=r"TotalEnergy: an energy in 'hp\.h' is not understood"):
            source_of(controller, files).ask()


class TestChassis:
    def two(self, controller: Controller) -> None:
        members = [{"@odata.id": f"/redfish/v1/Chassis/{name}"} for name in ("1U", "Enclosure")]
        controller.change("Chassis", Members=members)
        enclosure = controller.resource(CHASSIS) | {"Id": "Enclosure"}
        controller.changed["Chassis/Enclosure"] = enclosure

    def test_one_that_tells_no_power_is_passed_over(self, controller: Controller, files: Path) -> None:
        self.two(controller)
        controller.changed["Chassis/Enclosure"] = {"Id": "Enclosure"}
        assert source_of(controller, files).ask().power_mw == 374_000

    def test_of_several_that_tell_a_power_one_is_to_be_named(
        self, controller: Controller, files: Path
    ) -> None:
        self.two(controller)
        with pytest.raises(NoAnswer, match="several chassis tell a power: 1U, Enclosure; set chassis"):
            source_of(controller, files).ask()
        assert source_of(controller, files, chassis="1U").ask().power_mw == 374_000

    def test_one_that_is_not_there_is_said(self, controller: Controller, files: Path) -> None:
        with pytest.raises(NoAnswer, match="Chassis/2U: the controller answered 404"):
            source_of(controller, files, chassis="2U").ask()


def test_once_surveyed_one_request_tells_the_power(controller: Controller, files: Path) -> None:
    source = source_of(controller, files)
    source.ask()
    controller.asked.clear()
    source.ask()
    assert controller.asked == {METRICS: 1}


def test_a_place_that_falls_silent_is_a_gap_and_the_next_place_is_taken(
    controller: Controller, files: Path
) -> None:
    source = source_of(controller, files)
    source.ask()
    controller.change(METRICS, PowerWatts={"Reading": None})
    with pytest.raises(NoAnswer, match="EnvironmentMetrics gives no power any more"):
        source.ask()
    assert source.ask().power_mw == 374_000  # of the sensor


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (b"<html>login</html>", "not JSON"),
        (b"[1]", "not a resource"),
        (b"[" * 100_000, "not JSON"),
        (503, "the controller answered 503"),
        (b" " * 9_000_000, "larger than"),
        ({"Members": [{"@odata.id": "https://elsewhere.example/redfish/v1/Chassis/1U"}]}, "leads away"),
        ({"Members": [{"@odata.id": "/redfish/v1/../secret"}]}, "leads away"),
    ],
)
def test_an_answer_that_is_no_good_is_a_reason(
    controller: Controller, files: Path, changed: bytes | int | dict[str, Any], reason: str
) -> None:
    controller.changed["Chassis"] = changed
    with pytest.raises(NoAnswer, match=reason):
        source_of(controller, files).ask()


def test_a_path_that_is_redirected_to_itself_with_a_slash_is_followed(
    controller: Controller, files: Path
) -> None:
    for place in ("{path}/", f"{controller.address}{{path}}/"):
        controller.moves = place
        assert source_of(controller, files).ask().power_mw == 374_000


@pytest.mark.parametrize("place", ["https://elsewhere.example{path}/", "/login", ""])
def test_nothing_is_followed_to_another_server(controller: Controller, files: Path, place: str) -> None:
    controller.moves = place
    with pytest.raises(NoAnswer, match="leads away"):
        source_of(controller, files).ask()


def test_a_controller_that_tells_bare_figures_without_states_or_names_is_read(
    controller: Controller, files: Path
) -> None:
    only(controller, "Power")
    control = {"PowerConsumedWatts": 130, "PowerLimit": {"LimitInWatts": None}, "PowerCapacityWatts": 500}
    parts = {"PowerConsumedWatts": 55, "PhysicalContext": "CPU"}
    controller.changed[f"{CHASSIS}/Power"] = {"PowerControl": [parts, control]}
    assert source_of(controller, files).ask() == Sample(130_000)


class TestTrust:
    def test_a_certificate_of_an_unknown_authority_is_refused(
        self, controller: Controller, files: Path
    ) -> None:
        trustme.CA().cert_pem.write_to_path(files / "other.pem")
        with pytest.raises(NoAnswer, match="its certificate is not believed"):
            source_of(controller, files, ca_file=files / "other.pem").ask()
        with pytest.raises(NoAnswer, match="its certificate is not believed"):
            source_of(controller, files, ca_file=None).ask()
        assert controller.attempts == 0

    def test_a_certificate_of_another_name_is_believed_under_that_name_alone(
        self, authority: trustme.CA, files: Path
    ) -> None:
        with Controller(authority, name="bmc-17.exemple.fr") as controller:
            with pytest.raises(NoAnswer, match="its certificate is not believed"):
                source_of(controller, files).ask()
            named = source_of(controller, files, server_name="bmc-17.exemple.fr")
            assert named.ask().power_mw == 374_000

    def test_an_answer_that_comes_too_late_is_not_waited_for(
        self, controller: Controller, files: Path
    ) -> None:
        controller.slow_s = 3.0
        with pytest.raises(NoAnswer, match="no whole answer within 1 s"):
            source_of(controller, files, timeout_seconds=1.0).ask()


class TestSessions:
    @pytest.mark.parametrize("address", ["", "{address}"])
    def test_one_session_is_used_and_closed(self, controller: Controller, files: Path, address: str) -> None:
        controller.session_at = address.format(address=controller.address) + controller.session_at
        source = source_of(controller, files)
        source.ask()
        source.ask()
        assert controller.most_sessions == 1
        assert controller.attempts == 1
        source.leave()
        assert not controller.sessions

    def test_a_session_that_has_ended_is_begun_again(self, controller: Controller, files: Path) -> None:
        source = source_of(controller, files)
        source.ask()
        controller.sessions.clear()
        assert source.ask().power_mw == 374_000
        assert controller.attempts == 2

    def test_basic_authentication_opens_none(self, controller: Controller, files: Path) -> None:
        assert source_of(controller, files, auth="basic").ask().power_mw == 374_000
        assert controller.most_sessions == 0

    @pytest.mark.parametrize("auth", ["session", "basic"])
    def test_a_refused_password_is_tried_once_and_a_new_one_in_the_file_at_once(
        self, controller: Controller, files: Path, auth: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        (files / "password").write_text("old-s3cret")
        source = source_of(controller, files, auth=auth)
        with pytest.raises(NoAnswer, match="refuses 'inr-readonly'") as refused:
            source.ask()
        for _ in range(5):
            with pytest.raises(NoAnswer, match="was refused; waits for another"):
                source.ask()
        assert controller.attempts == 1
        assert "s3cret" not in str(refused.value) + caplog.text
        (files / "password").write_text(PASSWORD)
        assert source.ask().power_mw == 374_000

    def test_a_password_that_cannot_be_read_is_said_before_the_start(
        self, controller: Controller, files: Path
    ) -> None:
        (files / "password").unlink()
        assert "No such file" in str(source_of(controller, files).available())


def test_an_agent_tells_the_console_what_its_controller_measured(controller: Controller, files: Path) -> None:
    (files / "password").chmod(0o600)
    (files / "token").write_text("a-token")
    (files / "token").chmod(0o600)
    with Console() as console:
        (files / "collector.toml").write_text(
            f"""
            [console]
            url = "{console.url}"
            token_file = "{files}/token"
            [agent]
            outbox = "{files}/outbox"
            host = "srv-12"
            sample_seconds = 3
            interval_seconds = 3
            [sources.redfish]
            address = "{controller.address}"
            user = "{USER}"
            password_file = "{files}/password"
            ca_file = "{files}/authority.pem"
            """
        )
        words = [sys.executable, "-m", "collectors", "--config", str(files / "collector.toml"), "--once"]
        done = subprocess.run(words, capture_output=True, timeout=60, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [batch] = console.batches
    [reading] = batch["readings"]
    [measured] = reading["measurements"]
    watts = measured["energy_mj"] / reading["duration_ms"]
    assert (measured["source"], measured["authority"], measured["quality"]) == ("redfish", "bmc", "measured")
    assert watts == pytest.approx(374, rel=0.1)
    assert measured["max_mj"] > measured["energy_mj"] > measured["min_mj"]
    assert PASSWORD not in done.stderr
    assert not controller.sessions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"address": "http://bmc.example"}, "address: 'http://bmc.example' is not an address such as https"),
        ({"address": "https://root:calvin@bmc.example"}, "address: a user and a password do not belong"),
        ({"auth": "none"}, "auth: 'none' is not session or basic"),
        ({"chassis": "../Systems"}, "chassis: "),
        ({"timeout_seconds": 0.0}, "timeout_seconds: 1 to 60"),
        ({"every_seconds": 0.0}, "every_seconds: 1 to 300"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_would_be_right(
    wrong: dict[str, Any], message: str
) -> None:
    fields: dict[str, Any] = {
        "address": "https://bmc.example",
        "user": USER,
        "password_file": SecretFile(Path("x")),
    }
    with pytest.raises(ValueError, match=f"^{message}"):
        RedfishSettings(**fields | wrong)


def test_the_energy_of_a_server_is_read_as_it_goes(controller: Controller, files: Path) -> None:
    source = source_of(controller, files)
    assert source.available() is None
    energy = read_as_it_goes(source)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == pytest.approx(374 * energy.duration_ms, abs=400)
    assert energy.min_mj == pytest.approx(344 * energy.duration_ms, abs=400)
    assert not controller.sessions
