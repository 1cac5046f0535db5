"""The table of a statement's carbon per unit of service: the SCI of ISO/IEC 21031, and its terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from reports.document import Block, Column, Paragraph, Row, Table
from reports.figures import InrStatement, Missing, ServiceCarbon
from reports.labels import service_label
from reports.language import Language
from reports.quantities import Kind


def tables(statement: InrStatement, language: Language) -> Iterable[Block]:
    """What each service emitted for each unit, and what it lacks."""
    _ = language.gettext
    carbon, count = Kind.CARBON_UG, Kind.COUNT
    yield Table(
        caption=_("SCI de chaque service"),
        columns=(
            Column(_("N°")),
            Column(_("Service")),
            Column(_("Unité")),
            Column(_("Volume"), count),
            Column(_("Par unité"), carbon),
            Column(_("Contenu")),
            Column(_("Couverture"), Kind.SHARE),
            Column(_("Évolution"), Kind.SHARE),
            Column(_("Carbone de l'usage"), carbon, printed=False),
            Column(_("Carbone incorporé"), carbon, printed=False),
            Column(_("Carbone de l'usage, mois précédent"), carbon, printed=False),
            Column(_("Carbone incorporé, mois précédent"), carbon, printed=False),
            Column(_("Volume, mois précédent"), count, printed=False),
        ),
        rows=tuple(_row(one, language) for one in statement.services),
    )
    yield Paragraph(
        _(
            "SCI (ISO/IEC 21031) = (énergie × intensité + fabrication) ÷ volume, site compris, à la moyenne "
            "annuelle. Sans volume, il est inconnu. Couverture : part de l'énergie dont le facteur est "
            "connu. L'évolution est celle du même chiffre depuis le mois précédent."
        )
    )


def _row(one: ServiceCarbon, language: Language) -> Row:
    return (
        one.subscription,
        service_label(one, language),
        one.unit_en if language.code != "fr" and one.unit_en else one.unit,
        one.now.volume,
        None if one.shown is None else round(one.shown),
        _held(one, language),
        Fraction(one.covered_mj, one.energy_mj) if one.energy_mj else None,
        one.trend,
        one.now.use_ug,
        one.now.embodied_ug,
        one.before.use_ug,
        one.before.embodied_ug,
        one.before.volume,
    )


def _held(one: ServiceCarbon, language: Language) -> str:
    """Whether making is within; where there is no figure, why."""
    _ = language.gettext
    if one.now.sci is not None:
        return _("usage et fabrication")
    if one.now.use is not None:
        return _("usage seul : fabrication incomplète")
    reasons: Mapping[Missing, str] = {
        Missing.VOLUME: _("volume inconnu"),
        Missing.NO_UNIT: _("volume nul"),
        Missing.FACILITY: _("surconsommation du site inconnue, en tout ou en partie"),
        Missing.CARBON: _("énergie sans facteur, en tout ou en partie"),
    }
    return ", ".join(reasons[reason] for reason in one.missing if reason in reasons)
