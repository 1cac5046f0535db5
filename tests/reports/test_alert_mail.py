"""The mails of alerts say what happened, until when, and what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reports.alert_mail import (
    CollectorSilent,
    Message,
    Phase,
    ProbeDown,
    SlaAtRisk,
    collector_silent,
    probe_down,
    sla_at_risk,
    trial,
)
from reports.figures import SlaState
from reports.language import ENGLISH, FRENCH, LANGUAGES, Language

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SILENT = CollectorSilent(
    host="srv-dpi-01",
    last_seen_at=AT - timedelta(minutes=12),
    silent_since=AT - timedelta(minutes=12),
    zone="Europe/Paris",
    link="https://console.example/hosts/srv-dpi-01",
)
RISK = SlaAtRisk(
    adherent="CHU de La Réunion",
    incident_number="INC0001203",
    incident_title="Bulletins bloqués",
    priority="P2",
    due_at=AT + timedelta(hours=1, minutes=30),
    state=SlaState.AT_RISK,
    zone="Indian/Reunion",
    link="https://console.example/incidents/INC0001203",
    explanation=(),
)


DOWN = ProbeDown(
    name="Paie, page d'état",
    target="https://paie.example/etat",
    service="Paie",
    subscriptions=1_204,
    down_since=AT - timedelta(minutes=3),
    zone="Europe/Paris",
    link="https://console.example/probes/4",
)


def plain(message: Message) -> str:
    return message.body.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_silent_collector_is_told_with_its_silence_and_what_to_check() -> None:
    message = collector_silent(SILENT, Phase.OPENED, AT, FRENCH)
    assert message.subject == "[Console INR] Collecteur muet\u00a0: srv-dpi-01"
    assert "24 novembre 2026, 09:48 (UTC+1)" in plain(message)
    assert "12 min" in plain(message)
    assert "À faire :\n  1. " in plain(message)
    assert SILENT.link in message.body
    assert "inconnue" in message.body


def test_a_collector_never_heard_says_never() -> None:
    message = collector_silent(replace(SILENT, last_seen_at=None), Phase.OPENED, AT, ENGLISH)
    assert "Last reading received  never" in message.body


def test_the_end_of_a_silence_gives_its_length() -> None:
    message = collector_silent(SILENT, Phase.ENDED, AT + timedelta(hours=2), ENGLISH)
    assert message.subject == "[Console INR] Alert over: collector srv-dpi-01 is back"
    assert "2 h 12 min" in plain(message)


def test_a_probe_that_is_down_says_of_how_many_and_since_when() -> None:
    message = probe_down(DOWN, Phase.OPENED, AT, ENGLISH)
    assert message.subject == "[Console INR] Probe down: Paie, page d'état"
    assert "1,204" in message.body
    assert "24 November 2026, 09:57 (UTC+1)" in plain(message)
    assert "3 min" in plain(message)
    assert DOWN.link in message.body


def test_the_end_of_an_outage_does_not_say_that_all_is_well() -> None:
    message = probe_down(DOWN, Phase.ENDED, AT, ENGLISH)
    assert message.subject == "[Console INR] Alert over: probe Paie, page d'état"
    assert "or was stopped or changed" in " ".join(plain(message).split())


def test_an_incident_at_risk_is_due_on_the_adherents_wall_clock() -> None:
    message = sla_at_risk(RISK, Phase.OPENED, AT, ENGLISH)
    assert "24 November 2026, 14:30 (UTC+4)" in message.body
    assert "1 h 30 min" in plain(message)
    assert "INC0001203 — Bulletins bloqués" in message.body


def test_an_incident_whose_clock_is_stopped_has_no_time_left_to_tell() -> None:
    message = sla_at_risk(replace(RISK, due_at=None), Phase.OPENED, AT, ENGLISH)
    assert "suspended" in message.body
    assert "Time left" not in message.body


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SlaState.MET, "Nothing: the target is met."),
        (SlaState.MISSED, "Tell the adherent"),
        (SlaState.BREACHED, "Tell the adherent"),
        (SlaState.WAITING, "Remind the adherent"),
        (SlaState.ON_TIME, "its due date has changed"),
    ],
)
def test_the_end_of_a_risk_says_what_follows(state: SlaState, said: str) -> None:
    assert said in sla_at_risk(replace(RISK, state=state), Phase.ENDED, AT, ENGLISH).body


def test_the_trial_asks_for_nothing() -> None:
    message = trial("claire@example.org", AT, "Europe/Paris", FRENCH)
    assert "Il n'y a rien à faire." in message.body
    assert "24 novembre 2026, 10:00 (UTC+1)" in message.body


MAILS: dict[str, Callable[[str, Language], Message]] = {
    "silent": lambda name, language: collector_silent(replace(SILENT, host=name), Phase.OPENED, AT, language),
    "heard": lambda name, language: collector_silent(replace(SILENT, host=name), Phase.ENDED, AT, language),
    "risk": lambda name, language: sla_at_risk(
        replace(RISK, adherent=name, incident_title=name), Phase.OPENED, AT, language
    ),
    "met": lambda name, language: sla_at_risk(
        replace(RISK, adherent=name, incident_title=name, state=SlaState.MET), Phase.ENDED, AT, language
    ),
    "trial": lambda name, language: trial(name, AT, "Europe/Paris", language),
}


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("mail", MAILS)
def test_no_name_can_add_a_line_or_a_header(mail: str, language: Language) -> None:
    honest = MAILS[mail]("name", language)
    hostile = MAILS[mail]("x\r\nBcc: all@example.org\n\n\u202e%(host)s " + "é" * 300, language)
    assert "\n" not in hostile.subject
    assert "\r" not in hostile.subject + hostile.body
    assert len(hostile.subject) <= 150
    assert len(hostile.body.splitlines()) == len(honest.body.splitlines())
    assert "\u202e" not in hostile.body


@pytest.mark.parametrize("mail", MAILS)
def test_each_mail_is_wholly_in_its_language(mail: str) -> None:
    french, english = MAILS[mail]("name", FRENCH), MAILS[mail]("name", ENGLISH)
    shared = {line for line in french.body.splitlines() if " " in line.strip()} & set(
        english.body.splitlines()
    )
    assert all("name" in line or "https" in line or line == "-- " for line in shared)
