"""The outlets of rack PDUs, asked of a real SNMP agent."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from collectors.instrument import Energy, Roots, SecretFile
from collectors.polling import NoAnswer, Sample
from collectors.sources import snmp
from collectors.sources.snmp import Line, Outlet, Pdu, Snmp, SnmpSettings, Who, outlet_of
from tests.collectors.instruments import read_as_it_goes
from tests.collectors.pdus import AUTH, PRIV, USER, pdus

# The library calls the one that compiles MIBs by a former name.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. Please use:DeprecationWarning")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with pdus(tmp_path_factory.mktemp("pdus")) as port:
        yield port


class Made:
    """Sources that ask the agent of these tests."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def secret(self, name: str, text: str) -> SecretFile:
        (self.folder / name).write_text(f"{text}\n")
        return SecretFile(self.folder / name)

    def source(self, vendor: str, *outlets: str, **other: Any) -> Snmp:
        fields: dict[str, Any] = {"vendor": vendor, "timeout_seconds": 1.0}
        fields["outlets"] = tuple(f"127.0.0.1:{self.port}/{outlet}" for outlet in outlets)
        if "user" not in other:
            fields["community_file"] = self.secret("community", other.pop("community", vendor))
        return Snmp(Roots(), SnmpSettings(**fields | other))


@pytest.fixture
def made(tmp_path: Path, port: int) -> Made:
    return Made(tmp_path, port)


@pytest.mark.parametrize(
    ("vendor", "outlets", "power_mw"),
    [
        pytest.param("apc", ["1"], 374_000, id="apc: watts beside hundredths of kW in one question"),
        pytest.param("apc", ["1", "2"], 945_000, id="two supplies are added"),
        pytest.param("apc", ["1", "3"], 374_000, id="a supply at rest draws nothing"),
        pytest.param("raritan", ["1"], 374_000, id="raritan: no decimal digit"),
        pytest.param("raritan", ["1.2"], 571_300, id="raritan: one decimal digit"),
        pytest.param("eaton", ["1"], 374_000, id="eaton: the first unit is 0"),
        pytest.param("eaton", ["0.2", "1.1"], 776_000, id="eaton: two units in a chain"),
    ],
)
def test_each_vendor_is_read_in_the_units_of_its_own_table(
    made: Made, vendor: str, outlets: list[str], power_mw: int
) -> None:
    assert made.source(vendor, *outlets).ask() == Sample(power_mw)


@pytest.mark.parametrize(
    ("vendor", "outlets", "reason"),
    [
        ("apc", ["6"], "outlet 6 of 127.0.0.1 tells no power: it is not there, or not metered"),
        ("apc", ["9"], "outlet 9 of 127.0.0.1 tells no power: its unit 1 has no such outlet"),
        ("apc", ["1", "9"], "outlet 9 of 127.0.0.1 tells no power"),
        ("apc", ["3"], "0 W on every outlet"),
        ("apc", ["4"], "tells 37400 W and all of its unit 970 W: another unit"),
        ("apc", ["5"], "tells 3740 W and all of its unit 970 W: another unit"),
        ("apc", ["2.1"], "outlet 1 of 127.0.0.1 tells no power: its unit 2 has no such outlet"),
        ("raritan", ["3"], "outlet 3 of 127.0.0.1 tells no power"),
        ("raritan", ["7"], "outlet 7 of 127.0.0.1 tells no power"),
        ("eaton", ["3"], "outlet 3 of 127.0.0.1 tells no power"),
    ],
)
def test_what_is_no_reading_or_in_another_unit_is_a_reason_and_never_a_part_of_a_sum(
    made: Made, vendor: str, outlets: list[str], reason: str
) -> None:
    with pytest.raises(NoAnswer, match=reason):
        made.source(vendor, *outlets).ask()


class TestAChainOfApc:
    """Its rows are numbered through all units, so that row 1 is no outlet of the second one."""

    @pytest.mark.parametrize(
        ("outlets", "power_mw"),
        [
            pytest.param(["1"], 374_000, id="of the first unit, where none is named"),
            pytest.param(["2.1"], 820_000, id="of the second"),
            pytest.param(["1.2", "2.2"], 1_057_000, id="of both"),
        ],
    )
    def test_an_outlet_is_that_of_its_own_unit(self, made: Made, outlets: list[str], power_mw: int) -> None:
        source = made.source("apc", *outlets, community="apc-chain")
        assert [source.ask(), source.ask()] == [Sample(power_mw), Sample(power_mw)]

    @pytest.mark.parametrize("outlet", ["2.43", "3.1", "84"])
    def test_an_outlet_that_its_unit_does_not_have_is_said(self, made: Made, outlet: str) -> None:
        with pytest.raises(NoAnswer, match="has no such outlet"):
            made.source("apc", outlet, community="apc-chain").ask()

    def test_a_pdu_that_answers_fewer_rows_at_once_than_it_was_asked_is_asked_on(
        self, made: Made, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The agent of these tests gives 64 at most; a real one what fits a packet."""
        monkeypatch.setattr(snmp, "ROWS_AT_ONCE", 100)
        assert made.source("apc", "2.42", community="apc-chain").ask() == Sample(250_000)

    def test_a_chain_that_is_plugged_anew_is_looked_through_again(self, made: Made) -> None:
        source = made.source("apc", "1.1", community="apc-chain")
        assert source.ask() == Sample(374_000)
        made.secret("community", "apc-swapped")
        with pytest.raises(NoAnswer, match="outlet 1 of 127.0.0.1 stands elsewhere in its table by now"):
            source.ask()
        assert source.ask() == Sample(374_000)


class TestVersion3:
    def source(self, made: Made, **other: Any) -> Snmp:
        fields: dict[str, Any] = {
            "user": USER,
            "auth_file": made.secret("auth", AUTH),
            "priv_file": made.secret("priv", PRIV),
            "context": "apc",
        }
        return made.source("apc", "1", **fields | other)

    def test_a_user_is_authenticated_and_what_is_told_is_private(self, made: Made) -> None:
        source = self.source(made)
        assert source.available() is None
        assert [source.ask(), source.ask()] == [Sample(374_000), Sample(374_000)]

    def test_a_wrong_secret_is_refused_and_told_to_nobody(
        self, made: Made, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = self.source(made, auth_file=made.secret("wrong", "wrong-s3cret"))
        with pytest.raises(NoAnswer) as refused:
            source.ask()
        assert "s3cret" not in str(refused.value) + caplog.text

    def test_a_secret_that_is_too_short_is_said(self, made: Made) -> None:
        with pytest.raises(NoAnswer, match="priv_file: at least 8 characters"):
            self.source(made, priv_file=made.secret("short", "abc")).ask()

    def test_a_secret_that_cannot_be_read_is_said_before_the_start(self, made: Made) -> None:
        source = self.source(made, auth_file=SecretFile(made.folder / "none"))
        assert "auth_file: " in str(source.available())


class TestEngines:
    """One costs megabytes: it is there for as long as a source asks with its secret."""

    @pytest.fixture
    def line(self, monkeypatch: pytest.MonkeyPatch) -> Line:
        """A line that no other test asks by."""
        line = Line()
        monkeypatch.setattr(snmp, "LINE", line)
        return line

    def test_a_secret_that_is_changed_frees_the_engine_of_the_one_before(
        self, made: Made, line: Line
    ) -> None:
        source = made.source("apc", "1", community="apc")
        assert source.ask() == Sample(374_000)
        former = ref(line.engine(source, Who("", "apc")))
        made.secret("community", "apc-swapped")
        with suppress(NoAnswer):
            source.ask()
        assert freed(former, line)
        made.secret("community", "apc")
        assert source.ask() == Sample(374_000)

    def test_one_that_another_source_asks_with_stays_until_that_leaves_too(
        self, made: Made, line: Line
    ) -> None:
        source, other = (made.source("apc", "1", community="apc") for _ in range(2))
        assert source.ask() == other.ask()
        shared = ref(line.engine(source, Who("", "apc")))
        source.leave()
        assert not freed(shared, line)
        assert other.ask() == Sample(374_000)
        other.leave()
        assert freed(shared, line)


def freed(engine: ref[Any], line: Line) -> bool:
    """Whether an engine is gone, once the thread of the line did what it was told."""

    async def nothing() -> dict[str, int]:
        return {}

    line.wait(nothing(), 5)
    gc.collect()
    return engine() is None


def test_a_pdu_that_does_not_answer_is_a_reason(made: Made) -> None:
    with pytest.raises(NoAnswer, match="127.0.0.1: No SNMP response received before timeout"):
        made.source("apc", "1", community="unheard-of").ask()


def test_a_pdu_without_an_address_is_a_reason(made: Made) -> None:
    source = made.source("apc", outlets=("pdu.invalid/1",))
    with pytest.raises(NoAnswer, match=r"pdu\.invalid: "):
        source.ask()


def test_the_energy_of_a_server_is_read_as_it_goes(made: Made) -> None:
    source = made.source("apc", "1", "2")
    energy = read_as_it_goes(source)
    assert isinstance(energy, Energy)
    assert energy.energy_mj == pytest.approx(945 * energy.duration_ms, abs=1000)


@pytest.mark.parametrize(
    ("text", "outlet"),
    [
        ("pdu-a.example/12", Outlet(Pdu("pdu-a.example", 161), "1", "12")),
        ("10.0.0.7:1161/2.12", Outlet(Pdu("10.0.0.7", 1161), "2", "12")),
    ],
)
def test_an_outlet_is_named_by_its_pdu_its_unit_and_its_number(text: str, outlet: Outlet) -> None:
    assert outlet_of(text, "1") == outlet


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vendor": "geist"}, "vendor: 'geist' is not one of apc, raritan, eaton"),
        ({"outlets": ()}, "outlets: one or more are expected, each once"),
        ({"outlets": ("a/1", "a/1")}, "outlets: one or more are expected, each once"),
        ({"outlets": ("pdu-a.example",)}, "outlets: 'pdu-a.example' is not an outlet such as"),
        ({"community_file": None}, "community_file: either it"),
        ({"user": "inr"}, "community_file: either it"),
        ({"community_file": None, "user": "inr"}, "user: version 3 needs user, auth_file and priv_file"),
        ({"auth_protocol": "MD5"}, "auth_protocol: 'MD5' is not one of SHA256"),
        ({"priv_protocol": "DES"}, "priv_protocol: 'DES' is not one of AES128"),
        ({"timeout_seconds": 0.1}, "timeout_seconds: 1 to 30"),
        ({"every_seconds": 0.0}, "every_seconds: 1 to 300"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_would_be_right(
    wrong: dict[str, Any], message: str
) -> None:
    fields: dict[str, Any] = {
        "vendor": "apc",
        "outlets": ("pdu-a.example/1",),
        "community_file": SecretFile(Path("community")),
    }
    with pytest.raises(ValueError, match=f"^{message}"):
        SnmpSettings(**fields | wrong)
