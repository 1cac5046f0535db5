"""What the catalogue says beside its services: versions, hosting facts, specimens of certificates, an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.certificates import Wording, add_certificate
from console.actions.generating.chance import dice
from console.actions.generating.rows import Deed
from console.actions.generating.scale import Scale
from console.actions.generating.world import World
from console.actions.hosting import state_facts
from console.actions.services import plan_end, release_version
from console.domain.certificates import Framework, Validity
from console.domain.hosting import Activity, DataCentre, HostingFacts, Transfers
from console.domain.offer import Life
from console.domain.renewal import add_months
from console.store.models import catalogue as c

BY = "données générées"
VERSIONED = ("hosting", "payroll", "software")  # the trades whose services have versions
SUPPORT_MONTHS = 30
ENDING, SUCCESSOR = "research-data", "hds-paas"
# Days of validity left at the end of the past: one is to be renewed, the other is not yet.
CERTIFICATES = ((Framework.HDS, 60), (Framework.ISO_27001, 500))
PDF_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
    b"",  # the text
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
)


def version_on(scale: Scale, code: str, trade: str, day: date) -> str | None:
    """The latest version of a service on a day; None before the first, and where there are none."""
    out = [name for name, released_on in _versions(scale, code, trade) if released_on <= day]
    return out[-1] if out else None


def store_offer(world: World) -> Iterator[Deed]:
    """Versions, hosting facts and certificates, before anything is sold."""

    def add(session: Session) -> int:
        for code, trade in _services(session):
            _release(session, world.scale, code, trade)
            if trade == "hosting":
                _state(session, world.scale, code)
        for framework, left in CERTIFICATES:
            _certify(session, world.scale, framework, left)
        return 1

    yield add


def store_ends(world: World) -> Iterator[Deed]:
    """One offer ends and another follows it, once all is sold."""
    until = world.scale.until
    life = Life(sales_end_on=until - timedelta(days=1), support_ends_on=add_months(until, 15))

    def end(session: Session) -> int:
        plan_end(session, ENDING, life, SUCCESSOR)
        return 1

    yield end


def specimen(title: str) -> bytes:
    """A PDF of one page that says of itself that it is worth nothing."""
    text = f"BT /F 20 Tf 60 760 Td ({title}) Tj 0 -40 Td (SPECIMEN SANS VALEUR, DONNÉES GÉNÉRÉES) Tj ET"
    stream = text.encode("cp1252")
    objects = list(PDF_OBJECTS)
    objects[3] = b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream)
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    ending = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(content))
    return content + b"xref\n0 %d\n" % size + table + ending


def _services(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(c.Service.code, c.Service.trade).order_by(c.Service.code))
    return [(code, trade.value) for code, trade in rows]


def _versions(scale: Scale, code: str, trade: str) -> list[tuple[str, date]]:
    """One a year, from before the past that is told."""
    if trade not in VERSIONED:
        return []
    month = dice(scale.seed, "versions", code).randrange(1, 13)
    years = range(scale.since.year - 1, scale.until.year)
    return [(f"{year}.{month}", date(year, month, 1)) for year in years]


def _release(session: Session, scale: Scale, code: str, trade: str) -> None:
    versions = _versions(scale, code, trade)
    for name, released_on in versions:
        is_last = name == versions[-1][0]
        end = None if is_last else add_months(released_on, SUPPORT_MONTHS) - timedelta(days=1)
        release_version(session, code, name, released_on=released_on, support_ends_on=end)
        session.flush()


def _state(session: Session, scale: Scale, code: str) -> None:
    facts = HostingFacts(
        since=scale.since,
        data_centres=[dice(scale.seed, "hosting of", code).choice(list(DataCentre))],
        country="FR",
        activities=list(Activity),
        subcontractors=[],
        transfers=Transfers.NONE,
        reversibility="Donnée générée : elle n'engage personne.",
        reversibility_days=90,
    )
    state_facts(session, code, facts, now=scale.start, by=BY)


def _certify(session: Session, scale: Scale, framework: Framework, left: int) -> None:
    valid_to = scale.until + timedelta(days=left)
    name = f"SPÉCIMEN {framework.name.replace('_', ' ')}"
    wording = Wording(
        framework=framework,
        name=name,
        body="Organisme imaginaire",
        number=f"SPECIMEN-{framework.name}",
        scope="Donnée générée : ce certificat n'atteste rien.",
        validity=Validity(add_months(valid_to, -36) + timedelta(days=1), valid_to),
    )
    hosted = [code for code, trade in _services(session) if trade == "hosting"]
    add_certificate(session, wording, hosted, specimen(name), now=scale.start, by=BY)
