"""Texts from which what adherents read of incidents is written: added, changed, retired."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.errors import Conflict, NotFound
from console.domain.free_text import one_line
from console.domain.messages import check_template
from console.domain.revisions import check_version
from console.store.models import incident as i
from console.store.queries.message_templates import version_of


def add_template(session: Session, *, name: str, text_fr: str, text_en: str) -> int:
    """Keep a template; raises `Conflict` while another has its name."""
    hold_catalogue(session)
    template = i.MessageTemplate()
    _tell(session, template, name, text_fr, text_en)
    session.add(template)
    session.flush()
    return template.template_id


def change_template(
    session: Session, template_id: int, *, name: str, text_fr: str, text_en: str, seen_version: str | None
) -> None:
    """Change a template; what was written from it stays as it was written.

    Raises `Stale` where the form was filled in from another content than the present one.
    """
    hold_catalogue(session)
    template = _template(session, template_id)
    check_version(seen_version, version_of(template.name, template.text_fr, template.text_en))
    _tell(session, template, name, text_fr, text_en)


def retire_template(session: Session, template_id: int, *, now: datetime) -> None:
    """A template is offered no more."""
    hold_catalogue(session)
    _template(session, template_id).retired_at = now


def _tell(session: Session, template: i.MessageTemplate, name: str, text_fr: str, text_en: str) -> None:
    line = one_line(name, "name")
    twin = session.scalar(
        select(i.MessageTemplate.template_id).where(
            i.MessageTemplate.name == line, i.MessageTemplate.retired_at.is_(None)
        )
    )
    if twin not in (None, template.template_id):
        raise Conflict("Un autre modèle porte déjà ce nom.")
    template.name = line
    template.text_fr = check_template(text_fr, "text_fr")
    template.text_en = check_template(text_en, "text_en")


def _template(session: Session, template_id: int) -> i.MessageTemplate:
    template = session.get(i.MessageTemplate, template_id, populate_existing=True)
    if template is None or template.retired_at is not None:
        raise NotFound("Modèle introuvable.")
    return template
