"""Files of forms: sent, kept while their sender looks at what they change, shown by their first rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from flask import request

from console.actions.kept_files import keep_file, kept_file
from console.domain.tables import Table
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account
from console.web.state import state

LONGEST_NAME = 150
EXAMPLES = 3  # rows that show what a column holds


def sent_file() -> tuple[bytes, str]:
    """The file of the form with its name; a long one lies on the disk and is closed at once."""
    sent = request.files.get("file")
    if sent is None:
        return b"", ""
    with sent.stream as stream:
        return stream.read(), (sent.filename or "")[:LONGEST_NAME]


def keep(content: bytes, *, now: datetime) -> int:
    """Keep a file for its sender; the number by which the next form names it."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as session:
        return keep_file(session, content, account_id=account.account_id, now=now)


def kept() -> tuple[bytes, int | None]:
    """The file that waits, which is its sender's; raises `NotFound`."""
    file_id = inputs.optional_count("file")
    with state().database.read(Operator()) as session:
        return kept_file(session, file_id, account_id=current_account().account_id), file_id


def first_rows(table: Table) -> list[Sequence[str]]:
    """What the columns of a table hold at its beginning."""
    return [cells for _line, cells in islice(table.rows, EXAMPLES)]
