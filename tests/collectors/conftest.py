"""A machine made of files, for every test of the collectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collectors.trees import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "machine")
    made.boot()
    made.busy(0)
    return made
