"""The section every report ends with: how its figures were made, from what, and what they do not say."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from zoneinfo import ZoneInfo

from reports.document import Block, Column, Fact, Facts, Paragraph, Row, Section, Table
from reports.figures import Attribution, Basis, Factor, InrStatement, Source
from reports.labels import boundary_label, key_label, perimeter_label, quality_label, service_label
from reports.language import Language
from reports.quantities import Kind, text


def sections(statement: InrStatement, language: Language) -> tuple[Section, ...]:
    """Sources and quality, carbon factors, then method and limits."""
    _ = language.gettext
    return (
        Section(_("Sources des mesures"), _sources(statement, language)),
        Section(_("Facteurs d'émission"), tuple(_factors(statement, language))),
        Section(_("Méthode et limites"), tuple(_method(statement, language))),
    )


def factor_name(factor: Factor, language: Language) -> str:
    """Publisher, title and vintage, marked while the value is to be confirmed."""
    name = f"{factor.publisher}, {factor.title}, {factor.vintage}"
    return name if factor.confirmed else language.gettext("%(factor)s (à confirmer)", factor=name)


def _sources(statement: InrStatement, language: Language) -> tuple[Block, ...]:
    _ = language.gettext
    total_mj = sum(source.energy_mj for source in statement.sources)
    columns = (
        Column(_("Source")),
        Column(_("Ce qu'elle contient")),
        Column(_("Qualité")),
        Column(_("Énergie"), Kind.ENERGY_MJ),
        Column(_("Part"), Kind.SHARE),
    )
    return (
        Table(
            caption=_("Part de chaque source dans l'énergie des charges de travail"),
            columns=columns,
            rows=tuple(_source_row(source, total_mj, language) for source in statement.sources),
            empty=_("Aucune source n'a donné de mesure sur la période."),
        ),
    )


def _source_row(source: Source, total_mj: int, language: Language) -> Row:
    return (
        source.name,
        boundary_label(source.boundary, language),
        quality_label(source.quality, language),
        source.energy_mj,
        Fraction(source.energy_mj, total_mj) if total_mj else None,
    )


def _factors(statement: InrStatement, language: Language) -> Iterable[Block]:
    if not statement.factors:
        yield Paragraph(
            language.gettext("Aucun facteur d'émission ne vaut pour la période : le carbone est inconnu.")
        )
    for factor in (*statement.factors, *statement.other_factors):
        yield Facts(factor_name(factor, language), tuple(_factor_facts(factor, language)))


def _factor_facts(factor: Factor, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    yield Fact(_("Valeur"), factor.intensity_mg_per_kwh, Kind.INTENSITY_MG_PER_KWH)
    yield Fact(_("Intervalle de l'éditeur"), _interval(factor, language))
    yield Fact(_("Périmètre"), perimeter_label(factor.perimeter, language))
    yield Fact(_("Géographie"), factor.geography)
    yield Fact(_("Millésime"), str(factor.vintage), note=_vintage_note(factor, language))
    yield Fact(_("Identifiant"), factor.factor_id)
    yield Fact(_("Source"), factor.source)
    yield Fact(_("Licence"), factor.licence)
    yield Fact(_("Relevé le"), factor.retrieved_on, Kind.DATE)
    yield Fact(_("Vérification"), _confirmation(factor, language))


def _interval(factor: Factor, language: Language) -> str | None:
    if factor.low_mg_per_kwh is None or factor.high_mg_per_kwh is None:
        return None
    kind = Kind.INTENSITY_MG_PER_KWH
    return language.gettext(
        "de %(low)s à %(high)s",
        low=text(kind, factor.low_mg_per_kwh, language),
        high=text(kind, factor.high_mg_per_kwh, language),
    )


def _vintage_note(factor: Factor, language: Language) -> str:
    if not factor.provisional:
        return ""
    return language.gettext("Dernier millésime connu : celui de l'année du relevé n'est pas encore publié.")


def _confirmation(factor: Factor, language: Language) -> str:
    _ = language.gettext
    if factor.confirmed:
        return _("valeur lue chez l'éditeur")
    return _("à confirmer : la page de l'éditeur n'a pas pu être relue")


def _method(statement: InrStatement, language: Language) -> Iterable[Block]:
    _ = language.gettext
    yield Facts(_("Comment les chiffres sont faits"), tuple(_steps(statement, language)))
    yield Facts(_("Ce que ces chiffres ne disent pas"), tuple(_limits(statement, language)))
    yield Facts(_("Établissement du relevé"), tuple(_provenance(statement, language)))


def _steps(statement: InrStatement, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    yield Fact(_("Répartition"), _attribution(statement.attribution, language))
    yield Fact(
        _("Conservation"),
        _(
            "Pour chaque hôte et chaque heure, la somme des charges de travail, de la part gardée par "
            "l'opérateur et du non attribué est égale à l'énergie de l'hôte, au millijoule près."
        ),
    )
    yield from _facility(statement, language)
    yield from _sharing(statement, language)
    yield Fact(_("Base carbone"), _basis(statement.basis, language))
    for basis in Basis:
        if basis is not statement.basis and statement.covered_on(basis):
            yield Fact(_("À côté, jamais ajouté"), _basis(basis, language))
    if statement.embodied_ug is not None:
        yield Fact(
            _("Carbone incorporé"),
            _(
                "Fabrication, transport et fin de vie des équipements, amortis en parts égales sur leur "
                "durée de vie prévue et répartis par composant : processeur par vCPU, mémoire par Go, "
                "disques et châssis comme l'énergie au repos ; équipements techniques et bâtiment du site "
                "comme l'énergie IT. Compté à part de l'usage."
            ),
        )
    yield Fact(
        _("Qualité"),
        _(
            "« mesuré » : lu sur un capteur ; « modélisé » : calculé d'une charge et d'une courbe ; "
            "« déclaré » : saisi ou importé. Une valeur inconnue est dite inconnue et n'est jamais comptée "
            "comme nulle."
        ),
    )
    yield Fact(
        _("Arrondis"),
        _(
            "L'énergie est un nombre entier de millijoules et le carbone un nombre entier de microgrammes, "
            "arrondi une seule fois par ligne du mois. Les valeurs affichées sont arrondies après la somme ; "
            "l'export CSV donne les entiers."
        ),
    )


def _attribution(attribution: Attribution, language: Language) -> str:
    _ = language.gettext
    if not attribution.policy:
        return _("Aucune énergie n'a été répartie sur la période.")
    return _(
        "Énergie active répartie selon le temps processeur ; %(idle)s (règle de "
        "partage, version %(version)s).",
        idle=" / ".join(_idle(policy, language) for policy in attribution.policy.split("+")),
        version=attribution.version,
    )


def _idle(policy: str, language: Language) -> str:
    _ = language.gettext
    known = {
        "reserved": _("énergie au repos répartie selon les vCPU réservés, le reste gardé par l'opérateur"),
        "used": _("énergie au repos répartie comme le temps processeur"),
        "operator": _("énergie au repos gardée par l'opérateur"),
    }
    return known.get(policy, policy)


def _basis(basis: Basis, language: Language) -> str:
    _ = language.gettext
    return {
        Basis.YEARLY_AVERAGE: _(
            "Moyenne annuelle du mix de consommation du lieu (« location-based »), en cycle de vie : "
            "(énergie du mois + surconsommation du site) × facteur de l'année."
        ),
        Basis.HOURLY_DIRECT: _(
            "Heure par heure, ce que le réseau du lieu a brûlé pour produire (eCO2mix) : émissions directes, "
            "des seules heures dont l'intensité est connue ; provisoire tant que l'une est en temps réel."
        ),
        Basis.MARKET_BASED: _(
            "Contrats d'électricité du site (« market-based ») : garanties d'origine, contrats d'achat "
            "direct, et le mix résiduel pour ce qu'ils ne couvrent pas."
        ),
    }[basis]


def _facility(statement: InrStatement, language: Language) -> Iterable[Fact]:
    """The PUE of each site, as it was metered or declared."""
    _ = language.gettext
    told = {(line.site, line.facility) for line in statement.lines if line.facility is not None}
    for site, place in sorted(told, key=lambda one: (one[0], one[1].pue)):
        values = {
            "pue": language.number(place.pue, 3),
            "category": place.category,
            "site": site,
            "total": text(Kind.ENERGY_MJ, place.it_mj + place.overhead_mj, language),
            "it": text(Kind.ENERGY_MJ, place.it_mj, language),
        }
        if place.origin == "metered":
            said = _("%(site)s : PUE mesuré %(pue)s, catégorie %(category)s (%(total)s pour %(it)s d'IT).",
                     **values)  # fmt: skip
        else:
            since = language.day(place.declared_from) if place.declared_from else "-"
            said = _("%(site)s : PUE déclaré %(pue)s, catégorie %(category)s, depuis le %(since)s.",
                     **values, since=since)  # fmt: skip
        yield Fact(_("Surconsommation du site"), said, note=_("provisoire") if place.provisional else "")


def _sharing(statement: InrStatement, language: Language) -> Iterable[Fact]:
    """The keys by which shared services were split."""
    _ = language.gettext
    told = {
        (service_label(line, language), one.key, one.key_from, one.key_version)
        for line in statement.lines
        if (one := line.share) is not None
    }
    for service, key, day, version in sorted(told):
        yield Fact(
            _("Service partagé"),
            _(
                "%(service)s : réparti par %(key)s, clé en vigueur depuis le %(day)s (version %(version)s).",
                service=service,
                key=key_label(key, language),
                day=language.day(day),
                version=version,
            ),
        )


def _limits(statement: InrStatement, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    if statement.embodied_ug is None:
        yield Fact(
            _("Carbone incorporé"),
            _("Non compté : fabrication, transport et fin de vie des équipements et du bâtiment."),
        )
    elif statement.without("embodied_ug"):
        yield Fact(
            _("Carbone incorporé"), _("Compté pour les équipements dont l'impact est connu, seulement.")
        )
    if statement.overhead_mj is None:
        yield Fact(
            _("Surconsommation du site"),
            _("Non comptée : refroidissement, onduleurs et pertes de distribution (PUE)."),
        )
    elif statement.without("overhead_mj"):
        yield Fact(_("Surconsommation du site"), _("Comptée là où le PUE du site est connu, seulement."))
    yield Fact(
        _("Réseau et stockage partagés"),
        _("Non comptés tant que ces équipements ne sont ni relevés ni déclarés."),
    )
    yield Fact(
        _("Incertitude"),
        _(
            "Un intervalle n'est donné que si toutes les sources, ou l'éditeur du facteur, en donnent un ; "
            "sinon il est inconnu."
        ),
    )


def _provenance(statement: InrStatement, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    zone = ZoneInfo(statement.adherent.zone)
    period = statement.period
    yield Fact(_("Début de la période"), period.starts_at.astimezone(zone), Kind.INSTANT)
    yield Fact(_("Fin de la période (exclue)"), period.ends_at.astimezone(zone), Kind.INSTANT)
    yield Fact(_("Durée de la période"), period.hours, Kind.HOURS)
    yield Fact(_("Fuseau"), statement.adherent.zone)
    yield Fact(_("Établi le"), statement.generated_at.astimezone(zone), Kind.INSTANT)
    yield Fact(_("Établi par"), statement.generated_by)
    yield Fact(
        _("Empreinte des chiffres (SHA-256)"),
        statement.sha256(),
        note=_("Deux relevés de même empreinte ont les mêmes chiffres."),
    )
