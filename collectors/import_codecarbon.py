"""`python -m collectors.import_codecarbon`: a host of the past, from the `emissions.csv` of CodeCarbon on it.

    python -m collectors.import_codecarbon --config /etc/console-inr/collector.toml \
        --host srv-12 --zone Europe/Paris emissions.csv

The format and its traps: `collectors/codecarbon_files.py`. The readings are `declared`, with the authority
of a model; that of graphics cards is apart. The host is named, for the file does not name it, and so is the
zone of its clock, for timestamps have none. Rows that are left out are told with their lines; the others
count.

Importing the same again changes nothing. What is older than the console keeps readings comes into its
quarantine.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.codecarbon_files import OWN, BadEmissions, read_emissions
from collectors.configuration import BadConfiguration, load
from collectors.delivery import NotTaken, deliver
from collectors.reading import HOST, Facts
from collectors.sender import Console

log = logging.getLogger("collectors")

AGENT = "import of emissions.csv"
MOST_TOLD = 20


def main(arguments: list[str] | None = None) -> int:
    """Import; the exit status: 0, 1 where the console did not take it all, 2 where something is wrong."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    if not HOST.fullmatch(options.host):
        log.error(
            "--host: %r is not a name that the console takes (small letters, digits, . _ -)", options.host
        )
        return 2
    try:
        emissions = read_emissions(options.file, _zone(options.zone))
        asked = load(options.config)
        console = Console(asked.console.url, asked.console.token_file, asked.console.ca_file)
    except (BadEmissions, BadConfiguration, OSError) as reason:
        log.error("%s", reason)
        return 2
    for line, why in emissions.left_out[:MOST_TOLD]:
        log.warning("line %d is left out: %s", line, why)
    if len(emissions.left_out) > MOST_TOLD:
        log.warning("%d lines more are left out", len(emissions.left_out) - MOST_TOLD)
    try:
        facts = Facts(site=options.site) if options.site else None
        deliver(console, AGENT, options.host, OWN, facts, emissions.readings)
    except NotTaken as reason:
        log.error("%s; import again: what was taken does not count twice", reason)
        return 1
    return 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadEmissions(f"--zone: {name!r} is not a zone such as Europe/Paris") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m collectors.import_codecarbon",
        description="Tells the console of a host for a past time, from an emissions.csv of CodeCarbon.",
    )
    add = parser.add_argument
    add("file", type=Path, help="emissions.csv of any version")
    add("--config", type=Path, required=True, help="configuration of an agent: its [console] is used")
    add("--host", required=True, help="name of the host in the console")
    add("--zone", required=True, help="zone of the clock that wrote the timestamps, such as Europe/Paris")
    add("--site", help="code of the site that the host stands in")
    return parser


if __name__ == "__main__":
    sys.exit(main())
