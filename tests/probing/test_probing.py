"""Services asked from outside, against real servers."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from console.domain.probes import Answer, Fault, ProbeKind, Question
from console.probing import ask
from tests.probing.servers import one_answer, pages
from tests.running import free_port


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with pages() as port:
        yield f"http://127.0.0.1:{port}"


def ask_page(address: str, *, timeout_s: int = 5, status: int = 200, text: str | None = None) -> Answer:
    return ask(Question(ProbeKind.HTTP, address, timeout_s, status, text))


def ask_port(target: str) -> Answer:
    return ask(Question(ProbeKind.TCP, target, 5))


@pytest.mark.parametrize(
    ("path", "status", "text", "fault"),
    [
        ("/ok", 200, None, None),
        ("/ok?depth=1", 200, None, None),
        ("/état", 200, None, None),
        ("/ok", 200, "bien à la paie", None),
        ("/latin", 200, "bien à la paie", None),
        ("/ok", 200, "BIEN", Fault.TEXT),
        ("/ok", 204, None, Fault.STATUS),
        ("/broken", 200, None, Fault.STATUS),
        ("/broken", 500, "panne", None),
        ("/moved", 200, None, Fault.STATUS),
        ("/moved", 302, None, None),
        ("/elsewhere", 200, None, Fault.STATUS),
    ],
)
def test_an_answer_has_the_status_and_the_text_expected(
    site: str, path: str, status: int, text: str | None, fault: Fault | None
) -> None:
    answer = ask_page(site + path, status=status, text=text)
    assert answer.fault is fault
    assert answer.took_ms >= 0


@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_an_answer_that_takes_too_long_is_not_waited_for(site: str, path: str) -> None:
    began = time.monotonic()
    assert ask_page(site + path, timeout_s=1, text="enfin").fault is Fault.TIMED_OUT
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("said", [b"SSH-2.0-essai\r\n", b"", b"HTTP/1.1 deux cents\r\n\r\n"])
def test_what_is_no_http_is_a_bad_answer(said: bytes) -> None:
    with one_answer(said) as port:
        assert ask_page(f"http://127.0.0.1:{port}/").fault in (Fault.PROTOCOL, Fault.UNREACHABLE)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    port = free_port()
    assert ask_page(f"http://127.0.0.1:{port}/").fault is Fault.UNREACHABLE
    assert ask_port(f"127.0.0.1:{port}").fault is Fault.UNREACHABLE


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    assert ask_page("http://nulle-part.invalid/").fault is Fault.UNREACHABLE
    assert ask_port("nulle-part.invalid:80").fault is Fault.UNREACHABLE


def test_a_port_that_takes_connections_is_a_good_answer(site: str) -> None:
    assert ask_port(site.removeprefix("http://")).fault is None


class TestCertificates:
    """Over TLS, with an authority that this machine trusts for the length of a test."""

    @pytest.fixture
    def authority(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        return authority

    def ask(self, certificate: trustme.LeafCert) -> Answer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        with pages(context) as port:
            return ask_page(f"https://127.0.0.1:{port}/ok", text="Tout va bien")

    def test_a_good_certificate_tells_when_it_ends(self, authority: trustme.CA) -> None:
        ends_at = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
        answer = self.ask(authority.issue_cert("127.0.0.1", not_after=ends_at))
        assert (answer.fault, answer.certificate_ends_at) == (None, ends_at)

    def test_a_certificate_that_ended_is_refused(self, authority: trustme.CA) -> None:
        ended_at = datetime.now(UTC) - timedelta(days=1)
        certificate = authority.issue_cert(
            "127.0.0.1", not_before=ended_at - timedelta(days=9), not_after=ended_at
        )
        assert self.ask(certificate).fault is Fault.CERTIFICATE

    def test_a_certificate_of_another_name_is_refused(self, authority: trustme.CA) -> None:
        assert self.ask(authority.issue_cert("ailleurs.exemple.fr")).fault is Fault.CERTIFICATE

    def test_a_certificate_of_an_unknown_authority_is_refused(self, authority: trustme.CA) -> None:
        assert self.ask(trustme.CA().issue_cert("127.0.0.1")).fault is Fault.CERTIFICATE
