"""What leaves by mail for the people of one adherent holds nothing of another."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console import jobs
from console.config import read_config
from tests.isolation.world import A, B, Console, World, console
from tests.smtp import Mail, MailServer, mail_server

OPS = "ops@inr.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def work_is_done(console: Console, world: World, server: MailServer) -> None:
    """All that the jobs process does, by a console that has listened for an hour."""
    settings = {
        "CONSOLE_VAR": str(world.var),
        "CONSOLE_SMTP_URL": server.url,
        "CONSOLE_ALERTS_TO": OPS,
        "CONSOLE_MAIL_FROM": "Console INR <console@inr.example>",
    }
    means = jobs.means_of(read_config(settings), console.database)
    means = replace(means, started_at=datetime.now(UTC) - timedelta(hours=1))
    for entry in (*jobs.TIMETABLE, *jobs.TIMETABLE):
        entry.work(means)


def invite(console: Console, email: str, tenant_id: int) -> None:
    form = {"email": email, "name": email.title(), "role": "cio", "adherents": tenant_id}
    answer = console.operator.ask("POST", "/people/invite", form)
    assert answer.status_code < 400, answer.text


def told(mail: Mail) -> str:
    return f"{mail.subject}\n{mail.body}".lower()


def test_a_mail_tells_its_reader_nothing_of_another_adherent(
    world: World, spent: Console, server: MailServer
) -> None:
    newcomers = {f"nouveau@{world.a.word.lower()}.example": A, f"nouveau@{world.b.word.lower()}.example": B}
    mailing = console(spent.database, world.tokens, world.var, CONSOLE_SMTP_URL=server.url)
    for email, tenant_id in newcomers.items():
        invite(mailing, email, tenant_id)
    mailing.rest()
    work_is_done(spent, world, server)

    words = {A: world.b.word.lower(), B: world.a.word.lower()}
    readers = dict.fromkeys(world.a.emails, A) | dict.fromkeys(world.b.emails, B) | newcomers
    reached = set()
    for mail in server.taken:
        for reader in mail.recipients:
            assert reader == OPS or reader in readers, reader
            assert reader == OPS or words[readers[reader]] not in told(mail)
            reached.add(reader)
    assert reached == {OPS, *newcomers}
    assert any(world.b.word.lower() in told(mail) for mail in server.taken if mail.recipients == [OPS])
