"""The views of the list of incidents that an account keeps for itself."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import watching as w

LONGEST_NAME = 60
LONGEST_QUERY = 1000
MOST = 20


def keep_view(session: Session, account_id: int, name: str, query: str) -> None:
    """Keep what is asked under a name; a view of that name is replaced."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid("name", "Un nom de 1 à %(longest)s caractères est attendu.", longest=LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise Invalid("name", "Ces filtres sont trop longs pour être gardés.")
    own = w.SavedView.account_id == account_id
    known = session.scalars(select(w.SavedView).where(own, w.SavedView.name == name)).one_or_none()
    if known is not None:
        known.query = query
        return
    if (session.scalar(select(func.count()).select_from(w.SavedView).where(own)) or 0) >= MOST:
        raise Conflict("Un compte garde %(most)s vues au plus : oubliez-en une d'abord.", most=MOST)
    session.add(w.SavedView(account_id=account_id, name=name, query=query))


def forget_view(session: Session, account_id: int, view_id: int) -> None:
    """Forget a view of this account; raises `NotFound` for that of another."""
    view = session.get(w.SavedView, view_id)
    if view is None or view.account_id != account_id:
        raise NotFound("Cette vue n'existe pas.")
    session.delete(view)
