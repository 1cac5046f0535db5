"""The table of sources."""

from __future__ import annotations

import pytest

from collectors.registry import DEFAULT, SOURCES, UnknownSource, choose, unset
from tests.collectors.trees import Host


def test_measurements_come_in_the_order_of_the_table_whatever_was_asked(host: Host) -> None:
    usable, absent = choose(unset(["model", "codecarbon", "rapl"]), host.roots)
    assert [source.name for source in usable] == ["codecarbon", "model"]
    assert [gap.source for gap in absent] == ["rapl"]
    assert "no powercap tree" in absent[0].reason


def test_where_the_counters_are_readable_they_are_used_and_codecarbon_is_not(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 1000)
    usable, absent = choose(unset(DEFAULT), host.roots)
    assert [source.name for source in usable] == ["rapl", "model"]
    assert [gap.source for gap in absent] == ["codecarbon"]


def test_an_unknown_source_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownSource, match=f"'abacus' is not one of {', '.join(SOURCES)}"):
        unset(["rapl", "abacus"])


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_named_as_the_table_names_it(name: str) -> None:
    assert SOURCES[name].name == name
