"""What becomes of audited rows is written down as their transaction commits.

    flush -> collect -> (several flushes of one row are one deed) -> commit -> write

The deeds of a transaction are collected at each of its flushes. Just before it commits, the heads of the
chains it writes to are held, in the order of the adherents, and its entries are appended: no other lock is
taken after these, so chains do not deadlock. What a savepoint takes back is not written.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, SessionTransaction

from console.domain.audit import GENESIS, Entry, Payload, Plain, canonical, plain, seal_entry
from console.domain.claims import OPERATOR_TENANT
from console.store.base import Base, OwnedRow
from console.store.models import audit as a
from console.store.models import catalogue as c

SALT_BYTES = 16
Values = Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to write down."""

    tenant_id: int
    kind: str
    subject: str
    facts: Mapping[str, object]
    by: str | None = None  # None: who the session acts for


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a row; nothing before: it was added, nothing after: it was removed.

    Of a row that was changed there are the columns that were.
    """

    model: type[Base]
    tenant_id: int
    subject: str
    before: Values | None
    after: Values | None

    def then(self, later: Change) -> Change:
        """This change and a later one of the same row, as one."""
        before = None if self.before is None else {**(later.before or {}), **self.before}
        after = None if later.after is None else {**(self.after or {}), **later.after}
        return Change(self.model, self.tenant_id, self.subject, before, after)

    def deed(self) -> Deed | None:
        """What there is to say, None where all is as it was; of hidden columns only that they changed."""
        old, new = self.before or {}, self.after or {}
        names = [
            name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]
        ]
        if not names:
            return None
        verb = "added" if self.before is None else "removed" if self.after is None else "changed"
        told = [name for name in names if name not in self.model.hidden]
        facts: dict[str, object] = {
            "old": {name: old[name] for name in told if name in old},
            "new": {name: new[name] for name in told if name in new},
            "hidden": sorted(set(names) - set(told)),
        }
        kind = f"{self.model.__tablename__}.{verb}"
        return Deed(self.tenant_id, kind, self.subject, {key: part for key, part in facts.items() if part})


Deeds = dict[object, Change | Deed]


@dataclass(slots=True)
class Pending:
    """The deeds of a running transaction, in their order, and what they were as its savepoints began."""

    deeds: Deeds = field(default_factory=dict)
    savepoints: list[Deeds] = field(default_factory=list)
    ended: Deeds = field(default_factory=dict)  # as the savepoint that ended last began

    def add(self, change: Change) -> None:
        key = (change.tenant_id, change.subject)
        known = self.deeds.get(key)
        self.deeds[key] = known.then(change) if isinstance(known, Change) else change

    def take(self) -> list[Deed]:
        told = (deed.deed() if isinstance(deed, Change) else deed for deed in self.deeds.values())
        taken = [deed for deed in told if deed is not None]
        self.deeds = {}
        return taken


def record(
    session: Session,
    tenant_id: int,
    kind: str,
    subject: str,
    facts: Mapping[str, object] | None = None,
    *,
    by: str | None = None,
) -> None:
    """Write down, with the transaction, a deed that leaves no row: a sign-in, a download, an import.

    `kind` is such as "sign_in.opened" and `subject` such as "account/3", of at most 64 and 200 characters;
    `by` is the login of the person where the session does not know it. The session needs the adherent in its
    scope; the operator's chain is that of adherent 1.
    """
    _pending(session).deeds[object()] = Deed(tenant_id, kind, subject, facts or {}, by)


def listen_to(sessions: type[Session]) -> None:
    """Write down what the sessions of a class do; each says by `by` who acts."""
    event.listen(sessions, "after_flush", _collect)
    event.listen(sessions, "before_commit", _write)
    event.listen(sessions, "after_transaction_create", _begin)
    event.listen(sessions, "after_soft_rollback", _take_back)
    event.listen(sessions, "after_transaction_end", _end)


def _pending(session: Session) -> Pending:
    pending: Pending = session.info.setdefault("audit", Pending())
    return pending


def _collect(session: Session, *_: object) -> None:
    for rows, change_of in ((session.new, _added), (session.dirty, _changed), (session.deleted, _removed)):
        for row in rows:
            if isinstance(row, Base) and row.audited:
                _pending(session).add(change_of(row))


def _added(row: Base) -> Change:
    return _change(row, None, _values(row))


def _changed(row: Base) -> Change:
    histories = {name: inspect(row).attrs[name].history for name in _columns(row)}
    return _change(
        row,
        {name: plain(h.deleted[0]) for name, h in histories.items() if h.has_changes() and h.deleted},
        {name: plain(h.added[0]) for name, h in histories.items() if h.has_changes() and h.added},
    )


def _removed(row: Base) -> Change:
    return _change(row, _values(row), None)


def _change(row: Base, before: Values | None, after: Values | None) -> Change:
    tenant_id = row.tenant_id if isinstance(row, OwnedRow) else OPERATOR_TENANT
    return Change(type(row), tenant_id, _subject(row), before, after)


def _subject(row: Base) -> str:
    """A row by its table and key; the adherent that leads a key is said by the chain."""
    mapper = inspect(type(row))
    names = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    parts = [name for name in names if name != "tenant_id"] or names
    return "/".join((row.__tablename__, *(str(plain(getattr(row, name))) for name in parts)))


def _values(row: Base) -> Values:
    held = ((name, row.__dict__.get(name)) for name in _columns(row))
    return {name: plain(value) for name, value in held if value is not None}


def _columns(row: Base) -> Iterable[str]:
    return [column.key for column in inspect(type(row)).column_attrs if column.key not in row.fleeting]


def _write(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    deeds = _pending(session).take()
    heads = _held_heads(session, {deed.tenant_id for deed in deeds}) if deeds else {}
    now = datetime.now(UTC)
    for deed in deeds:
        _append(session, heads[deed.tenant_id], deed, now)
    session.flush()


def _append(session: Session, head: a.AuditHead, deed: Deed, now: datetime) -> None:
    payload = Payload(secrets.token_hex(SALT_BYTES), canonical(deed.facts))
    entry = seal_entry(
        Entry(
            tenant_id=deed.tenant_id,
            number=head.number + 1,
            at=max(now, head.at),  # the clocks of two machines differ
            by=deed.by or session.by,  # type: ignore[attr-defined]
            kind=deed.kind,
            subject=deed.subject,
            payload_sha256=payload.sha256(),
            previous_sha256=head.sha256,
            sha256="",
        )
    )
    head.number, head.at, head.sha256 = entry.number, entry.at, entry.sha256
    session.add(a.AuditEntry(**{name: getattr(entry, name) for name in Entry.__slots__}))
    session.add(
        a.AuditPayload(tenant_id=deed.tenant_id, number=entry.number, salt=payload.salt, payload=payload.text)
    )


def _held_heads(session: Session, tenant_ids: set[int]) -> dict[int, a.AuditHead]:
    known = set(session.scalars(select(a.AuditHead.tenant_id).where(a.AuditHead.tenant_id.in_(tenant_ids))))
    if missing := tenant_ids - known:
        # Who begins a chain makes its head: one at a time, held by the adherent before any head is.
        adherents = select(c.Adherent.tenant_id).where(c.Adherent.tenant_id.in_(missing))
        session.execute(adherents.order_by(c.Adherent.tenant_id).with_for_update(key_share=True))
    heads = _locked_heads(session, tenant_ids)
    for tenant_id in sorted(tenant_ids - heads.keys()):
        heads[tenant_id] = a.AuditHead(
            tenant_id=tenant_id, number=0, at=datetime.min.replace(tzinfo=UTC), sha256=GENESIS
        )
        session.add(heads[tenant_id])
    return heads


def _locked_heads(session: Session, tenant_ids: set[int]) -> dict[int, a.AuditHead]:
    rows = session.scalars(
        select(a.AuditHead)
        .where(a.AuditHead.tenant_id.in_(tenant_ids))
        .order_by(a.AuditHead.tenant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.tenant_id: row for row in rows}


def _begin(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        pending = _pending(session)
        pending.savepoints.append(dict(pending.deeds))


def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        pending = _pending(session)
        pending.ended = pending.savepoints.pop()


def _take_back(session: Session, previous: SessionTransaction) -> None:
    """Forget what was rolled back; a flush that fails within a savepoint takes the savepoint back next."""
    pending = _pending(session)
    if previous.nested:
        pending.deeds = pending.ended
    elif not pending.savepoints:
        pending.deeds = {}
