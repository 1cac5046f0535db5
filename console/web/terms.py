"""The terms of a contract as a form asks for them: an empty field says nothing of its term."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from console.domain.errors import Invalid
from console.domain.free_text import optional_line
from console.domain.price import Indexation, PricePer, Revision
from console.domain.renewal import NoticeUnit
from console.web import addresses, inputs


class Answer(StrEnum):
    """Yes or no, where the field may also be left empty."""

    YES = "yes"
    NO = "no"


class Withdrawable(StrEnum):
    """Terms that may be taken back; a plan is not: incidents are counted by it."""

    VOLUME = "volume"
    PRICE = "price_cents"
    INDEXATION = "indexation"
    REVISION = "revise_on"
    CONTRACT = "contract"
    VERSION = "service_version"
    TERM = "term_ends_on"
    TACIT = "tacit"
    RENEWAL = "renewal_months"
    NOTICE = "notice"


HANGING_ON = {  # what says nothing without it
    Withdrawable.PRICE: ("price_per",),
    Withdrawable.INDEXATION: ("indexation_rate",),
    Withdrawable.NOTICE: ("notice_unit",),
}


def asked_terms() -> dict[str, Any]:
    """The terms that were filled in, but for the plan, by the names of `Terms`."""
    tacit = inputs.optional_choice("tacit", Answer)
    asked = {
        "volume": inputs.optional_count("volume"),
        "price_cents": inputs.optional_hundredths("price"),
        "price_per": inputs.optional_choice("price_per", PricePer),
        "indexation": inputs.optional_choice("indexation", Indexation),
        "indexation_rate": inputs.optional_hundredths("indexation_rate"),
        "revise_on": inputs.optional_day("revise_on"),
        "contract": optional_line(inputs.text("contract"), "contract"),
        "service_version": optional_line(inputs.text("service_version"), "service_version"),
        "term_ends_on": inputs.optional_day("term_ends_on"),
        "tacit": None if tacit is None else tacit is Answer.YES,
        "renewal_months": inputs.optional_count("renewal_months"),
        "notice": inputs.optional_count("notice"),
        "notice_unit": inputs.optional_choice("notice_unit", NoticeUnit),
    }
    return {name: value for name, value in asked.items() if value is not None}


def asked_withdrawals() -> dict[str, None]:
    """The terms that were ticked as not agreed, or not known, by the names of `Terms`."""
    ticked = inputs.choices("withdrawn", Withdrawable)
    return dict.fromkeys(name for term in ticked for name in (term.value, *HANGING_ON.get(term, ())))


def asked_revision() -> Revision:
    """What a price is revised by: a rate, or two values of an index."""
    rate = inputs.optional_hundredths("rate")
    indices = (inputs.optional_hundredths("index_from"), inputs.optional_hundredths("index_to"))
    if rate is not None and any(index is not None for index in indices):
        raise Invalid("rate", "Un taux ou un indice : l'un des deux.")
    return Revision(rate=rate) if rate is not None else Revision(*indices)


def asked_plan() -> dict[str, Any]:
    """The version of a plan that was chosen, if one was."""
    asked = inputs.text("plan")
    if not asked:
        return {}
    code, _colon, version = asked.rpartition(":")
    if not version.isascii() or not version.isdigit() or int(version[:11]) > addresses.LARGEST:
        raise Invalid("plan", "Un choix de la liste est attendu.")
    return {"plan_code": code, "plan_version": int(version)}
