"""`python -m collectors`: measures this host, keeps the readings, and sends them to the console."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from collectors import doctor, machine, registry, rules
from collectors.agent import ENDING, LAST_SEND_S, READY_S, Agent, Pace, ending, measure_once
from collectors.configuration import (
    DEFAULT_RULES,
    AgentSettings,
    BadConfiguration,
    Configuration,
    ConsoleSettings,
    load,
)
from collectors.courier import Courier
from collectors.fleet import Fleet, Managed, managed_by
from collectors.instrument import Roots, SecretFile
from collectors.outbox import Outbox, OutboxUnusable, Room
from collectors.reading import Facts, Reading, encode_batch
from collectors.sampler import Sampler
from collectors.sender import Console, Sender
from collectors.settings import unusable_secret
from collectors.sources.processes import Processes
from collectors.virtual import Unreachable

log = logging.getLogger("collectors")

EXAMPLE = "python -m collectors --config /etc/console-inr/collector.toml"
NO_STREAM = "0" * 32
"""The stream of a batch that is shown and never sent."""


class Refused(Exception):
    """The agent cannot start as it was asked to; the message says what would be right."""


class OneLine(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise Refused(f"{message} (see --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run the agent.

    The exit status: 0; 1 where `--once` could not send, or the doctor found something wrong; 2 where it was
    asked wrongly.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        options = _parser().parse_args(arguments)
        return _doctor(options) if options.command == "doctor" else _run(options)
    except (Refused, BadConfiguration, OutboxUnusable, registry.UnknownSource, rules.BadRules) as reason:
        for line in str(reason).splitlines():
            log.error("collectors: %s", line)
        return 2


def _run(options: argparse.Namespace) -> int:
    asked = _configuration(options)
    settings = asked.agent
    pace = Pace(settings.sample_seconds, settings.interval_seconds)
    console = _console(asked.console)
    try:
        managed = [managed_by(manager, settings.roots) for manager in asked.managers]
    except Unreachable as reason:
        raise Refused(f"hypervisors: {reason}") from None
    if not managed and not settings.this_host:
        raise Refused("this_host: false, and no [[hypervisors]]: nothing is left to measure")
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    if options.dry_run:
        return _show(asked, managed, pace)
    room = Room(settings.outbox_max_mb << 20)
    if not managed:
        return _run_own(asked, console, room, pace, options.once)
    with Courier(settings.outbox, _version(), console, room) as courier:
        others = {settings.named} if settings.this_host else set()
        fleet = Fleet(managed, courier.keeper, pace, others)
        run = _run_fleet_once if options.once else _run_fleet
        return run(asked, console, room, pace, fleet, courier)


def _run_fleet(
    asked: Configuration, console: Console, room: Room, pace: Pace, fleet: Fleet, courier: Courier
) -> int:
    """Measure the hosts of hypervisors, and this host beside them if it is wanted."""
    courier.start()
    fleet.start()
    try:
        if asked.agent.this_host:
            return _run_own(asked, console, room, pace, once=False)
        while not ending(READY_S):
            pass
    finally:
        fleet.stop(READY_S)
        courier.stop(LAST_SEND_S)
    return 0


def _run_fleet_once(
    asked: Configuration, console: Console, room: Room, pace: Pace, fleet: Fleet, courier: Courier
) -> int:
    failed = asked.agent.this_host and _run_own(asked, console, room, pace, once=True) != 0
    fleet.measure_once(ending)
    courier.take_up()
    return 0 if courier.round() and not failed else 1


def _run_own(asked: Configuration, console: Console, room: Room, pace: Pace, once: bool) -> int:
    """Measure this host itself."""
    settings = asked.agent
    sampler, lines = _sampler(asked, pace)
    with Outbox(settings.outbox, _version(), settings.named, room=room) as outbox:
        outbox.facts = _facts(settings)
        log.info("host %s, stream %s, to %s", settings.named, outbox.stream, console.address)
        for line in lines:
            log.info("%s", line)
        agent = Agent(sampler, outbox, Sender(outbox, console), pace)
        if once:
            return 0 if agent.run_once() else 1
        agent.run()
    return 0


def _show(asked: Configuration, managed: list[Managed], pace: Pace) -> int:
    """Print the batches as they would be sent, one a line."""

    def show(host: str, readings: list[Reading], facts: Facts) -> None:
        batch = encode_batch(_version(), host, NO_STREAM, readings, facts)
        sys.stdout.write(f"{batch.decode()}\n")

    if asked.agent.this_host:
        reading = measure_once(_sampler(asked, pace)[0], pace)
        show(asked.agent.named, [reading] if reading else [], _facts(asked.agent))
    Fleet(managed, lambda host: lambda reading, facts: show(host, [reading], facts), pace).measure_once(
        ending
    )
    return 0


def _sampler(asked: Configuration, pace: Pace) -> tuple[Sampler, list[str]]:
    """The sources of this host and its processes; and in words what measures it, and what cannot."""
    processes = Processes(asked.agent.roots, rules.load(asked.agent.rules))
    if reason := processes.available():
        raise Refused(f"proc_root: {reason}")
    sources, absent = registry.choose(asked.sources, asked.agent.roots)
    lines = [f"energy from: {', '.join(source.name for source in sources) or 'no source'}"]
    lines += [f"not from {gap.source}: {gap.reason}" for gap in absent]
    return Sampler(sources, absent, processes, pace.sample_s), lines


def _facts(settings: AgentSettings) -> Facts:
    return machine.facts(settings.proc_root, settings.site, settings.cluster)


def _doctor(options: argparse.Namespace) -> int:
    try:
        checks = doctor.examine(_configuration(options), _version())
    except (BadConfiguration, Refused) as reason:
        checks = [doctor.broken("configuration", line) for line in str(reason).splitlines()]
    sys.stdout.write(doctor.as_json(checks) if options.json else doctor.as_text(checks))
    return 1 if any(check.state is doctor.State.BROKEN for check in checks) else 0


def _parser() -> OneLine:
    parser = OneLine(
        prog="python -m collectors",
        description="Measures the energy of this host and the CPU time of its workloads, keeps the readings "
        "on disk and sends them to the console until it acknowledges them.",
        epilog=f"Example: {EXAMPLE}",
    )
    add = parser.add_argument
    add(
        "command",
        nargs="?",
        choices=["run", "doctor"],
        default="run",
        help="run (the default), or doctor: look at everything the agent needs, and say what is wrong",
    )
    add("--config", type=Path, help="TOML file with all that follows (see docs/deploying-collectors.md)")
    add("--url", help="without --config: address of the console, such as https://console.example")
    add("--token-file", type=Path, help="file that holds the token of this host's group")
    add("--outbox", type=Path, help="folder that keeps the readings (made if it is missing)")
    add("--ca-file", type=Path, help="certificates (PEM) that the console's is checked against")
    add("--allow-plain-http", action="store_true", help="let an http:// address be another machine's")
    add("--host", help="name of this host in the console (default: the machine's own)")
    add("--rules", type=Path, help=f"TOML file that names workloads (default: {DEFAULT_RULES})")
    add("--sources", help=f"energy sources to try (default: {','.join(registry.DEFAULT)})")
    add("--powercap-root", type=Path, help=f"default: {Roots().powercap}")
    add("--cgroup-root", type=Path, help=f"default: {Roots().cgroup}")
    add("--proc-root", type=Path, help=f"default: {Roots().proc}")
    add("--sample-seconds", type=float, help="time between samples (default: 15)")
    add("--interval-seconds", type=float, help="length of an interval (default: 60)")
    add("--once", action="store_true", help="measure one sample, send, and end: status 1 if it was not sent")
    add("--dry-run", action="store_true", help="measure one sample and print it; nothing is sent or kept")
    add("--json", action="store_true", help="doctor: as JSON")
    return parser


def _configuration(options: argparse.Namespace) -> Configuration:
    """From the file, or from the options that stand for it."""
    given = {
        name: value
        for name in (*OF_CONSOLE, *OF_AGENT, "sources")
        if (value := getattr(options, name)) is not None and value is not False
    }
    if options.config is not None:
        if given:
            raise Refused(f"--{next(iter(given)).replace('_', '-')}: belongs in {options.config}")
        return load(options.config)
    if missing := [name for name in ("url", "token_file", "outbox") if name not in given]:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise Refused(f"--config is missing; without it so are {names} (see --help)")
    sources = registry.unset(given.pop("sources", ",".join(registry.DEFAULT)).split(","))
    given["token_file"] = SecretFile(given["token_file"])
    try:
        console = ConsoleSettings(**{name: given[name] for name in OF_CONSOLE if name in given})
        agent = AgentSettings(**{name: given[name] for name in OF_AGENT if name in given})
    except ValueError as refusal:
        name, _, message = str(refusal).partition(": ")
        raise Refused(f"--{name.replace('_', '-')}: {message}") from None
    return Configuration(console, agent, sources)


OF_CONSOLE = ("url", "token_file", "ca_file", "allow_plain_http")
OF_AGENT = (
    *("outbox", "host", "rules", "powercap_root", "cgroup_root", "proc_root"),
    *("sample_seconds", "interval_seconds"),
)


def _console(settings: ConsoleSettings) -> Console:
    path = settings.token_file.path
    if reason := unusable_secret(path):
        raise Refused(f"token_file: {reason}")
    try:
        settings.token_file.token()
    except OSError as error:
        raise Refused(f"token_file: {path}: {error.strerror}") from None
    try:
        return Console(settings.url, settings.token_file, settings.ca_file)
    except OSError as error:
        raise Refused(f"ca_file: {settings.ca_file}: {error.strerror or error}") from None


def _version() -> str:
    try:
        return f"collectors {metadata.version('console-inr')}"
    except metadata.PackageNotFoundError:
        return "collectors"


if __name__ == "__main__":
    sys.exit(main())
