"""Rules name workloads; a bad file is refused with the entry and the field."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from collectors.reading import LONGEST_NAME, Kind
from collectors.rules import BadRules, Match, load, parse

DEFAULT = Path(__file__).parents[2] / "collectors/workloads.toml"


def match(rules_text: str, **traits: str) -> Match | None:
    return parse(tomllib.loads(rules_text)).match(lambda kind: traits.get(kind))


def default(**traits: str) -> str | None:
    found = load(DEFAULT).match(lambda kind: traits.get(kind))
    return found.name if found else None


def test_the_first_rule_that_matches_wins() -> None:
    rules = """
        [[workload]]
        name = "payroll"
        systemd = "payroll-*.service"
        [[workload]]
        name = "{systemd}"
        systemd = "*.service"
    """
    assert match(rules, systemd="payroll-night.service") == Match("payroll", Kind.SYSTEMD, 0)
    assert match(rules, systemd="cron.service") == Match("cron.service", Kind.SYSTEMD, 1)
    assert match(rules, systemd="session-1.scope") is None
    assert match(rules, user="root") is None


@pytest.mark.parametrize(
    ("entry", "traits", "name"),
    [
        ('name = "db"\nexecutable = "postgres"', {"executable": "/usr/lib/postgresql/15/bin/postgres"}, "db"),
        ('name = "db"\nexecutable = "/opt/*/postgres"', {"executable": "/usr/bin/postgres"}, None),
        ('name = "db"\nexecutable = "/opt/*/postgres"', {"executable": "/opt/15/postgres"}, "db"),
        ('name = "{executable}"\nexecutable = "qemu-*"', {"executable": "/bin/qemu-kvm"}, "qemu-kvm"),
        ('name = "user {user}"\nuser = "[a-m]*"', {"user": "alice"}, "user alice"),
        ('name = "user {user}"\nuser = "[a-m]*"', {"user": "zoe"}, None),
        ('name = "batch"\ncgroup = "/batch/*"', {"cgroup": "/batch/night/1"}, "batch"),
        ('name = "c {container}"\ncontainer = "*"', {"container": "8d1c3a000000"}, "c 8d1c3a000000"),
        ('name = "war"\ncommand = "[.]war( |$)"', {"command": "java -jar pay.war --secret x"}, "war"),
        ('name = "war"\ncommand = "[.]war( |$)"', {"command": "java -jar pay.warp"}, None),
        ('name = "{user}"\nuser = "*"', {"user": "a\nb"}, "a?b"),
        ('name = "{user}"\nuser = "*"', {"user": "u" * 500}, "u" * LONGEST_NAME),
    ],
)
def test_what_each_kind_of_rule_matches(entry: str, traits: dict[str, str], name: str | None) -> None:
    found = match(f"[[workload]]\n{entry}", **traits)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[workload]]\nname = "a"\nuser = "b"\n[[workload]]\nname = "c"', "entry 2: has 0 of systemd"),
        ('[[workload]]\nname = "a"\nuser = "b"\ncgroup = "c"', "entry 1: has 2 of"),
        ('[[workload]]\nuser = "b"', "entry 1, name: a printable text"),
        ('[[workload]]\nname = "a"\nuser = 12', "entry 1, user: a printable text"),
        ('[[workload]]\nname = "a"\nuser = ""', "entry 1, user: a printable text"),
        ('[[workload]]\nname = "a"\nuser = "b"\ncolour = "red"', "entry 1, colour: unknown"),
        ('[[workload]]\nname = "a"\ncommand = "(["', "entry 1, command: not a regular expression"),
        ('[[workload]]\nname = "{user}"\nsystemd = "*"', "entry 1, name: {user} cannot be filled"),
        ('[[workload]]\nname = "{command}"\ncommand = "x"', "no placeholder with command"),
        ('[workload]\nname = "a"', "write each entry as [[workload]]"),
        ("workload = [1]", "write each entry as [[workload]]"),
        ('[[rule]]\nname = "a"', "rule: unknown"),
        ("[[workload", "not TOML"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_the_entry_and_the_field(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(BadRules) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert message in str(refusal.value)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        (
            "console web",
            {"command": "/a/bin/python /a/bin/gunicorn --workers 2 --bind :8000 wsgi:app", "user": "x"},
        ),
        ("console jobs", {"command": "/a/bin/python /a/bin/console jobs", "user": "x"}),
        ("console collector", {"command": "/a/bin/python -m collectors --url http://c", "user": "x"}),
        (
            "console collector",
            {"command": "/a/bin/python -m collectors.sources.codecarbon_child", "user": "x"},
        ),
        ("user x", {"command": "/a/bin/python -m collectors_of_stamps", "user": "x"}),
        ("container 8d1c3a000000", {"container": "8d1c3a000000", "systemd": "docker-8d.scope", "user": "x"}),
        (
            "postgresql",
            {"executable": "/usr/lib/postgresql/15/bin/postgres", "systemd": "postgresql.service"},
        ),
        ("cron.service", {"systemd": "cron.service", "user": "root"}),
        ("user sessions", {"systemd": "user@1000.service", "user": "alice"}),
        ("user alice", {"systemd": "session-3.scope", "user": "alice"}),
        ("user root", {"command": "/usr/sbin/sshd -D", "user": "root"}),
        (None, {}),
    ],
)
def test_the_rules_that_come_with_the_agent_name_what_any_machine_runs(
    name: str | None, traits: dict[str, str]
) -> None:
    assert default(**traits) == name
