"""What an adherent did to an incident is told to those on watch and those in charge, by one mail."""

import pytest
from sqlalchemy import select

from console.actions.adherent_news import Deed, tell_operator
from console.actions.alerting import Readers
from console.actions.delivering import Envelope
from console.domain.access import Role
from console.domain.clock import EventKind
from console.store.models import coordination as k
from console.store.session import Database, Operator
from tests import given
from tests.given import NOW

FOIX = 11
WATCH = Readers(Envelope("mail", ("astreinte@mipih.example",), "console.example"), "https://console.example")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("deed", "waits", "said"),
    [
        (Deed.DECLARED, False, "déclare un incident"),
        (Deed.ANSWERED, True, "a répondu"),
        (Deed.ANSWERED, False, None),
    ],
)
def test_the_operator_is_stirred(database: Database, deed: Deed, waits: bool, said: str | None) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.signed_in(session, Role.ACCOUNT_MANAGER, (FOIX,))
        number = given.an_incident(session, FOIX)
        if waits:
            given.it_is(session, EventKind.WAITING, FOIX, number, NOW)
        assert tell_operator(session, FOIX, number, deed, now=NOW, readers=WATCH) is (said is not None)
        mails = session.scalars(select(k.Delivery)).all()
    assert [said in mail.subject for mail in mails if said] == ([True] if said else [])
    for mail in mails:
        assert "astreinte@mipih.example" in mail.recipients
        assert f"https://console.example/adherents/{FOIX}/incidents/{number}" in mail.body
