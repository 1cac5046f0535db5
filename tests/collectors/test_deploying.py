"""What the deployment page and the service file promise, as far as that is checked without hosts."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from collectors.configuration import Configuration, load
from collectors.hypervisors.vsphere import VsphereSettings
from collectors.instrument import SecretFile
from collectors.sources.rapl import RaplSettings
from tests.collectors.trees import Host

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "collectors/console-inr-collector.service"
PAGE = (ROOT / "docs/deploying-collectors.md").read_text(encoding="utf-8")
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze: apt install systemd")


def blocks(language: str) -> list[str]:
    """The examples of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def inventory() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(blocks("yaml")[0])["collectors"]
    return found


def play() -> dict[str, Any]:
    (found,) = yaml.safe_load(blocks("yaml")[1])
    return dict(found)


def service() -> dict[str, list[str]]:
    """The directives of the service; one that comes twice has both values."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").partition("[Service]")[2].splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("DynamicUser", "yes"),
        ("CapabilityBoundingSet", "CAP_DAC_READ_SEARCH"),
        ("AmbientCapabilities", "CAP_DAC_READ_SEARCH"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("StateDirectory", "console-inr-collector"),
        ("MemoryMax", "256M"),
        ("TasksMax", "128"),
        ("Restart", "always"),
    ],
)
def test_the_service_has_the_rights_that_it_needs_and_no_others(directive: str, value: str) -> None:
    assert service()[directive] == [value]


def test_the_service_filters_system_calls() -> None:
    allowed, refused = service()["SystemCallFilter"]
    assert allowed == "@system-service"
    assert {"@privileged", "@mount", "@debug"} <= set(refused.removeprefix("~").split())


@needs_systemd
def test_systemd_understands_the_service(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/console-inr/bin/python", sys.executable))
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_rates_the_exposure_of_the_service_as_the_page_says() -> None:
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=True,
    )
    rated = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    said = re.search(r"rates it ([\d.]+)\.", PAGE)
    assert rated is not None
    assert said is not None
    assert rated[1] == said[1]
    assert float(rated[1]) < 2


def test_the_command_of_the_service_is_one_that_the_agent_takes() -> None:
    (command,) = service()["ExecStart"]
    program = command.split()
    assert program[1:3] == ["-m", "collectors"]
    done = subprocess.run(
        [sys.executable, *program[1:3], "--config", "/no/file"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "collectors: /no/file: No such file or directory\n"


def test_every_task_of_the_playbook_uses_one_module_by_its_whole_name() -> None:
    keywords = {"name", "loop", "notify", "tags", "no_log", "changed_when", "when"}
    for task in [*play()["tasks"], *play()["handlers"]]:
        (module,) = task.keys() - keywords
        assert module.startswith("ansible.builtin."), task["name"]
        assert task["name"]


def test_who_is_notified_exists_and_tokens_are_not_logged() -> None:
    tasks = play()["tasks"]
    handlers = {handler["name"] for handler in play()["handlers"]}
    assert {task["notify"] for task in tasks if "notify" in task} == handlers
    secret = [task for task in tasks if re.search("console_inr_(token|secrets)", json.dumps(task))]
    assert len(secret) == 2
    for task in secret:
        assert task["no_log"] is True
        assert task["ansible.builtin.copy"]["mode"] == "0640"
        assert "notify" not in task


def test_what_the_playbook_copies_is_in_the_checkout() -> None:
    copied = [task["ansible.builtin.copy"] for task in play()["tasks"] if "ansible.builtin.copy" in task]
    sources = [copy["src"].partition("console_inr_checkout }}/")[2] for copy in copied if "src" in copy]
    wheel, unit = sources
    assert (ROOT / unit).samefile(UNIT)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    built = wheel.replace("{{ console_inr_version }}", inventory()["vars"]["console_inr_version"])
    assert built == f"dist/console_inr-{version}-py3-none-any.whl"


def deployed(group: str, folder: Path) -> tuple[Configuration, dict[str, Any]]:
    """What the agents of a group are configured with, and the variables that this is made of."""
    facts = inventory()["vars"] | inventory()["children"][group]["vars"]
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined, trim_blocks=True)  # noqa: S701
    environment.filters["to_json"] = json.dumps
    text = environment.from_string(blocks("jinja")[0]).render(facts, inventory_hostname_short="pay-01")
    for name in ("token", *facts.get("console_inr_secrets", {})):
        (folder / name).write_text("s3cret\n")
        (folder / name).chmod(0o640)
    (folder / "collector.toml").write_text(text.replace("/etc/console-inr/", f"{folder}/"))
    return load(folder / "collector.toml"), facts


@pytest.mark.parametrize("group", ["payroll_hosts", "database_hosts"])
def test_the_configuration_that_the_playbook_writes_is_one_that_the_agent_takes(
    group: str, tmp_path: Path
) -> None:
    asked, facts = deployed(group, tmp_path)
    assert (asked.agent.named, asked.agent.site) == ("pay-01", facts["console_inr_site"])
    assert asked.sources.keys() == {"rapl", "model"}
    limit_w = facts["console_inr_sources"]["rapl"].get("socket_limit_w", 1500)
    assert asked.sources["rapl"] == RaplSettings(limit_w)


def test_the_playbook_deploys_an_agent_that_measures_the_hosts_of_a_hypervisor(tmp_path: Path) -> None:
    asked, facts = deployed("managers", tmp_path)
    assert not asked.agent.this_host
    (manager,) = asked.managers
    assert manager.settings == VsphereSettings(
        "vcenter.example",
        "console@vsphere.local",
        SecretFile(tmp_path / "vcenter"),
        cluster="PROD",
        site="tls",
    )
    assert {host: [*sources] for host, sources in manager.host_sources.items()} == {
        "esx-01.example": ["redfish"],
        "esx-02.example": ["snmp"],
    }
    assert set(facts["console_inr_packages"]) == {*extras()["vsphere"], *extras()["snmp"]}


def extras() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return dict(project["optional-dependencies"])


def test_what_is_needed_beside_python_is_what_the_wheel_says() -> None:
    rows = re.findall(r"^\| `\w+` \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    told = {extra: re.findall(r"`([^`]+[<>][^`]+)`", packages) for extra, packages in rows}
    assert told == {extra: packages for extra, packages in extras().items() if extra in told}
    assert told.keys() == {"snmp", "nvml", "codecarbon", "proxmox", "vsphere", "rvtools", "libvirt"}


def test_the_configuration_of_the_page_is_one_that_the_agent_takes(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    text = blocks("toml")[0].replace("/etc/console-inr/token", str(token))
    path = tmp_path / "collector.toml"
    path.write_text(text.replace("/etc/ssl/certs/internal-ca.pem", str(token)))
    assert load(path).agent.cluster == "payroll"


@pytest.mark.parametrize("text", blocks("ini"))
def test_the_drop_ins_of_the_page_are_units(text: str) -> None:
    parser = configparser.ConfigParser(strict=True)
    parser.read_string(text)
    assert parser.sections() == ["Service"]


def test_an_agent_needs_nothing_but_python() -> None:
    """Without `site` no package that was installed can be imported."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "collectors", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


SETPRIV = shutil.which("setpriv")


@pytest.mark.skipif(
    os.geteuid() != 0 or SETPRIV is None, reason="rights are taken away by root, with setpriv"
)
@pytest.mark.parametrize(("right", "measured"), [("+dac_read_search", True), ("", False)])
def test_with_the_one_right_of_the_service_counters_of_root_are_read(
    host: Host, tmp_path: Path, right: str, measured: bool
) -> None:
    """As a user of no rights but that of the service; the counter has the mode that Linux gives it."""
    host.zone("intel-rapl:0", "package-0", 1000)
    (host.roots.powercap / "intel-rapl:0/energy_uj").chmod(0o400)
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "token").chmod(0o600)
    os.chown(tmp_path / "token", 65534, 65534)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.is_relative_to("/tmp/pytest-of-root"):  # noqa: S108 - made by pytest for root alone
            folder.chmod(0o755)
    nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    kept = ",".join(["-all", *([right] if right else [])])
    rights = [f"--bounding-set={kept}", f"--inh-caps={kept}", f"--ambient-caps={kept}"]
    agent = [
        sys.executable,
        "-m",
        "collectors",
        "--dry-run",
        "--url",
        "http://127.0.0.1:9",
        "--sources",
        "rapl",
    ]
    where = ["--token-file", str(tmp_path / "token"), "--outbox", str(tmp_path / "outbox")]
    pace = ["--powercap-root", str(host.roots.powercap), "--sample-seconds=1", "--interval-seconds=1"]
    done = subprocess.run(
        [str(SETPRIV), *nobody, *rights, *agent, *where, *pace],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (reading,) = json.loads(done.stdout)["readings"]
    assert [one["source"] for one in reading["measurements"]] == (["rapl"] if measured else []), reading[
        "gaps"
    ]
    if not measured:
        assert "Permission denied" in reading["gaps"][0]["reason"]
    assert reading["workloads"]
