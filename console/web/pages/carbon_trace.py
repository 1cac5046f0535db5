"""The trace of carbon: from a total to its lines, from a line to its hours, terms and factors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.access import Permission
from console.domain.carbon_months import LineHeld
from console.domain.embodied_shares import component_of
from console.domain.factors import Basis
from console.domain.trace import key_of, key_text
from console.store.queries import names
from console.store.queries.carbon_months import MonthSeen, month_seen, pool_lines
from console.store.queries.carbon_trace import Trace, service_names, trace_of
from console.store.queries.names import Named
from console.web import exports
from console.web.access import requires, scope
from console.web.carbon_words import QUALITIES, line_name, words
from console.web.equipment_words import COMPONENTS, SOURCES, WEIGHED_BY
from console.web.fleet_words import BOUNDARIES, policy_words
from console.web.months import month_in_path
from console.web.state import state
from reports import canonical

MS_IN_HOUR = 3_600_000

bp = Blueprint("carbon_trace", __name__)


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace")
@requires(Permission.SEE_ADHERENTS)
def total(tenant_id: int, month: str) -> ResponseReturnValue:
    """The lines that a month's totals are the sums of, the heaviest first."""
    adherent, seen = _month(tenant_id, month)
    pools = _pools(tenant_id, seen)
    return render_template(
        "carbon_trace/total.html",
        adherent=adherent,
        seen=seen,
        lines=_by_weight(seen),
        pools=pools,
        services=_services([*seen.inputs.lines, *pools]),
        address=lambda line: url_for(
            "carbon_trace.line", tenant_id=tenant_id, month=month, key=key_text(line.key)
        ),
        **words(),
    )


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace.csv")
@requires(Permission.SEE_ADHERENTS)
def total_csv(tenant_id: int, month: str) -> Response:
    """The same, in whole numbers, to recompute from."""
    adherent, seen = _month(tenant_id, month)
    name = f"{_('trace-carbone')}-{adherent.tenant_id}-{seen.month:%Y-%m}"
    return exports.send(name, _headings(), (_cells(line) for line in _by_weight(seen)), "csv")


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace.json")
@requires(Permission.SEE_ADHERENTS)
def total_json(tenant_id: int, month: str) -> Response:
    """All that the month is made from, as it is hashed when it is closed."""
    adherent, seen = _month(tenant_id, month)
    closed = seen.closed
    told = {
        "adherent": adherent.tenant_id,
        "state": seen.state.value,
        "revision": seen.revision,
        "sha256": closed.sha256 if closed else None,
        "inputs": json.loads(canonical.encode(seen.inputs)),
    }
    return _json(told, f"trace-{adherent.tenant_id}-{seen.month:%Y-%m}.json")


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace/<key>")
@requires(Permission.SEE_ADHERENTS)
def line(tenant_id: int, month: str, key: str) -> ResponseReturnValue:
    """A line: the whole chain on one page, with the formulas and their numbers."""
    adherent, trace = _line(tenant_id, month, key)
    held = {one.factor_id: one for one in trace.seen.inputs.factors}
    return render_template(
        "carbon_trace/line.html",
        adherent=adherent,
        trace=trace,
        line=trace.line,
        key=key,
        factors=held,
        qualities=QUALITIES,
        hours_of=lambda ms: Fraction(ms, MS_IN_HOUR),
        embodied=_embodied(trace.line),
        of_host=_of_host,
        components=COMPONENTS,
        weighed_by=WEIGHED_BY,
        impact_sources=SOURCES,
        boundaries=BOUNDARIES,
        policy_words=policy_words,
        **words(),
    )


def _embodied(line: LineHeld) -> dict[str, Any] | None:
    """What the making on a line is made of; None where nothing is told of it."""
    return json.loads(line.embodied_terms) if line.embodied_terms else None


def _of_host(parts: Mapping[str, int], component: str) -> int:
    """What of the host's making is shared by the key of a component."""
    return sum(amount for part, amount in parts.items() if component_of(part) == component)


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace/<key>/line.csv")
@requires(Permission.SEE_ADHERENTS)
def line_csv(tenant_id: int, month: str, key: str) -> Response:
    """The chain of a line as rows: what, its value, its unit, how it is reckoned."""
    adherent, trace = _line(tenant_id, month, key)
    headings = (_("Étape"), _("Grandeur"), _("Valeur"), _("Unité"), _("Formule"))
    name = f"{_('trace-carbone')}-{adherent.tenant_id}-{trace.seen.month:%Y-%m}-{key}"
    return exports.send(name, headings, _rows(trace), "csv")


@bp.get("/adherents/<int:tenant_id>/carbon/<month>/trace/<key>/line.json")
@requires(Permission.SEE_ADHERENTS)
def line_json(tenant_id: int, month: str, key: str) -> Response:
    """The same, as JSON."""
    adherent, trace = _line(tenant_id, month, key)
    told = {
        "adherent": adherent.tenant_id,
        "month": trace.seen.month.isoformat(),
        "revision": trace.seen.revision,
        "since": trace.since.isoformat(),
        "until": trace.until.isoformat(),
        "line": json.loads(canonical.encode(trace.line)) | {"embodied_terms": _embodied(trace.line)},
        "formulas": [json.loads(canonical.encode(one)) for one in trace.formulas],
        "days": [json.loads(canonical.encode(one)) for one in trace.days],
        "sources": [json.loads(canonical.encode(one)) for one in trace.sources],
        "policies": list(trace.policies),
    }
    return _json(told, f"trace-{adherent.tenant_id}-{trace.seen.month:%Y-%m}-{key}.json")


def _month(tenant_id: int, month: str) -> tuple[Named, MonthSeen]:
    day = month_in_path(month)
    with state().database.read(scope()) as session:
        return names.adherent(session, tenant_id), month_seen(session, tenant_id, day, datetime.now(UTC))


def _line(tenant_id: int, month: str, key: str) -> tuple[Named, Trace]:
    day = month_in_path(month)
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        return adherent, trace_of(session, tenant_id, day, key_of(key), datetime.now(UTC))


def _pools(tenant_id: int, seen: MonthSeen) -> list[LineHeld]:
    with state().database.read(scope()) as session:
        return pool_lines(session, tenant_id, seen.month, seen.revision)


def _services(lines: Iterable[LineHeld]) -> dict[str, tuple[str, str]]:
    codes = sorted({line.service_code for line in lines if line.service_code})
    with state().database.read(scope()) as session:
        return service_names(session, codes)


def _by_weight(seen: MonthSeen) -> list[LineHeld]:
    return sorted(seen.inputs.lines, key=lambda line: (-line.facility_mj, line.key))


def _headings() -> tuple[str, ...]:
    return (
        *(_("Ligne"), _("Depuis"), _("Nature"), _("Hôte"), _("Charge"), _("Souscription"), _("Service")),
        *(_("Site"), _("Énergie, mJ"), _("Mesurée, mJ"), _("Modélisée, mJ"), _("Déclarée, mJ")),
        *(_("Surconsommation du site, mJ"), _("Eau, mL"), _("Fabrication, µg CO2e")),
        *(
            heading
            for name in (_("Moyenne annuelle"), _("Horaire direct"), _("Selon les contrats"))
            for heading in (
                _("%(basis)s : énergie couverte, mJ", basis=name),
                _("%(basis)s : carbone, µg CO2e", basis=name),
                _("%(basis)s : facteur", basis=name),
                _("%(basis)s : intensité, mg/kWh", basis=name),
            )
        ),
    )


def _cells(line: LineHeld) -> list[exports.Cell]:
    cells: list[exports.Cell] = [
        *(key_text(line.key), line.since, line.kind.value, line.host, line_name(line), line.subscription),
        *(line.service_code, line.site, line.energy_mj, line.measured_mj, line.modelled_mj),
        *(line.declared_mj, line.overhead_mj, line.water_ml, line.embodied_ug),
    ]
    for basis in Basis:
        held = line.on(basis)
        cells += (
            [held.covered_mj, held.carbon_ug, held.factor_id, held.intensity_mg_per_kwh]
            if held
            else [None, None, None, None]
        )
    return cells


def _rows(trace: Trace) -> Iterator[list[exports.Cell]]:
    line = trace.line
    yield [_("Période"), "since", trace.since, None, None]
    yield [_("Période"), "until", trace.until, None, None]
    for day in trace.days:
        yield [_("Heures"), day.day.isoformat(), day.energy_mj, "mJ", _("%(hours)s h", hours=day.hours)]
    for source in trace.sources:
        yield [_("Source"), f"{source.name}, {source.boundary}", source.energy_mj, "mJ", source.quality]
    for policy in trace.policies:
        yield [_("Partage de l'énergie au repos"), policy, None, None, policy_words(policy)]
    yield [_("Hôte"), line.host, line.site, None, None]
    yield [_("Énergie"), "energy_mj", line.energy_mj, "mJ", None]
    if line.share:
        yield [
            _("Partage"),
            line.share.key.value,
            line.share.weight,
            _("sur %(all)s", all=line.share.weights),
            None,
        ]
    if line.facility:
        told = line.facility
        yield ["PUE", told.origin, told.it_mj + told.overhead_mj, "mJ", f"÷ {told.it_mj}"]
    for held in line.carbon:
        yield [_("Facteur"), held.basis.value, held.intensity_mg_per_kwh, "mg/kWh", held.factor_id]
        for part in held.parts:
            bought = _("contrat n° %(number)s", number=part.contract) if part.contract else part.factor_id
            covered = _("%(ppm)s millionièmes", ppm=part.share_ppm)
            name = f"{held.basis.value}, {bought or _('mix résiduel')}"
            yield [_("Facteur"), name, part.intensity_mg_per_kwh, "mg/kWh", covered]
    for one in trace.formulas:
        yield [_("Calcul"), one.what, one.result, one.unit, one.expression]
    yield [_("Fabrication"), "embodied_ug", line.embodied_ug, "ug", line.embodied_terms or None]


def _json(told: dict[str, object], name: str) -> Response:
    answer = Response(json.dumps(told, ensure_ascii=False, indent=1), mimetype="application/json")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
