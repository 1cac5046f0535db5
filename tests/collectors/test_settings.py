"""Tables become settings; every mistake is told with its line and with what would be right."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.instrument import SecretFile
from collectors.settings import Checker, Lines, Mistake, unusable_secret


@dataclass(frozen=True, slots=True)
class Outlet:
    """Settings of every kind."""

    address: str
    password_file: SecretFile | None = None
    ca_file: Path | None = None
    timeout_seconds: float = 5.0
    retries: int = 3
    verbose: bool = False
    outlets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.retries > 9:
            raise ValueError("retries: at most 9 are expected")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    return path


def checked(text: str) -> tuple[Outlet | None, list[Mistake]]:
    text = textwrap.dedent(text)
    checker = Checker(text)
    made = checker.settings(Outlet, tomllib.loads(text)["pdu"], ("pdu",))
    return made, sorted(checker.mistakes)


def test_a_table_without_mistakes_becomes_its_settings(secret: Path) -> None:
    made, mistakes = checked(f"""
        [pdu]
        address = "pdu-1"
        password_file = "{secret}"
        timeout_seconds = 2
        outlets = ["3", "4"]
        verbose = true
    """)
    assert mistakes == []
    assert made == Outlet("pdu-1", SecretFile(secret), None, 2.0, 3, True, ("3", "4"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("addres = 'x'", "pdu.addres: unknown; did you mean address?"),
        ("colour = 'x'", "pdu.colour: unknown; known here: address, password_file"),
        ("timeout_seconds = '5'", "pdu.timeout_seconds: '5' is not what belongs here; a number is expected"),
        ("retries = 1.5", "pdu.retries: 1.5 is not what belongs here; a whole number is expected"),
        ("retries = true", "pdu.retries: True is not what belongs here; a whole number is expected"),
        ("verbose = 1", "pdu.verbose: 1 is not what belongs here; true or false is expected"),
        ("outlets = [3]", "pdu.outlets: [3] is not what belongs here; a list of texts is expected"),
        ("ca_file = 7", "pdu.ca_file: 7 is not what belongs here; the path of a file"),
        ("retries = 12", "pdu.retries: at most 9 are expected"),
        ("password_file = '/no/file'", "pdu.password_file: /no/file: No such file or directory"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_key_and_what_would_be_right(line: str, told: str) -> None:
    made, mistakes = checked(f"[pdu]\naddress = 'a'\n\n{line}\n")
    assert made is None
    assert [one.line for one in mistakes] == [4]
    assert f"{mistakes[0].key}: {mistakes[0].message}".startswith(told)


def test_what_is_missing_is_told_at_the_line_of_its_table() -> None:
    _, mistakes = checked("# a comment\n[pdu]\nretries = 2\n")
    assert mistakes == [Mistake(2, "pdu.address", "missing; a text in quotes is needed")]


def test_all_mistakes_are_told_at_once() -> None:
    _, mistakes = checked("[pdu]\nretries = 'x'\ncolour = 1\n")
    assert [(one.line, one.key) for one in mistakes] == [
        (1, "pdu.address"),
        (2, "pdu.retries"),
        (3, "pdu.colour"),
    ]


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"s3cret\n", 0o600, None),
        (b"s3cret\n", 0o640, None),
        (b"s3cret\n", 0o604, "others may read it; chmod 600"),
        (b"", 0o600, "one line with the secret is needed"),
        (b"two\nlines", 0o600, "one line with the secret is needed"),
        (b"\xff\xfe", 0o600, "not a text"),
        (None, 0, "No such file"),
    ],
)
def test_a_secret_is_in_a_file_that_nobody_else_may_read(
    tmp_path: Path, content: bytes | None, mode: int, reason: str | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    found = unusable_secret(path)
    assert found is None if reason is None else reason in str(found)
    assert "s3cret" not in str(found)


def test_lines_are_found_in_every_notation_of_toml() -> None:
    text = textwrap.dedent('''
        top = 1
        [a]
        b.c = 2
        long = """
        x = 3
        """
        list = [
          1,   # ] not the end
          2,
        ]
        "quoted key" = 4
        ['quoted.table'."x"]
        y = 5
        [[entries]]
        z = 6
        [entries.sub]
        z = 7
        [[entries]]
        z = 8
        inline = { deep = 1 }
    ''')
    lines = Lines(text)
    found = {
        key: lines.of(key)
        for key in [
            ("top",),
            ("a",),
            ("a", "b", "c"),
            ("a", "list"),
            ("a", "quoted key"),
            ("quoted.table", "x", "y"),
            ("entries", 0, "z"),
            ("entries", 0, "sub", "z"),
            ("entries", 1, "z"),
            ("entries", 1, "inline", "deep"),
            ("nowhere",),
        ]
    }
    assert list(found.values()) == [2, 3, 4, 8, 12, 14, 16, 18, 20, 21, 1]
    assert lines.of(("a", "x")) == 3


NO_SECRET = "one line with the secret is expected"


@pytest.mark.parametrize(
    ("content", "text", "token"),
    [
        (b"s3cret\n", "s3cret", "s3cret"),
        ("clé à molette\n".encode(), "clé à molette", "a token is plain letters, digits and signs"),
        (b"s3cret\nmore", NO_SECRET, NO_SECRET),
        (b"s3cret\x07", NO_SECRET, NO_SECRET),
        (b"s3cret\xff", NO_SECRET, NO_SECRET),
        (b" \n", NO_SECRET, NO_SECRET),
    ],
)
def test_a_secret_is_looked_at_each_time_it_is_read(
    secret: Path, content: bytes, text: str, token: str
) -> None:
    def answered(ask: Callable[[], str]) -> str | None:
        try:
            return ask()
        except OSError as error:
            return error.strerror

    file = SecretFile(secret)
    assert file.read() == "s3cret"
    secret.write_bytes(content)
    assert (answered(file.read), answered(file.token)) == (text, token)
