"""What an adherent does to an incident on its pages is told to the operator by mail."""

from __future__ import annotations

from datetime import UTC, datetime

from console.actions.adherent_news import tell_operator
from console.actions.alerting import Readers
from console.actions.delivering import Envelope
from console.store.session import Operator
from console.web.state import state
from reports.incident_mail import Deed


def tell(tenant_id: int, number: int, deed: Deed) -> None:
    """Post the mail once the deed is stored; mails are of no adherent's scope."""
    domain = state().sender_domain
    if domain is None:
        return
    readers = Readers(Envelope("mail", state().alert_recipients, domain), state().public_url)
    with state().database.write(Operator()) as session:
        tell_operator(session, tenant_id, number, deed, now=datetime.now(UTC), readers=readers)
