"""What a part adds to the power of a server beyond the one that was measured; in milliwatts.

Each figure has its source. One whose publisher's own text could not be read when it was written down says
`to confirm`: it was taken from another publication that quotes it. The least and the greatest are those of
the sources named, not a margin of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a figure was published."""

    title: str
    publisher: str
    year: int
    url: str
    to_confirm: bool = False


class Added(NamedTuple):
    """Power in milliwatts: the least, the figure, the greatest."""

    low_mw: int
    mw: int
    high_mw: int

    def times(self, number: float) -> Added:
        """The power of so many of it."""
        return Added(round(self.low_mw * number), round(self.mw * number), round(self.high_mw * number))


@dataclass(frozen=True, slots=True)
class Coefficient:
    """Power of one unit of a part, and who says so."""

    unit: str
    added: Added
    sources: tuple[Publication, ...]


CLOUD_CARBON_FOOTPRINT = Publication(
    "Methodology: memory 0.392 W per GB (mean of Crucial and Micron), HDD 0.65 and SSD 1.2 W per TB",
    "Cloud Carbon Footprint (Thoughtworks)",
    2021,
    "https://www.cloudcarbonfootprint.org/docs/methodology/",
    to_confirm=True,
)
ECODESIGN = Publication(
    "Commission Regulation (EU) 2019/424, Annex II: additional idle power allowances "
    "(memory 0.18 W per GB, drive 5.0 W, port 2.0 to 35.0 W by its speed)",
    "European Union, Official Journal L 74 of 18 March 2019",
    2019,
    "https://data.europa.eu/eli/reg/2019/424/oj",
    to_confirm=True,
)
ENERGY_STAR = Publication(
    "ENERGY STAR Program Requirements for Computer Servers, version 1.0: 8.0 W per additional hard drive",
    "United States Environmental Protection Agency",
    2009,
    "https://www.energystar.gov/products/spec/enterprise_servers_specification_version_1_0_pd",
    to_confirm=True,
)

MEMORY = Coefficient("GB", Added(180, 392, 408), (CLOUD_CARBON_FOOTPRINT, ECODESIGN))
DRIVE = Coefficient("drive", Added(650, 5000, 8000), (ECODESIGN, CLOUD_CARBON_FOOTPRINT, ENERGY_STAR))
PORTS = {
    speed: Coefficient(f"active port of {speed}bit/s", Added(0, mw, mw), (ECODESIGN,))
    for speed, mw in {"1G": 2000, "10G": 15000, "25G": 20000, "50G": 26000, "100G": 35000}.items()
}
