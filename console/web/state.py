"""What all views of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app

from console.actions.sealing import Seal
from console.actions.single_sign_on import Provider
from console.store.session import Database
from console.web.intake import Intake


@dataclass(frozen=True, slots=True)
class State:
    """Made once by `create_app`; `secure` when the console is reached over https.

    A host that was not heard for `silent_after` is silent. `require_totp`: staff have a second factor.
    `sender_domain` is None where no mail leaves, `provider` where there is no single sign-on;
    `alert_recipients` are the addresses of those on watch. `intake` bounds what agents send.
    """

    database: Database
    public_url: str
    secure: bool
    silent_after: timedelta
    require_totp: bool
    seal: Seal
    sender_domain: str | None
    alert_recipients: tuple[str, ...]
    provider: Provider | None
    intake: Intake


def state() -> State:
    """The state of the current application."""
    found: State = current_app.extensions["console"]
    return found
