"""`console alerts` against a real mail server."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.running import BIN, ROOT, Installation, free_port, installation
from tests.smtp import MailServer, mail_server


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("alerts") / "var") as installed:
        yield installed


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


def alerts(installed: Installation, *arguments: str, **settings: str) -> Answer:
    installed.settings = settings
    done = subprocess.run(
        [BIN / "console", "alerts", *arguments],
        cwd=ROOT,
        env=installed.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Answer(done.returncode, done.stdout + done.stderr)


def test_a_trial_arrives_and_says_so(prepared: Installation, server: MailServer) -> None:
    to = "ops@inr.example,night@inr.example"
    answer = alerts(prepared, "test", CONSOLE_SMTP_URL=server.url, CONSOLE_ALERTS_TO=to)
    assert answer == Answer(0, "sent: 250 Taken (to ops@inr.example, night@inr.example)\n")
    assert server.taken[0].recipients == ["ops@inr.example", "night@inr.example"]
    assert server.taken[0].subject == "[Console INR] Essai d'alerte"


def test_a_trial_may_go_to_another_address(prepared: Installation, server: MailServer) -> None:
    answer = alerts(prepared, "test", "--to", "me@inr.example", CONSOLE_SMTP_URL=server.url)
    assert answer.status == 0
    assert [mail.recipients for mail in server.taken] == [["me@inr.example"]]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("451 4.3.0 try later", "Error: passing: 451 4.3.0 try later (to me@inr.example)\n"),
        ("554 5.7.1 not wanted", "Error: permanent: 554 5.7.1 not wanted (to me@inr.example)\n"),
    ],
)
def test_a_trial_that_is_refused_says_why(
    prepared: Installation, server: MailServer, reply: str, said: str
) -> None:
    server.data_replies = [reply]
    answer = alerts(prepared, "test", "--to", "me@inr.example", CONSOLE_SMTP_URL=server.url)
    assert answer == Answer(1, said)


def test_a_trial_whose_outcome_no_one_knows_says_so(prepared: Installation, server: MailServer) -> None:
    server.after_data = "drop"
    answer = alerts(prepared, "test", "--to", "me@inr.example", CONSOLE_SMTP_URL=server.url)
    assert answer.status == 1
    assert answer.text.startswith("Error: uncertain: ")


def test_a_server_that_is_not_there_is_named(prepared: Installation) -> None:
    port = free_port()
    url = f"smtp://127.0.0.1:{port}"
    answer = alerts(prepared, "test", "--to", "me@inr.example", CONSOLE_SMTP_URL=url)
    assert answer.status == 1
    assert f"127.0.0.1:{port}: [Errno 111] Connection refused" in answer.text


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ((), {"CONSOLE_ALERTS_TO": "ops@inr.example"}, "CONSOLE_SMTP_URL is not set"),
        ((), {"CONSOLE_SMTP_URL": "smtp://127.0.0.1:9"}, "CONSOLE_ALERTS_TO is not set"),
        (
            ("--to", "ops at inr"),
            {"CONSOLE_SMTP_URL": "smtp://127.0.0.1:9"},
            "'ops at inr' is not a mail address",
        ),
    ],
    ids=["no server", "no recipient", "no address"],
)
def test_what_is_missing_is_named(
    prepared: Installation, arguments: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    answer = alerts(prepared, "test", *arguments, **settings)
    assert answer.status == 1
    assert said in answer.text


def test_the_list_shows_messages_and_their_attempts(prepared: Installation, server: MailServer) -> None:
    server.data_replies = ["554 not wanted"]
    alerts(prepared, "test", "--to", "me@inr.example", CONSOLE_SMTP_URL=server.url)
    answer = alerts(prepared, "list", "--limit", "1")
    assert answer.status == 0
    first, message, attempt = answer.text.splitlines()
    assert first == "no alert is open"
    assert message.endswith("failed     [Console INR] Essai d'alerte")
    assert attempt.endswith("Z permanent: 554 not wanted")


def test_with_nothing_to_retry_it_says_so(prepared: Installation) -> None:
    assert alerts(prepared, "retry") == Answer(0, "0 to send again\n")
