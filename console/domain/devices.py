"""Where somebody is signed in, told apart well enough for them to know it again, and no better."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

# A machine's address is that of a person: its first part tells a hospital from a home, which is enough.
KEPT_BITS = {4: 24, 6: 48}
LONGEST_READ = 1000  # characters of what the browser says of itself
BROWSERS = (
    ("Edge", re.compile(r"\bEdgA?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)\S* (?:Mobile/\S+ )?Safari/")),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser and its system such as "Firefox 142, Linux", and its network; empty where unknown."""

    software: str = ""
    network: str = ""


def device_of(user_agent: str, address: str | None) -> Device:
    """What is kept of a browser's own words and of its address."""
    return Device(software_of(user_agent), network_of(address))


def software_of(user_agent: str) -> str:
    """The browser with its main version, and the system."""
    said = user_agent[:LONGEST_READ]
    found = ((name, shape.search(said)) for name, shape in BROWSERS)
    browser = next((f"{name} {match[1]}" for name, match in found if match), "")
    system = next((name for sign, name in SYSTEMS if sign in said), "")
    return ", ".join(filter(None, (browser, system)))


def network_of(address: str | None) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; empty for what is no address."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network((found, KEPT_BITS[found.version]), strict=False))
