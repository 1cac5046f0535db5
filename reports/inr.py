"""The INR statement of an adherent for a month: its figures as a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from reports import consumption, incident_table, methodology, per_unit
from reports.document import (
    Block,
    Chart,
    Document,
    Fact,
    KeyFigures,
    Notice,
    Section,
    Series,
    Tone,
)
from reports.figures import (
    Boundary,
    DayEnergy,
    DraftReason,
    InrStatement,
    LineKind,
    Quality,
    Status,
    complete_sum,
    known_sum,
)
from reports.labels import service_label
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
            Section(_("Consommation"), tuple(consumption.tables(statement, language))),
            *_per_unit(statement, language),
            Section(_("Énergie par jour"), (_daily_chart(statement, language),)),
            Section(_("Incidents du mois"), tuple(incident_table.blocks(statement, language))),
            *methodology.sections(statement, language),
        ),
    )


def draft_reason(statement: InrStatement, reason: DraftReason, language: Language) -> str:
    """Why the statement is a draft, with the figures it is judged by."""
    _ = language.gettext
    least = language.percent(Fraction(statement.least_share_percent, 100), decimals=0)
    if reason == DraftReason.PERIOD_RUNNING:
        return _("La période n'est pas terminée.")
    if reason == DraftReason.FIGURES_DUE:
        return _("Une partie du mois attendait un calcul ; émettez-le de nouveau dans quelques minutes.")
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


def _per_unit(statement: InrStatement, language: Language) -> Iterable[Section]:
    if statement.services:
        title = language.gettext("Carbone par unité de service")
        yield Section(title, tuple(per_unit.tables(statement, language)))


def _opening(statement: InrStatement, language: Language) -> Iterable[Block]:
    _ = language.gettext
    if missing := tuple(_missing(statement, language)):
        yield Notice(Tone.WARNING, _("Ce que ce relevé ne contient pas encore"), missing)
    if statement.is_draft:
        reasons = (draft_reason(statement, reason, language) for reason in statement.draft_reasons)
        yield Notice(
            Tone.WARNING, _("Brouillon : ce relevé ne peut pas être rendu définitif"), tuple(reasons)
        )
    if statement.status == Status.PROVISIONAL:
        yield Notice(Tone.INFORMATION, _("Chiffres provisoires"), tuple(_provisional(statement, language)))
    if unconfirmed := tuple(_unconfirmed(statement, language)):
        yield Notice(Tone.INFORMATION, _("Facteurs d'émission à confirmer"), unconfirmed)
    yield KeyFigures(tuple(_key_figures(statement, language)))


def _unconfirmed(statement: InrStatement, language: Language) -> Iterable[str]:
    """Factors that price the month while nobody has read them again at their publisher's."""
    for factor in (*statement.factors, *statement.other_factors):
        if not factor.confirmed:
            yield language.gettext(
                "Facteur à confirmer : %(publisher)s, %(title)s, %(vintage)s ; sa valeur n'a pas été relue "
                "chez l'éditeur.",
                publisher=factor.publisher,
                title=factor.title,
                vintage=factor.vintage,
            )


def _missing(statement: InrStatement, language: Language) -> Iterable[str]:
    """What the figures lack, the largest first; empty: nothing that is known of."""
    _ = language.gettext
    yield from _missing_embodied(statement, language)
    yield from _missing_overhead(statement, language)
    if numbers := statement.missing_volumes:
        yield _(
            "La part de services partagés dont le volume du mois manque : elle n'est portée par personne "
            "tant qu'il n'est pas dit (souscriptions : %(numbers)s).",
            numbers=", ".join(map(str, numbers)),
        )
    if any(source.boundary == Boundary.PACKAGE_DRAM for source in statement.sources):
        yield _(
            "Une part des serveurs : là où seuls les processeurs et la mémoire sont mesurés, l'alimentation, "
            "les ventilateurs, les disques et le réseau manquent."
        )


def _missing_embodied(statement: InrStatement, language: Language) -> Iterable[str]:
    _ = language.gettext
    if statement.embodied_ug is None:
        yield _(
            "Le carbone incorporé (fabrication, transport et fin de vie des équipements). En France, il est "
            "à peu près aussi grand que celui de l'usage."
        )
    elif missing_mj := statement.without("embodied_ug"):
        yield _(
            "Le carbone incorporé d'une part des équipements : de ceux qui portent %(energy)s, rien n'est "
            "connu. En France, il est à peu près aussi grand que celui de l'usage.",
            energy=text(Kind.ENERGY_MJ, missing_mj, language),
        )
    if partly := _partly_made(statement, language):
        yield _(
            "Le carbone incorporé d'une partie des équipements qui servent : %(services)s.",
            services=", ".join(partly),
        )


def _partly_made(statement: InrStatement, language: Language) -> list[str]:
    """The services that run on equipment of which the making is known in part."""
    partly = (line for line in statement.lines if line.embodied_unknown and line.embodied_ug is not None)
    return sorted({service_label(line, language) for line in partly})


def _missing_overhead(statement: InrStatement, language: Language) -> Iterable[str]:
    _ = language.gettext
    if statement.overhead_mj is None:
        yield _(
            "La surconsommation du site (refroidissement, onduleurs, pertes de distribution : le PUE) : "
            "aucun compteur de site n'est relevé, aucun PUE n'est déclaré."
        )
    elif missing_mj := statement.without("overhead_mj"):
        yield _(
            "La surconsommation du site (refroidissement, onduleurs, pertes de distribution : le PUE) d'une "
            "part de l'énergie : elle est inconnue pour %(energy)s.",
            energy=text(Kind.ENERGY_MJ, missing_mj, language),
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
    if any(line.facility is not None and line.facility.provisional for line in statement.lines):
        yield _("Le PUE du site est déclaré provisoire.")
    if any(line.overhead_mj is None and line.energy_mj for line in statement.lines):
        yield _("La surconsommation du site n'est pas connue de toute l'énergie.")
    if statement.missing_volumes or any(
        line.share is not None and line.share.missing for line in statement.lines
    ):
        yield _("Des abonnés d'un service partagé n'ont pas encore dit leur volume : les parts changeront.")


def _key_figures(statement: InrStatement, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    lines = statement.lines

    def fact(label: str, kind: Kind, value: int | None, low: str, high: str, note: str = "") -> Fact:
        least, most = (complete_sum(getattr(line, name) for line in lines) for name in (low, high))
        interval = _range(kind, least, most, language)
        both = _("%(note)s ; %(interval)s", note=note, interval=interval) if note else interval
        return Fact(label, value, kind, both)

    yield fact(_("Énergie"), Kind.ENERGY_MJ, statement.energy_mj, "energy_min_mj", "energy_max_mj")
    yield Fact(
        _("Surconsommation du site"),
        statement.overhead_mj,
        Kind.ENERGY_MJ,
        _("refroidissement, onduleurs, pertes, en plus de l'énergie"),
    )
    yield fact(
        _("Carbone de l'usage"),
        Kind.CARBON_UG,
        statement.carbon_ug,
        "carbon_min_ug",
        "carbon_max_ug",
        _("moyenne annuelle, surconsommation du site comprise") if statement.overhead_mj is not None else "",
    )
    yield fact(
        _("Carbone incorporé"),
        Kind.CARBON_UG,
        statement.embodied_ug,
        "embodied_min_ug",
        "embodied_max_ug",
        _("part du mois, en plus de l'usage"),
    )
    yield Fact(_("Eau"), statement.water_ml, Kind.WATER_ML, _("prélevée par le site"))
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


def _daily_chart(statement: InrStatement, language: Language) -> Chart:
    _ = language.gettext
    own, shared = (tuple(getattr(day, name) for day in statement.days) for name in ("energy_mj", "shared_mj"))
    series = [Series(_("Énergie"), own)]
    if any(amount is not None for amount in shared):
        only_shares = all(line.kind in (LineKind.OWN, LineKind.SHARE) for line in statement.lines)
        name = _("Parts de services partagés") if only_shares else _("Services partagés et reste des sites")
        series = [Series(_("Charges de travail"), own), Series(name, shared)]
    return Chart(
        title=_("Énergie par jour"),
        description=f"{_daily_description(statement, language)} {_how_by_day(statement, language)}".rstrip(),
        kind=Kind.ENERGY_MJ,
        moment_title=_("Jour"),
        moments=tuple(day.day for day in statement.days),
        series=tuple(series),
    )


def _how_by_day(statement: InrStatement, language: Language) -> str:
    """How what has no hours of its own comes to days; empty where there is nothing of the kind."""
    _ = language.gettext
    if any(day.shared_mj is not None for day in statement.days):
        return _(
            "Seules les lignes du mois font foi : les parts de services partagés sont étalées sur les jours "
            "comme les heures mesurées du service, sinon également."
        )
    if any(line.kind is LineKind.SHARE for line in statement.lines):
        return _("Les parts de services partagés n'y sont pas.")
    return ""


def _of_day(day: DayEnergy, *, has_own: bool) -> int | None:
    """All of a day; unknown where its own workloads are, if there are any."""
    return None if has_own and day.energy_mj is None else known_sum((day.energy_mj, day.shared_mj))


def _daily_description(statement: InrStatement, language: Language) -> str:
    has_own = any(day.energy_mj is not None for day in statement.days)
    told = ((_of_day(day, has_own=has_own), day.day) for day in statement.days)
    known = [(energy_mj, day) for energy_mj, day in told if energy_mj is not None]
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
