"""What a form does: its deed in one transaction, then another page; or the form again with what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from console.domain.errors import Invalid
from console.store.session import Operator
from console.web.access import current_account
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

Form = Callable[[dict[str, str]], str]


def carry_out(
    deed: Callable[[Session], object], form: Form, *, said: str, address: str
) -> ResponseReturnValue:
    """Do what a form asks of the catalogue, which is the operator's, say so, and go to an address.

    `form` makes the page of the form from the messages by field.
    """
    try:
        with state().database.write(Operator(), by=current_account().login) as session:
            deed(session)
    except Invalid as error:
        return form({error.field: message_of(error)}), 422
    flash(said)
    return go_to(address)
