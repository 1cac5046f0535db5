"""Where each public test suite is tested, and that no case of it is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.domain import peer_vectors

HERE = Path(__file__).parent
CALENDARS = "test_peer_vectors.py"
AVAILABILITY = "test_availability_vectors.py"
# Suites on what other products do with alerts, and on a scheduler that reckons times itself; here what is due
# is a column, reckoned by rules that are tested for themselves.
NO_RULE_OF_OURS = {
    "am-needs-update": "when a group of alerts is notified again",
    "am-inhibit-equal": "which alert holds back another, by equal labels",
    "am-inhibit-rules": "which alert holds back another, by rules",
    "apscheduler-cron-dst": "when cron expressions fire around clock changes, observed in a library",
}
TESTED = {
    **dict.fromkeys(
        [
            "glpi-due-days",
            "glpi-active-between",
            "glpi-working-day-hour",
            "glpi-holidays",
            "glpi-sla-pauses",
            "glpi-escalation-before-due",
            "glpi-sla-vs-ola-start",
            "glpi-priority-matrix",
            "itop-priority-matrix",
            "znuny-add-working-time",
            "biz-durations",
            "biz-active",
            "erpnext-first-response",
            "am-time-intervals",
            "derived-fr",
        ],
        CALENDARS,
    ),
    **dict.fromkeys(
        [
            "hc-availability",
            "oneuptime-uptime",
            "kuma-uptime",
            "zabbix-sli",
            "sloth-burn-rate",
            "derived-availability",
        ],
        AVAILABILITY,
    ),
}


def test_every_suite_is_tested_somewhere_or_is_said_not_to_be() -> None:
    assert TESTED.keys() | NO_RULE_OF_OURS.keys() == peer_vectors.SUITES.keys()
    assert not TESTED.keys() & NO_RULE_OF_OURS.keys()


def test_the_cases_are_all_there() -> None:
    assert sum(len(suite["cases"]) for suite in peer_vectors.SUITES.values()) == 293


def collected(module: Path, session: pytest.Session) -> set[str]:
    """The ids of the parametrised tests that pytest makes of a module, whatever is chosen of them to run."""
    tests = pytest.Module.from_parent(session, path=module).collect()
    return {
        test.callspec.id for test in tests if isinstance(test, pytest.Function) if hasattr(test, "callspec")
    }


@pytest.mark.parametrize("module", sorted(set(TESTED.values())))
def test_every_case_is_a_test_of_its_own(module: str, request: pytest.FixtureRequest) -> None:
    """By the ids of what pytest runs: a case that is only named in a comment is none."""
    suites = [suite for suite, tested_in in TESTED.items() if tested_in == module]
    ids = {case["id"] for suite in suites for case in peer_vectors.SUITES[suite]["cases"]}
    assert ids - collected(HERE / module, request.session) == set()


def test_each_answer_of_our_own_has_its_reason() -> None:
    ours = [case for suite in peer_vectors.SUITES.values() for case in suite["cases"] if "our_value" in case]
    assert ours
    assert all(case["our_reason"] for case in ours)
