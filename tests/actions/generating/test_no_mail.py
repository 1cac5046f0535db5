"""Nothing that was generated is mailed to anyone."""

from datetime import UTC, datetime, timedelta

import pytest

from console import jobs
from console.actions.alerting import Readers
from console.actions.delivering import STARTED, Envelope, post
from console.actions.generating.generation import begin, finish
from console.actions.generating.scale import Scale
from console.notify.channels import open_channels
from console.store.queries import alerts
from console.store.queries.alerts import DeliveryState
from console.store.session import Database, Operator
from reports.mail import Message
from tests.smtp import mail_server

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
ENVELOPE = Envelope("mail", ("ops@inr.example",), "inr.example")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("generated", "state"),
    [(True, DeliveryState.PENDING), (False, DeliveryState.SENT)],
    ids=["generated", "real"],
)
def test_a_message_of_generated_data_stays_where_it_is(
    database: Database, generated: bool, state: DeliveryState
) -> None:
    with database.write(Operator()) as session:
        if generated:
            begin(session, Scale(seed=1), now=NOW)
            finish(session, now=NOW)
        posted = post(
            session, ENVELOPE, Message("Délai dépassé", "Un incident"), STARTED, now=NOW
        ).delivery_id
    with mail_server() as server:
        jobs.deliver(
            jobs.Means(
                database=database,
                channels=open_channels(smtp=server.settings),
                readers=Readers(ENVELOPE, "https://console.inr.example"),
                silent_after=timedelta(minutes=3),
                started_at=NOW,
                clock=lambda: NOW,
            )
        )
    with database.read(Operator()) as session:
        assert alerts.delivery(session, posted).state is state
