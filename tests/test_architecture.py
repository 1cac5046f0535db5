"""The import contracts hold, and each of them catches a trial violation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILDINGS = ("console", "collectors", "reports", "migrations")

VIOLATIONS = {
    "The console knows everyone": ("reports/language.py", "import console.domain"),
    "Inside the console": ("console/store/upsert.py", "import console.actions.ingest"),
    "Only the composition roots": ("console/actions/tokens.py", "import console.config"),
    "Inside the collectors": ("collectors/reading.py", "import collectors.registry"),
    "Inside the reports": ("reports/language.py", "import reports.inr"),
    "Rules and reports know no framework": ("console/domain/claims.py", "import sqlalchemy"),
    "Only the web knows Flask": ("console/actions/tokens.py", "import flask"),
    "An agent needs neither": ("collectors/reading.py", "import apscheduler"),
    "Pages read through queries": ("console/web/api.py", "import console.store.models.tenant"),
    "Pages are strangers": ("console/web/pages/energy.py", "import console.web.pages.overview"),
    "Sources are strangers": ("collectors/sources/rapl.py", "import collectors.sources.model"),
    "Hypervisors are strangers": (
        "collectors/hypervisors/proxmox.py",
        "import collectors.hypervisors.libvirt",
    ),
    "Channels are strangers": ("console/notify/channels/trial.py", "import console.notify.channels.mail"),
    "Formats are strangers": ("reports/formats/csv.py", "import reports.formats.pdf"),
    "No cycles": ("console/domain/errors.py", "import console.domain.claims"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts on a copy of the project, in an interpreter that sees the copy first."""
    command = [
        Path(sys.executable).parent / "lint-imports",
        "--no-cache",
        "--config",
        root / "pyproject.toml",
    ]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for building in BUILDINGS:
        shutil.copytree(
            ROOT / building, copy / building, ignore=shutil.ignore_patterns("static", "__pycache__")
        )
    return copy


@pytest.mark.parametrize(("contract", "violation"), VIOLATIONS.items(), ids=VIOLATIONS.keys())
def test_a_trial_violation_is_caught(copy: Path, contract: str, violation: tuple[str, str]) -> None:
    path, statement = copy / violation[0], violation[1]
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{statement}\n")
    try:
        done = lint(copy)
    finally:
        path.unlink() if before is None else path.write_text(before)
    broken = [line for line in done.stdout.splitlines() if line.rstrip().endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), done.stdout


def test_every_contract_has_its_trial() -> None:
    names = [
        line.split('"')[1]
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if 'name = "' in line
    ]
    contracts = [name for name in names if " " in name]
    assert len(contracts) == len(VIOLATIONS)
    for contract in contracts:
        assert any(contract.startswith(start) for start in VIOLATIONS), contract
