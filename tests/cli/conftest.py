"""A shell of the server, for commands that are called in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from console.store.session import Database


@pytest.fixture
def shell(database: Database, tmp_path: Path) -> CliRunner:
    """Its environment names the database of the test."""
    address = database.engine.url.render_as_string(hide_password=False)
    return CliRunner(env={"CONSOLE_VAR": str(tmp_path), "CONSOLE_DATABASE_URL": address})
