"""What every template may ask for: files, navigation, the person, charts and tables of figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from jinja2 import StrictUndefined
from markupsafe import Markup

from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.store.queries.energy_so_far import modelled_since
from console.web import languages
from console.web.access import allowed, known_account, scope
from console.web.assets import asset_url
from console.web.navigation import entries
from console.web.state import state
from reports import drawing
from reports.document import Chart, Table
from reports.quantities import NUMERIC, cell

LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a printed column."""

    title: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table of figures as texts: amounts of a column share a unit, which its head names."""

    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None


def install(app: Flask) -> None:
    """Give the templates their names; a name that does not exist is an error, not an empty text."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset_url=asset_url,
        navigation=entries,
        known_account=known_account,
        allowed=allowed,
        Permission=Permission,
        figures_are_modelled=figures_are_modelled,
        chart_svg=chart_svg,
        printed=printed,
    )


def figures_are_modelled() -> bool:
    """Whether energy that this person sees came, in the last day, from a model and not from a sensor."""
    account = known_account()
    if account is None or not (account.tenants or account.role in SEES_EVERY_ADHERENT):
        return False
    with state().database.read(scope()) as session:
        return modelled_since(session, datetime.now(UTC) - LATELY, of_fleet=allowed(Permission.SEE_FLEET))


def chart_svg(chart: Chart, prefix: str) -> Markup:
    """The drawing of a chart; `prefix` begins its ids and is its own on the page."""
    return drawing.svg(chart, languages.current_language(), prefix=prefix)


def printed(table: Table) -> PrintedTable:
    """A table of figures in the language of the page."""
    shown = [place for place, column in enumerate(table.columns) if column.printed]
    return PrintedTable(
        caption=table.caption,
        headings=tuple(_headings(table, shown)),
        rows=tuple(_texts(table, row, shown) for row in table.rows),
        total=None if table.total is None else _texts(table, table.total, shown),
    )


def _headings(table: Table, shown: list[int]) -> Iterator[Heading]:
    scales = table.scales()
    for place in shown:
        column, scale = table.columns[place], scales[place]
        unit = f" ({scale.unit.symbol})" if scale and scale.unit.symbol else ""
        yield Heading(column.title + unit, column.kind in NUMERIC)


def _texts(table: Table, row: tuple[object, ...], shown: list[int]) -> tuple[str, ...]:
    scales, language = table.scales(), languages.current_language()
    return tuple(cell(table.columns[place].kind, row[place], language, scales[place]) for place in shown)  # type: ignore[arg-type]
