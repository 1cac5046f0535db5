"""What becomes of the sign-ins and second factors of people is in the operator's log, with who did it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from console.actions.second_factor import remove_second_factor, renew_recovery_codes
from console.actions.sign_in import end_other_sign_ins, end_sign_in, end_sign_ins, hash_of, open_sign_in
from console.domain.access import Role
from console.store.models import audit as a
from console.store.session import Database, Operator, ScopedSession
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        (lambda session, ana, _token: end_sign_ins(session, ana), "sign_in.ended"),
        (lambda session, ana, token: end_sign_in(session, ana, token), "sign_in.ended"),
        (lambda session, ana, _token: end_other_sign_ins(session, ana, "another"), "sign_in.ended"),
        (lambda session, ana, _token: renew_recovery_codes(session, ana), "second_factor.codes_renewed"),
        (lambda session, ana, _token: remove_second_factor(session, ana), "second_factor.removed"),
    ],
)
def test_it_is_written_down(
    database: Database, deed: Callable[[ScopedSession, int, str], object], kind: str
) -> None:
    with database.write(Operator()) as session:
        ana = given.an_account(session, "ana", Role.OPS)
        token = hash_of(open_sign_in(session, ana, now=NOW))
    with database.write(Operator(), by="boss") as session:
        deed(session, ana, token)
    with database.read(Operator()) as session:
        last = session.scalars(select(a.AuditEntry).order_by(a.AuditEntry.number.desc()).limit(1)).one()
    assert (last.tenant_id, last.by, last.kind, last.subject) == (1, "boss", kind, f"account/{ana}")
