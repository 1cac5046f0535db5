"""A place is told by its browser and its network, never by the address of a machine."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.devices import device_of, network_of, software_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
EDGE = f"{CHROME} Edg/140.0.0.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15"
)


@pytest.mark.parametrize(
    ("said", "software"),
    [
        (FIREFOX, "Firefox 142, Linux"),
        (CHROME, "Chrome 140, Windows"),
        (EDGE, "Edge 140, Windows"),
        (PHONE, "Safari 18, iOS"),
        (MAC, "Safari 18, macOS"),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_known_by_its_main_version_and_its_system(said: str, software: str) -> None:
    assert software_of(said) == software


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("not an address", ""),
        (None, ""),
    ],
)
def test_an_address_loses_its_last_part(address: str | None, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses())
def test_a_network_holds_its_address_and_many_others(address: IPv4Address | IPv6Address) -> None:
    network = ip_network(device_of("", str(address)).network)
    assert network.num_addresses >= 256
    if network.version == address.version:
        assert address in network


@given(st.text(max_size=3000))
def test_whatever_a_browser_says_fits_its_column(said: str) -> None:
    assert len(software_of(said)) < 1100
