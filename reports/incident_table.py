"""The incidents of a statement: how many of each priority, and the most serious of them by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from reports.document import Block, Column, Paragraph, Row, Table
from reports.figures import Incident, InrStatement, SlaState
from reports.labels import state_label
from reports.language import Language
from reports.quantities import Kind

SHOWN = 30
# What asks for a reader comes first: late, then open, then what was resolved in time.
STATES = (
    *(SlaState.BREACHED, SlaState.MISSED, SlaState.AT_RISK, SlaState.ON_TIME, SlaState.WAITING),
    SlaState.MET,
)


def blocks(statement: InrStatement, language: Language) -> Iterable[Block]:
    """Counts, then the most serious: late or open before the others. The data formats hold every one."""
    _ = language.gettext
    zone = ZoneInfo(statement.adherent.zone)
    every = statement.incidents
    yield _counts(every, language)
    if not every:
        return
    ordered = sorted(every, key=_seriousness)
    if left := len(ordered[SHOWN:]):
        yield _table(_("Les plus graves : hors délai ou ouverts d'abord"), ordered[:SHOWN], zone, language)
        yield Paragraph(
            language.ngettext(
                "%(count)s autre incident est dans le fichier CSV et dans la console.",
                "%(count)s autres incidents sont dans le fichier CSV et dans la console.",
                left,
            )
        )
    yield _table(_("Tous les incidents de la période"), ordered, zone, language, printed=not left)


def _seriousness(one: Incident) -> tuple[object, ...]:
    """What was resolved in time last; then by priority, by how late it is, the oldest first."""
    return one.state is SlaState.MET, one.priority, STATES.index(one.state), one.opened_at, one.number


def _counts(every: Sequence[Incident], language: Language) -> Table:
    _ = language.gettext
    told = Counter((one.priority, one.state) for one in every)
    priorities = sorted({one.priority for one in every})
    states = [state for state in SlaState if any(one.state is state for one in every)]

    def row(name: str, *of: str) -> Row:
        amounts = [sum(told[priority, state] for priority in of) for state in states]
        return (name, *amounts, sum(amounts))

    return Table(
        caption=_("Incidents ouverts pendant la période, par priorité et par état"),
        columns=(
            Column(_("Priorité")),
            *(Column(state_label(state, language), Kind.COUNT) for state in states),
            Column(_("Total"), Kind.COUNT),
        ),
        rows=tuple(row(priority, priority) for priority in priorities),
        total=row(_("Total"), *priorities) if len(priorities) > 1 else None,
        empty=_("Aucun incident sur la période."),
    )


def _table(
    caption: str,
    incidents: Sequence[Incident],
    zone: ZoneInfo,
    language: Language,
    *,
    printed: bool = True,
) -> Table:
    _ = language.gettext
    return Table(
        caption=caption,
        columns=(
            Column(_("Numéro")),
            Column(_("Objet")),
            Column(_("Priorité")),
            Column(_("Ouvert"), Kind.INSTANT),
            Column(_("Échéance"), Kind.INSTANT),
            Column(_("État")),
        ),
        rows=tuple(_row(incident, zone, language) for incident in incidents),
        printed=printed,
    )


def _row(incident: Incident, zone: ZoneInfo, language: Language) -> Row:
    _ = language.gettext
    return (
        incident.number,
        incident.title,
        incident.priority,
        incident.opened_at.astimezone(zone),
        _("suspendue") if incident.due_at is None else incident.due_at.astimezone(zone),
        state_label(incident.state, language),
    )
