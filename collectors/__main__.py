"""`python -m collectors`: measures this host, keeps the readings, and sends them to the console."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from collectors import registry, rules
from collectors.agent import Agent, Pace
from collectors.instrument import Roots
from collectors.outbox import Outbox, OutboxUnusable
from collectors.reading import HOST
from collectors.sampler import Sampler
from collectors.sender import Console, Sender
from collectors.sources.processes import Processes

log = logging.getLogger("collectors")

DEFAULT_RULES = Path(__file__).with_name("workloads.toml")
EXAMPLE = "python -m collectors --url https://console.example --token-file token --outbox /var/lib/collector"


class Refused(Exception):
    """The agent cannot start as it was asked to; the message says what would be right."""


class OneLine(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise Refused(f"{message} (see --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run the agent; the exit status: 0, 1 where `--once` could not send, 2 where it was asked wrongly."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        options = _parser().parse_args(arguments)
        return _run(options)
    except (Refused, OutboxUnusable, registry.UnknownSource, rules.BadRules) as reason:
        log.error("collectors: %s", reason)
        return 2


def _run(options: argparse.Namespace) -> int:
    roots = Roots(options.powercap_root, options.cgroup_root, options.proc_root)
    pace = _pace(options)
    host = _host(options.host)
    console = _console(options.url, options.token_file)
    named = rules.load(options.rules)
    sources, absent = registry.choose(options.sources.split(","), roots)
    processes = Processes(roots, named)
    if reason := processes.available():
        raise Refused(f"--proc-root: {reason}")
    with Outbox(options.outbox, _version(), host) as outbox:
        log.info("host %s, stream %s, to %s", host, outbox.stream, console.address)
        log.info("energy from: %s", ", ".join(source.name for source in sources) or "no source")
        for gap in absent:
            log.info("not from %s: %s", gap.source, gap.reason)
        agent = Agent(
            Sampler(sources, absent, processes, pace.sample_s), outbox, Sender(outbox, console), pace
        )
        if options.once:
            return 0 if agent.run_once() else 1
        agent.run()
    return 0


def _parser() -> OneLine:
    parser = OneLine(
        prog="python -m collectors",
        description="Measures the energy of this host and the CPU time of its workloads, keeps the readings "
        "on disk and sends them to the console until it acknowledges them.",
        epilog=f"Example: {EXAMPLE}",
    )
    add = parser.add_argument
    add("--url", required=True, help="address of the console, such as https://console.example")
    add("--token-file", required=True, type=Path, help="file that holds the token of this host's group")
    add("--outbox", required=True, type=Path, help="folder that keeps the readings (made if it is missing)")
    add("--host", help="name of this host in the console (default: the machine's own)")
    add(
        "--rules",
        type=Path,
        default=DEFAULT_RULES,
        help="TOML file that names workloads (default: %(default)s)",
    )
    add("--sources", default=",".join(registry.SOURCES), help="energy sources to try (default: %(default)s)")
    add("--powercap-root", type=Path, default=Roots().powercap, help="default: %(default)s")
    add("--cgroup-root", type=Path, default=Roots().cgroup, help="default: %(default)s")
    add("--proc-root", type=Path, default=Roots().proc, help="default: %(default)s")
    add("--once", action="store_true", help="measure one sample, send, and end: status 1 if it was not sent")
    add("--sample-seconds", type=float, default=15.0, help="time between samples (default: %(default)g)")
    add("--interval-seconds", type=float, default=60.0, help="length of an interval (default: %(default)g)")
    return parser


def _pace(options: argparse.Namespace) -> Pace:
    if not 0.1 <= options.sample_seconds <= options.interval_seconds <= 3600:
        raise Refused(
            "--sample-seconds and --interval-seconds: 0.1 <= sample <= interval <= 3600 is expected"
        )
    return Pace(options.sample_seconds, options.interval_seconds)


def _host(name: str | None) -> str:
    host = name if name is not None else socket.gethostname().lower()
    if not HOST.fullmatch(host):
        raise Refused(f"--host: {host!r} is not made of small letters, digits, '.', '_' and '-' (64 at most)")
    return host


def _console(url: str, token_file: Path) -> Console:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable:
        raise Refused(f"--url: {url!r} is not an address such as https://console.example")
    try:
        token = token_file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Refused(f"--token-file: {token_file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"--token-file: {token_file}: not a token (plain letters and digits)") from None
    if not token.isprintable() or not token:
        raise Refused(f"--token-file: {token_file}: one line with the token is expected")
    return Console(url, token_file)


def _version() -> str:
    try:
        return f"collectors {metadata.version('console-inr')}"
    except metadata.PackageNotFoundError:
        return "collectors"


if __name__ == "__main__":
    sys.exit(main())
