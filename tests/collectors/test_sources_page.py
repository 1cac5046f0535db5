"""What docs/sources.md shows is taken by the agent, and what it counts is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from collectors.configuration import load
from collectors.instrument import Roots
from collectors.power_models.servers import ALL, families
from collectors.registry import SOURCES, made

PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SECRETS = re.compile(r'"(/etc/console-inr/[a-z-]+)"')


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n", 1)[0])
def test_every_example_is_a_source_that_can_be_made(example: str, tmp_path: Path) -> None:
    for secret in ["/etc/console-inr/token", *SECRETS.findall(example)]:
        file = tmp_path / Path(secret).name
        file.write_text("a long enough secret\n")
        file.chmod(0o600)
    text = f"""
[console]
url = "https://console.example"
token_file = "/etc/console-inr/token"
[agent]
outbox = "/var/lib/collector"
{example}"""
    file = tmp_path / "collector.toml"
    file.write_text(SECRETS.sub(lambda match: f'"{tmp_path / Path(match[1]).name}"', text))
    asked = load(file)
    [name] = tomllib.loads(example)["sources"]
    assert list(asked.sources) == [name]
    assert made(name, Roots(), asked.sources[name]).name == name


def test_every_source_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in SOURCES)


def test_the_numbers_of_results_are_those_of_the_table() -> None:
    results = {name: family.results for name, family in families().items() if name != ALL}
    assert f"{len(results)} families, {min(results.values())} to {max(results.values())} results" in PAGE
    assert f"all {families()[ALL].results} servers" in PAGE
