"""Tables of tickets, read by a mapping of their columns and words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.actions.desk_files import shipped_mapping
from console.domain.clock import Event, EventKind
from console.domain.desk_files import read_mapping, read_tickets
from console.domain.errors import Invalid
from console.domain.service_desk import DeskState, missing_events
from console.domain.tables import read_csv
from tests import uci_log

SHIPPED = shipped_mapping("uci-incident-log") or ""
DESK = """
desk = "snow"
zone = "Europe/Paris"
dates = ["%d/%m/%Y %H:%M", "%d-%m-%Y"]
empty = ["?", "n/a"]
yes = ["oui", "1"]
no = ["non", "0"]
[columns]
external_id = "N°"
title = ["Objet", "Lieu"]
state = "État"
opened_at = "Ouvert"
resolved_at = "Résolu"
is_security = "Sécurité"
impact = "Impact"
[constants]
adherent = "11"
[values.state]
"En cours" = "acknowledged"
"Fini" = "closed"
"""
HEAD = "N°;Objet;Lieu;État;Ouvert;Résolu;Sécurité;Impact\n"


def read(rows: str, mapping: str = DESK, **given: str):
    return read_tickets(read_csv((HEAD + rows).encode()), read_mapping(mapping), given)


def test_one_row_for_each_ticket_with_dates_and_truths_of_two_styles() -> None:
    found = read(
        "A1;Panne;?;Fini;25/11/2026 10:00;25/11/2026 11:30;OUI;2\n"
        "A2;Lenteur;Foix;en cours;26-11-2026;n/a;0;?\n"
        "A3;Essai;;new;2026-11-25T09:00:00Z;;;\n",
        subscription="payroll",
    )
    assert (found.rows, found.refused) == (3, [])
    first, second, third = (one.ticket for one in found.tickets)
    assert (first.title, first.adherent, first.subscription) == ("Panne", "11", "payroll")
    assert (first.is_security, first.impact) == (True, 2)
    assert first.opened_at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert [one.state for one in first.standings] == [DeskState.RESOLVED, DeskState.CLOSED]
    assert first.standings[0].since == datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
    assert (second.title, second.is_security, second.impact) == ("Lenteur, Foix", False, None)
    assert second.opened_at == datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
    assert (third.title, third.is_security) == ("Essai", None)


@pytest.mark.parametrize(
    ("row", "line", "field", "said"),
    [
        ("A1;Panne;;Cassé;25/11/2026 10:00;;;", 2, "État", "Cassé"),
        ("A1;Panne;;Fini;2026/11/25;;;", 2, "Ouvert", "%d/%m/%Y"),
        ("A1;Panne;;new;25/11/2026 10:00;;peut-être;", 2, "Sécurité", "peut-être"),
        ("A1;Panne;;new;25/11/2026 10:00;;;haut", 2, "Impact", "haut"),
        (";Panne;;new;25/11/2026 10:00;;;", 2, "N°", "1 à"),
        ("A1;Panne;;waiting;25/11/2026 10:00;;;", 2, "since", "instant"),
        ("A1;a;;new;25/11/2026 10:00;;;\nA1;a;;Cassé;25/11/2026 10:00;;;", 3, "État", "Cassé"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_line_and_column(
    row: str, line: int, field: str, said: str
) -> None:
    found = read(row + "\nB2;Autre;;new;25/11/2026 10:00;;;\n")
    (refused,) = found.refused
    assert isinstance(refused.error, Invalid)
    assert (refused.line, refused.error.field) == (line, field)
    assert said in str(refused.error)
    assert [one.external_id for one in found.tickets] == ["B2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("desk = ", "desk == "), "mapping"),
        (('desk = "snow"', ""), "desk"),
        (("Europe/Paris", "Europe/Foix"), "zone"),
        (('state = "État"', ""), "state"),
        (('state = "État"', 'state = "Statut"'), "state"),
        (("impact =", "impakt ="), "impakt"),
        (("[constants]", "[constant]"), "constant"),
        (('dates = ["%d/%m/%Y %H:%M", "%d-%m-%Y"]', "dates = 3"), "dates"),
    ],
)
def test_a_mapping_that_is_wrong_names_what_is(change: tuple[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read("A1;Panne;;new;25/11/2026 10:00;;;", DESK.replace(*change))
    assert refusal.value.field == field


def test_the_shipped_mapping_reads_the_log_of_a_real_desk_as_it_happened() -> None:
    """890 tickets; beside acknowledgements their events are those that are read from the log by hand.

    Of a first resolution the mapping takes the first row, and of the last the desk's own time.
    """
    table = read_csv(Path(uci_log.LOG).read_bytes())
    found = read_tickets(table, read_mapping(SHIPPED), {})
    assert (found.rows, len(found.tickets), found.refused) == (5998, 890, [])
    by_hand = {ticket.number: ticket for ticket in uci_log.read_tickets()}
    differ = [
        told.external_id
        for told in found.tickets
        if events_of(told.ticket) != sorted(by_hand[told.external_id].events, key=lambda event: event.at)
    ]
    assert differ == ["INC0000403", "INC0001137"]


def events_of(ticket) -> list[Event]:
    assert ticket.opened_at is not None
    opened = Event(EventKind.OPENED, ticket.opened_at)
    missing = missing_events([opened], ticket.standings)
    return [opened, *(event for event in missing if event.kind is not EventKind.ACKNOWLEDGED)]
