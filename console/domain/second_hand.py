"""The least share of second hand that public buyers owe of what they buy, by year, and what it counts.

AGEC law, article 58, by decree 2021-254, and since 1 July 2024 by decree 2024-134: a share of the yearly amount
without tax, of each category. Of "matériel informatique et téléphonie": 20 % in 2024, 25 % in 2027, 30 % in
2030, as a public agency sums the decree up (ATD 31, info-lettre 347:
https://atd31.fr/fr/publications/info-lettre/il-2024/info-lettre-347/produits-issus-du-reemploi-ou-du-recyclage-dans-la-commande-publique.html).
The order of 29 February 2024 lists what is in that category: servers are, beside computers, screens, terminals,
tablets, telephones and projectors; storage and network equipment are not named
(https://www.actu-environnement.com/ae/news/obligation-achat-commande-publique-liste-produits-remploi-matieres-recyclees-43641.php4).
Read on 2026-11-29 in these two; the table of the decree itself was not.
"""  # noqa: E501 - addresses

from __future__ import annotations

from fractions import Fraction

from console.domain.equipment import EquipmentKind

COUNTED = EquipmentKind.SERVER  # the one kind of the inventory that the order names
STEPS = ((2021, Fraction(20, 100)), (2027, Fraction(25, 100)), (2030, Fraction(30, 100)))


def least_share(year: int) -> Fraction | None:
    """What holds in a year; None before there was any."""
    held = [share for since, share in STEPS if since <= year]
    return held[-1] if held else None
