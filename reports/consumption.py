"""The tables of a statement's consumption: by subscription and workload, on each basis, and handed on."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from reports.document import Block, Column, Row, Table
from reports.figures import Basis, InrStatement, Line, LineKind, OnBasis, Quality, complete_sum, known_sum
from reports.labels import basis_label, kind_label, line_label, service_label
from reports.language import Language
from reports.quantities import Kind, text


def tables(statement: InrStatement, language: Language) -> Iterable[Block]:
    """What each line used, with its totals; the bases beside each other; what is in no line."""
    if statement.lines:
        yield _by_subscription(statement, language)
    yield _by_workload(statement, language)
    if any(line.bases for line in statement.lines):
        yield _by_basis(statement, language)
        yield _reckoning(statement, language)
        yield _codes(language)
    if statement.handed_on:
        yield _handed_on(statement, language)


def _by_subscription(statement: InrStatement, language: Language) -> Table:
    _ = language.gettext
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in statement.lines:
        groups.setdefault((line.subscription, service_label(line, language)), []).append(line)
    return Table(
        caption=_("Par abonnement"),
        columns=(
            Column(_("N°")),
            Column(_("Service")),
            Column(_("Énergie"), Kind.ENERGY_MJ),
            Column(_("Surconsommation du site"), Kind.ENERGY_MJ),
            Column(_("Carbone"), Kind.CARBON_UG),
            Column(_("Fabrication"), Kind.CARBON_UG),
            Column(_("Part"), Kind.SHARE),
        ),
        rows=tuple(_group_row(*key, lines, statement) for key, lines in groups.items()),
        total=(_("Total"), "", *_sums(statement.lines), _whole(statement)),
    )


def _whole(statement: InrStatement) -> Fraction | None:
    return Fraction(1) if statement.energy_mj else None


def _group_row(subscription: str, service: str, lines: list[Line], statement: InrStatement) -> Row:
    energy_mj, total_mj = known_sum(line.energy_mj for line in lines), statement.energy_mj
    share = Fraction(energy_mj, total_mj) if total_mj and energy_mj is not None else None
    return (subscription, service, *_sums(lines), share)


def _sums(lines: Iterable[Line]) -> tuple[int | None, int | None, int | None, int | None]:
    """Energy, overhead, carbon of use and what was embodied, of what is known of some lines."""
    rows = list(lines)
    return (
        known_sum(line.energy_mj for line in rows),
        known_sum(line.overhead_mj for line in rows),
        known_sum(line.carbon_ug for line in rows),
        known_sum(line.embodied_ug for line in rows),
    )


def _by_workload(statement: InrStatement, language: Language) -> Table:
    _ = language.gettext
    return Table(
        caption=_("Par charge de travail"),
        columns=(
            Column(_("Charge de travail")),
            Column(_("Service")),
            Column(_("Abonnement"), printed=False),
            Column(_("Énergie"), Kind.ENERGY_MJ),
            Column(_("Surconsommation du site"), Kind.ENERGY_MJ),
            Column(_("Carbone"), Kind.CARBON_UG),
            Column(_("Fabrication"), Kind.CARBON_UG),
            Column(_("Part mesurée"), Kind.SHARE),
            Column(_("Énergie mesurée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie modélisée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie déclarée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie minimale"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie maximale"), Kind.ENERGY_MJ, printed=False),
            Column(_("Facteur d'émission"), printed=False),
            Column(_("Intensité"), Kind.INTENSITY_MG_PER_KWH, printed=False),
            Column(_("Eau"), Kind.WATER_ML, printed=False),
        ),
        rows=tuple(_line_row(line, statement, language) for line in statement.lines),
        total=_total_row(statement, language) if statement.lines else None,
        empty=_("Aucune charge de travail n'était rattachée à cet adhérent sur la période."),
    )


def _line_row(line: Line, statement: InrStatement, language: Language) -> Row:
    intensities = {factor.factor_id: factor.intensity_mg_per_kwh for factor in statement.factors}
    return (
        line_label(line, language),
        service_label(line, language),
        line.subscription,
        *_sums([line]),
        Fraction(line.measured_mj, line.energy_mj) if line.energy_mj else None,
        *_qualities([line]),
        line.energy_min_mj,
        line.energy_max_mj,
        line.factor_id or "",
        intensities.get(line.factor_id or ""),
        line.water_ml,
    )


def _total_row(statement: InrStatement, language: Language) -> Row:
    lines = statement.lines
    return (
        language.gettext("Total"),
        "",
        "",
        *_sums(lines),
        statement.quality_share(Quality.MEASURED),
        *_qualities(lines),
        complete_sum(line.energy_min_mj for line in lines),
        complete_sum(line.energy_max_mj for line in lines),
        "",
        None,
        statement.water_ml,
    )


def _by_basis(statement: InrStatement, language: Language) -> Table:
    """The same energy on each basis, without a sum: they answer different questions."""
    _ = language.gettext
    facility_mj = known_sum(line.facility_mj for line in statement.lines)
    return Table(
        caption=_("Carbone de l'usage sur chaque base, qui ne s'ajoutent jamais"),
        columns=(
            Column(_("Base")),
            Column(_("Carbone"), Kind.CARBON_UG),
            Column(_("Énergie couverte, site compris"), Kind.ENERGY_MJ),
            Column(_("Part couverte"), Kind.SHARE),
        ),
        rows=tuple(
            (
                _basis_with_doubt(statement, basis, language),
                statement.carbon_on(basis),
                covered_mj := statement.covered_on(basis) or None,
                Fraction(covered_mj, facility_mj) if facility_mj and covered_mj else None,
            )
            for basis in Basis
        ),
    )


def _basis_with_doubt(statement: InrStatement, basis: Basis, language: Language) -> str:
    """What a basis is called, with how much of its energy is of intensities that others will replace."""
    _ = language.gettext
    named = basis_label(basis, language)
    if not (realtime_mj := statement.realtime_on(basis)):
        return named
    energy = text(Kind.ENERGY_MJ, realtime_mj, language)
    doubt = _("provisoire : intensité en temps réel pour %(energy)s", energy=energy)
    return f"{named} ({doubt})"


def _reckoning(statement: InrStatement, language: Language) -> Table:
    """A row for each line and basis, with all that a reader needs to reckon it again."""
    _ = language.gettext
    energy, carbon, plain = Kind.ENERGY_MJ, Kind.CARBON_UG, Kind.COUNT
    rows = [
        _reckoning_row(n, line, one, language)
        for n, line in enumerate(statement.lines, 1)
        for one in line.bases
    ]
    return Table(
        caption=_("Calcul de chaque ligne sur chaque base"),
        columns=(
            Column(_("Ligne"), plain),
            Column(_("Nature")),
            Column(_("Charge de travail")),
            Column(_("Service")),
            Column(_("Abonnement")),
            Column(_("Site")),
            Column(_("À partir du"), Kind.INSTANT),
            Column(_("Base")),
            Column(_("Énergie"), energy),
            Column(_("Surconsommation du site"), energy),
            Column(_("Énergie couverte, site compris"), energy),
            Column(_("Facteur d'émission")),
            Column(_("Intensité"), Kind.INTENSITY_MG_PER_KWH),
            Column(_("Carbone"), carbon),
            Column(_("Énergie des heures connues"), energy),
            Column(_("Somme énergie × intensité des heures (mJ·mg/kWh)"), plain),
            Column(_("Contrats : part ppm × mg/kWh")),
            Column(_("PUE : surconsommation"), energy),
            Column(_("PUE : énergie IT"), energy),
            Column(_("PUE : origine")),
            Column(_("PUE : catégorie"), plain),
            Column(_("Clé de partage")),
            Column(_("Poids"), plain),
            Column(_("Somme des poids"), plain),
            Column(_("Carbone incorporé"), carbon),
            Column(_("Eau"), Kind.WATER_ML),
        ),
        rows=tuple(rows),
        printed=False,
    )


def _reckoning_row(number: int, line: Line, held: OnBasis, language: Language) -> Row:
    """What is of the line and of no basis stands in its first row only, so that a column adds up."""
    place, share = line.facility, line.share
    first = held is line.bases[0]
    parts = " + ".join(
        f"{part.share_ppm} × {'?' if part.intensity_mg_per_kwh is None else part.intensity_mg_per_kwh}"
        for part in held.parts
    )
    return (
        number,
        line.kind.value,
        line_label(line, language),
        service_label(line, language),
        line.subscription,
        line.site,
        line.since,
        held.basis.value,
        line.energy_mj,
        line.overhead_mj,
        held.covered_mj,
        held.factor_id or "",
        held.intensity_mg_per_kwh,
        held.carbon_ug,
        held.known_mj,
        held.mg_mj,
        parts,
        place.overhead_mj if place else None,
        place.it_mj if place else None,
        place.origin if place else "",
        place.category if place else None,
        f"{share.key} {share.key_from}/{share.key_version}" if share else "",
        share.weight if share else None,
        share.weights if share else None,
        line.embodied_ug if first else None,
        line.water_ml if first else None,
    )


def _codes(language: Language) -> Table:
    """What the codes of the reckoning mean: a program reads the same ones in every language."""
    _ = language.gettext
    kinds = ((kind.value, kind_label(kind, language)) for kind in LineKind)
    bases = ((basis.value, basis_label(basis, language)) for basis in Basis)
    return Table(
        caption=_("Codes des colonnes « Nature » et « Base »"),
        columns=(Column(_("Code")), Column(_("Ce qu'il veut dire"))),
        rows=(*kinds, *bases),
        printed=False,
    )


def _handed_on(statement: InrStatement, language: Language) -> Table:
    """What of the operator's energy is in its subscribers' statements, and in none of these lines."""
    _ = language.gettext
    return Table(
        caption=_("Services partagés, portés par leurs abonnés et absents des totaux"),
        columns=(
            Column(_("Service")),
            Column(_("Énergie du service"), Kind.ENERGY_MJ),
            Column(_("Portée par les abonnés"), Kind.ENERGY_MJ),
            Column(_("Non répartie, dans les totaux"), Kind.ENERGY_MJ),
        ),
        rows=tuple(
            (
                service_label(one, language),
                one.energy_mj,
                one.energy_mj - one.unallocated_mj,
                one.unallocated_mj,
            )
            for one in statement.handed_on
        ),
    )


def _qualities(lines: Iterable[Line]) -> tuple[int | None, int | None, int | None]:
    known = [line for line in lines if line.energy_mj is not None]
    return (
        known_sum(line.measured_mj for line in known),
        known_sum(line.modelled_mj for line in known),
        known_sum(line.declared_mj for line in known),
    )
