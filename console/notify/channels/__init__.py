"""The ways out, one file each; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from console.notify.channels import mail
from console.notify.letter import Channel


def open_channels(*, smtp: mail.Smtp | None) -> Mapping[str, Channel]:
    """The channels whose settings are there, by name."""
    table = {"mail": smtp and partial(mail.send, smtp)}
    return {name: channel for name, channel in table.items() if channel}
