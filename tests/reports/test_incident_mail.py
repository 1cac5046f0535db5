"""The mails on duties and communications: what is owed, until when, and to whom, and nothing of others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reports.incident_mail import Communication, DutyDue, DutyPhase, communication, duty_due
from reports.language import ENGLISH, FRENCH, LANGUAGES, Language

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DUTY = DutyDue(
    name="Alerte précoce NIS 2",
    basis="Directive (UE) 2022/2555, article 23 (4) a",
    title="Intrusion",
    adherents=("CH de Foix", "CH de Gap"),
    due_at=AT + timedelta(hours=6),
    zone="Europe/Paris",
    link="https://console.example/major-incidents/3",
)
TOLD = Communication(
    adherent="CHU de La Réunion",
    incident_number="12",
    title="Panne",
    text="Une salle est revenue.\nRetour prévu à 14 h.",
    at=AT,
    zone="Indian/Reunion",
    link="https://console.example/adherents/7/incidents/12",
)


@pytest.mark.parametrize(
    ("phase", "subject", "says", "says_not"),
    [
        (DutyPhase.SOON, "proche", ("6 h", "24 novembre 2026", "CH de Gap"), "retard"),
        (DutyPhase.LATE, "dépassée", ("sans attendre", "raisons du retard"), "Temps restant"),
        (DutyPhase.ENDED, "Fin d'alerte", ("Rien",), "Temps restant"),
    ],
)
def test_a_mail_on_a_duty_says_what_is_owed_and_what_to_do(
    phase: DutyPhase, subject: str, says: tuple[str, ...], says_not: str
) -> None:
    mail = duty_due(DUTY, phase, AT, FRENCH)
    assert subject in mail.subject
    assert DUTY.basis in mail.body
    assert DUTY.link in mail.body
    body = " ".join(mail.body.replace("\u00a0", " ").replace("\u202f", " ").split())
    assert all(words in body for words in says), body
    assert says_not not in body


def test_of_many_adherents_the_first_are_named_and_the_others_counted() -> None:
    many = replace(DUTY, adherents=tuple(f"CH {number}" for number in range(700)))
    body = duty_due(many, DutyPhase.SOON, AT, ENGLISH).body
    assert "CH 4 and 695 more" in body
    assert "CH 5" not in body


def test_a_communication_is_as_it_was_written_in_the_time_of_the_adherent() -> None:
    mail = communication(TOLD, FRENCH)
    assert TOLD.text in mail.body
    assert "13:00" in mail.body
    assert TOLD.link in mail.body
    assert "Panne" in mail.subject


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
@pytest.mark.parametrize("title", ["Panne\nBcc: x@y", "Panne\u202e", "P" * 300])
def test_no_title_can_add_a_header_or_a_line(title: str, language: Language) -> None:
    for mail in (
        communication(replace(TOLD, title=title), language),
        duty_due(replace(DUTY, title=title, name=title), DutyPhase.SOON, AT, language),
    ):
        assert "\n" not in mail.subject
        assert len(mail.subject) <= 150
        assert "\u202e" not in mail.body
        assert "\nBcc" not in mail.body
