"""Texts from which what adherents read of incidents is written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.domain.revisions import fingerprint
from console.store.models import incident as i


@dataclass(frozen=True, slots=True)
class Template:
    """A template, in both languages."""

    template_id: int
    name: str
    text_fr: str
    text_en: str

    @property
    def version(self) -> str:
        """What a form is filled in from."""
        return version_of(self.name, self.text_fr, self.text_en)


def version_of(name: str, text_fr: str, text_en: str) -> str:
    """The version of a template: another one for each other content."""
    return fingerprint(name, text_fr, text_en)


def templates(session: Session) -> list[Template]:
    """Those that are offered, by their names."""
    kept = i.MessageTemplate
    rows = session.scalars(select(kept).where(kept.retired_at.is_(None)).order_by(kept.name))
    return [_told(row) for row in rows]


def template(session: Session, template_id: int) -> Template:
    """One that is offered; raises `NotFound`."""
    row = session.get(i.MessageTemplate, template_id)
    if row is None or row.retired_at is not None:
        raise NotFound("Modèle introuvable.")
    return _told(row)


def _told(row: i.MessageTemplate) -> Template:
    return Template(row.template_id, row.name, row.text_fr, row.text_en)
