"""The tables behind the generated past are what the public files give."""

import pytest

from console.actions.generating import traces
from console.actions.generating.sites import SHIPPED, read_sites
from tests import shapes


@pytest.mark.parametrize(("name", "content"), shapes.build().items(), ids=shapes.build().keys())
def test_a_shape_is_what_its_source_gives(name: str, content: str) -> None:
    assert (shapes.SHIPPED / name).read_text(encoding="utf-8") == content


def test_the_sites_are_all_those_of_the_survey() -> None:
    sites = read_sites(SHIPPED.read_bytes())
    published = read_sites((shapes.DATA / "sae" / "ID_2023r.csv").read_bytes())
    assert len(sites) == 3_975
    assert sites == published


@pytest.mark.parametrize(
    ("start_s", "middle_s", "end_s"),
    [(0, 1, 3600), (3599, 3600, 3601), (100, 5_000, 9_999_999), (55_036_799, 55_036_800, 55_100_000)],
)
def test_a_stretch_of_load_is_the_sum_of_its_parts(start_s: int, middle_s: int, end_s: int) -> None:
    used = traces.load().used_ms
    assert used(start_s, end_s) == used(start_s, middle_s) + used(middle_s, end_s)
    assert 0 < used(start_s, end_s) <= 1000 * (end_s - start_s)


def test_the_load_begins_again_after_its_last_week() -> None:
    trace = traces.load()
    length_s = trace.weeks * traces.WEEK_S
    assert trace.used_ms(length_s + 7_000, length_s + 90_000) == trace.used_ms(7_000, 90_000)
