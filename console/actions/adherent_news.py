"""What an adherent did to an incident stirs the operator: one mail, to those on watch and those in charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from console.actions.alerting import Readers
from console.actions.delivering import post
from console.domain.clock import Phase
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.managers import in_charge_of
from reports.incident_mail import AdherentDid, Deed, adherent_did
from reports.language import FRENCH

ADHERENT_DID = "adherent_did"


def tell_operator(
    session: Session, tenant_id: int, number: int, deed: Deed, *, now: datetime, readers: Readers
) -> bool:
    """Post the mail of an incident that was declared, or answered while it waits; whether there is one.

    It repeats no comment: that is read in the console. The scope is that of the operator.
    """
    incident = session.get_one(t.Incident, (tenant_id, number))
    if readers.envelope is None or (deed is Deed.ANSWERED and incident.phase != Phase.WAITING):
        return False
    mails = [manager.mail for manager in in_charge_of(session, tenant_id) if manager.mail]
    recipients = tuple(dict.fromkeys((*readers.envelope.recipients, *mails)))
    if not recipients:
        return False
    adherent = session.get_one(c.Adherent, tenant_id)
    told = AdherentDid(
        adherent=adherent.name,
        number=number,
        title=incident.title,
        priority=incident.priority.value,
        deed=deed,
        at=now,
        zone=adherent.zone,
        link=f"{readers.public_url}/adherents/{tenant_id}/incidents/{number}",
    )
    envelope = replace(readers.envelope, recipients=recipients)
    post(session, envelope, adherent_did(told, FRENCH), ADHERENT_DID, now=now)
    return True
