"""The INR statement of an adherent for a month: its figures as a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from zoneinfo import ZoneInfo

from reports import methodology
from reports.document import (
    Block,
    Chart,
    Column,
    Document,
    Fact,
    KeyFigures,
    Notice,
    Row,
    Section,
    Series,
    Table,
    Tone,
)
from reports.figures import (
    Boundary,
    DraftReason,
    Incident,
    InrStatement,
    Line,
    Quality,
    Status,
    complete_sum,
    known_sum,
)
from reports.labels import state_label
from reports.language import Language
from reports.quantities import Kind, cell, column_scale, text


def document(statement: InrStatement, language: Language) -> Document:
    """The statement in a language: what it lacks, totals, lines, days, incidents, method."""
    _ = language.gettext
    return Document(
        name=_file_name(statement),
        title=_("Relevé INR : énergie et carbone"),
        subtitle=f"{statement.adherent.name} — {language.month(statement.period.first_day)}",
        marks=tuple(_marks(statement, language)),
        author=statement.generated_by,
        footer=_("Empreinte %(hash)s…", hash=statement.sha256()[:16]),
        sections=(
            Section("", tuple(_opening(statement, language))),
            Section(_("Consommation"), tuple(_consumption(statement, language))),
            Section(_("Énergie par jour"), (_daily_chart(statement, language),)),
            Section(_("Incidents du mois"), (_incidents(statement, language),)),
            *methodology.sections(statement, language),
        ),
    )


def draft_reason(statement: InrStatement, reason: DraftReason, language: Language) -> str:
    """Why the statement is a draft, with the figures it is judged by."""
    _ = language.gettext
    least = language.percent(Fraction(statement.least_share_percent, 100), decimals=0)
    if reason == DraftReason.PERIOD_RUNNING:
        return _("La période n'est pas terminée.")
    if reason == DraftReason.COVERAGE_LOW:
        share = text(Kind.SHARE, statement.coverage.share, language)
        return _("Part des heures couvertes par des mesures : %(share)s, pour %(least)s attendus.",
                 share=share, least=least)  # fmt: skip
    if reason == DraftReason.MEASURED_SHARE_LOW:
        share = text(Kind.SHARE, statement.quality_share(Quality.MEASURED), language)
        return _("Part de l'énergie mesurée : %(share)s, pour %(least)s attendus ; le reste est modélisé "
                 "ou déclaré.", share=share, least=least)  # fmt: skip
    if reason == DraftReason.CARBON_UNKNOWN:
        return _("Le carbone d'au moins une ligne est inconnu : aucun facteur ne vaut pour elle.")
    if statement.energy_mj is None:
        return _("Aucune énergie n'est connue pour cet adhérent sur la période.")
    return language.ngettext(
        "L'énergie de %(count)s ligne est inconnue ; les totaux ne la contiennent pas.",
        "L'énergie de %(count)s lignes est inconnue ; les totaux ne les contiennent pas.",
        statement.unknown_lines,
    )


def _file_name(statement: InrStatement) -> str:
    whose = statement.adherent.finess_ej or statement.adherent.name
    slug = re.sub(r"[^a-z0-9]+", "-", whose.lower()).strip("-") or "adherent"
    return f"inr-{slug[:60]}-{statement.period.first_day:%Y-%m}"


def _marks(statement: InrStatement, language: Language) -> Iterable[str]:
    _ = language.gettext
    if statement.is_draft:
        yield _("Brouillon")
    yield _("Provisoire") if statement.status == Status.PROVISIONAL else _("Définitif")


def _opening(statement: InrStatement, language: Language) -> Iterable[Block]:
    _ = language.gettext
    yield Notice(
        Tone.WARNING,
        _("Ce que ce relevé ne contient pas encore"),
        tuple(_missing(statement, language)),
    )
    if statement.is_draft:
        reasons = (draft_reason(statement, reason, language) for reason in statement.draft_reasons)
        yield Notice(
            Tone.WARNING, _("Brouillon : ce relevé ne peut pas être rendu définitif"), tuple(reasons)
        )
    if statement.status == Status.PROVISIONAL:
        yield Notice(Tone.INFORMATION, _("Chiffres provisoires"), tuple(_provisional(statement, language)))
    yield KeyFigures(tuple(_key_figures(statement, language)))


def _missing(statement: InrStatement, language: Language) -> Iterable[str]:
    _ = language.gettext
    yield _(
        "Le carbone incorporé (fabrication, transport et fin de vie des équipements). En France, il est à "
        "peu près aussi grand que celui de l'usage."
    )
    yield _(
        "Les frais du site (refroidissement, onduleurs, pertes de distribution : le PUE) : aucun compteur de "
        "site n'est relevé."
    )
    if any(source.boundary == Boundary.PACKAGE_DRAM for source in statement.sources):
        yield _(
            "Une part des serveurs : là où seuls les processeurs et la mémoire sont mesurés, l'alimentation, "
            "les ventilateurs, les disques et le réseau manquent."
        )


def _provisional(statement: InrStatement, language: Language) -> Iterable[str]:
    _ = language.gettext
    year = statement.period.first_day.year
    vintages = sorted({factor.vintage for factor in statement.factors if factor.vintage != year})
    if vintages:
        yield _(
            "Facteur d'émission de %(vintages)s pour une période de %(year)s : le relevé sera refait quand "
            "celui de l'année paraîtra.",
            vintages=", ".join(str(vintage) for vintage in vintages),
            year=year,
        )
    elif any(factor.provisional for factor in statement.factors):
        yield _("Le facteur d'émission de l'année n'est pas encore définitif.")
    if statement.generated_at < statement.period.ends_at:
        yield _("La période court encore : les totaux s'arrêtent à l'établissement du relevé.")


def _key_figures(statement: InrStatement, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    lines = statement.lines
    yield Fact(
        _("Énergie"),
        statement.energy_mj,
        Kind.ENERGY_MJ,
        _range(
            Kind.ENERGY_MJ,
            complete_sum(line.energy_min_mj for line in lines),
            complete_sum(line.energy_max_mj for line in lines),
            language,
        ),
    )
    yield Fact(
        _("Carbone de l'usage"),
        statement.carbon_ug,
        Kind.CARBON_UG,
        _range(
            Kind.CARBON_UG,
            complete_sum(line.carbon_min_ug for line in lines),
            complete_sum(line.carbon_max_ug for line in lines),
            language,
        ),
    )
    yield Fact(
        _("Énergie mesurée"),
        statement.quality_share(Quality.MEASURED),
        Kind.SHARE,
        _("modélisé : %(modelled)s ; déclaré : %(declared)s",
          modelled=text(Kind.SHARE, statement.quality_share(Quality.MODELLED), language),
          declared=text(Kind.SHARE, statement.quality_share(Quality.DECLARED), language)),
    )  # fmt: skip
    yield Fact(
        _("Heures couvertes"),
        statement.coverage.share,
        Kind.SHARE,
        _("%(covered)s h sur %(elapsed)s h écoulées ; le mois en compte %(hours)s",
          covered=language.number(statement.coverage.covered_hours),
          elapsed=language.number(statement.coverage.elapsed_hours),
          hours=language.number(statement.period.hours)),
    )  # fmt: skip


def _range(kind: Kind, low: int | None, high: int | None, language: Language) -> str:
    _ = language.gettext
    if low is None or high is None:
        return _("intervalle inconnu")
    scale = column_scale(kind, (low, high))
    return _(
        "de %(low)s à %(high)s",
        low=cell(kind, low, language, scale),
        high=cell(kind, high, language, scale, with_unit=True),
    )


def _consumption(statement: InrStatement, language: Language) -> Iterable[Block]:
    if statement.lines:
        yield _by_subscription(statement, language)
    yield _by_workload(statement, language)


def _by_subscription(statement: InrStatement, language: Language) -> Table:
    _ = language.gettext
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in statement.lines:
        groups.setdefault((line.subscription, line.service), []).append(line)
    return Table(
        caption=_("Par abonnement"),
        columns=(
            Column(_("Abonnement")),
            Column(_("Service")),
            Column(_("Énergie"), Kind.ENERGY_MJ),
            Column(_("Carbone"), Kind.CARBON_UG),
            Column(_("Part de l'énergie"), Kind.SHARE),
        ),
        rows=tuple(_group_row(*key, lines, statement) for key, lines in groups.items()),
        total=(_("Total"), "", statement.energy_mj, statement.carbon_ug, _whole(statement)),
    )


def _whole(statement: InrStatement) -> Fraction | None:
    return Fraction(1) if statement.energy_mj else None


def _group_row(subscription: str, service: str, lines: list[Line], statement: InrStatement) -> Row:
    energy_mj = known_sum(line.energy_mj for line in lines)
    carbon_ug = known_sum(line.carbon_ug for line in lines)
    total_mj = statement.energy_mj
    share = Fraction(energy_mj, total_mj) if total_mj and energy_mj is not None else None
    return (subscription, service, energy_mj, carbon_ug, share)


def _by_workload(statement: InrStatement, language: Language) -> Table:
    _ = language.gettext
    return Table(
        caption=_("Par charge de travail"),
        columns=(
            Column(_("Charge de travail")),
            Column(_("Service")),
            Column(_("Abonnement"), printed=False),
            Column(_("Énergie"), Kind.ENERGY_MJ),
            Column(_("Carbone"), Kind.CARBON_UG),
            Column(_("Part mesurée"), Kind.SHARE),
            Column(_("Énergie mesurée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie modélisée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie déclarée"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie minimale"), Kind.ENERGY_MJ, printed=False),
            Column(_("Énergie maximale"), Kind.ENERGY_MJ, printed=False),
            Column(_("Facteur d'émission"), printed=False),
            Column(_("Intensité"), Kind.INTENSITY_MG_PER_KWH, printed=False),
        ),
        rows=tuple(_line_row(line, statement) for line in statement.lines),
        total=_total_row(statement, language) if statement.lines else None,
        empty=_("Aucune charge de travail n'était rattachée à cet adhérent sur la période."),
    )


def _line_row(line: Line, statement: InrStatement) -> Row:
    intensities = {factor.factor_id: factor.intensity_mg_per_kwh for factor in statement.factors}
    return (
        line.workload,
        line.service,
        line.subscription,
        line.energy_mj,
        line.carbon_ug,
        Fraction(line.measured_mj, line.energy_mj) if line.energy_mj else None,
        *_qualities([line]),
        line.energy_min_mj,
        line.energy_max_mj,
        line.factor_id or "",
        intensities.get(line.factor_id or ""),
    )


def _total_row(statement: InrStatement, language: Language) -> Row:
    lines = statement.lines
    return (
        language.gettext("Total"),
        "",
        "",
        statement.energy_mj,
        statement.carbon_ug,
        statement.quality_share(Quality.MEASURED),
        *_qualities(lines),
        complete_sum(line.energy_min_mj for line in lines),
        complete_sum(line.energy_max_mj for line in lines),
        "",
        None,
    )


def _qualities(lines: Iterable[Line]) -> tuple[int | None, int | None, int | None]:
    known = [line for line in lines if line.energy_mj is not None]
    return (
        known_sum(line.measured_mj for line in known),
        known_sum(line.modelled_mj for line in known),
        known_sum(line.declared_mj for line in known),
    )


def _daily_chart(statement: InrStatement, language: Language) -> Chart:
    _ = language.gettext
    amounts = tuple(day.energy_mj for day in statement.days)
    return Chart(
        title=_("Énergie par jour"),
        description=_daily_description(statement, language),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Jour"),
        moments=tuple(day.day for day in statement.days),
        series=(Series(_("Énergie"), amounts),),
    )


def _daily_description(statement: InrStatement, language: Language) -> str:
    known = [(day.energy_mj, day.day) for day in statement.days if day.energy_mj is not None]
    if not known:
        return language.gettext("Aucun jour de la période n'a d'énergie connue.")
    (low, low_day), (high, high_day) = min(known), max(known)
    if len(known) == 1:
        return language.gettext(
            "Un seul jour connu : %(amount)s le %(day)s.",
            amount=text(Kind.ENERGY_MJ, low, language),
            day=language.day(low_day),
        )
    return language.gettext(
        "Du plus bas, %(low)s le %(low_day)s, au plus haut, %(high)s le %(high_day)s ; jours inconnus : "
        "%(unknown)s.",
        low=text(Kind.ENERGY_MJ, low, language),
        low_day=language.day(low_day),
        high=text(Kind.ENERGY_MJ, high, language),
        high_day=language.day(high_day),
        unknown=language.number(len(statement.days) - len(known)),
    )


def _incidents(statement: InrStatement, language: Language) -> Table:
    _ = language.gettext
    zone = ZoneInfo(statement.adherent.zone)
    return Table(
        caption=_("Incidents en cours sur la période et leur engagement de service"),
        columns=(
            Column(_("Numéro")),
            Column(_("Objet")),
            Column(_("Priorité")),
            Column(_("Ouvert"), Kind.INSTANT),
            Column(_("Échéance"), Kind.INSTANT),
            Column(_("État")),
        ),
        rows=tuple(_incident_row(incident, zone, language) for incident in statement.incidents),
        empty=_("Aucun incident sur la période."),
    )


def _incident_row(incident: Incident, zone: ZoneInfo, language: Language) -> Row:
    _ = language.gettext
    return (
        incident.number,
        incident.title,
        incident.priority,
        incident.opened_at.astimezone(zone),
        _("suspendue") if incident.due_at is None else incident.due_at.astimezone(zone),
        state_label(incident.state, language),
    )
