"""How adherents are followed: contacts, own sites, committees with their minutes, tasks and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random

from sqlalchemy.orm import Session

from console.actions.generating.chance import dice
from console.actions.generating.rows import Deed
from console.actions.generating.scale import ZONE, Scale
from console.actions.generating.world import World
from console.domain.claims import OPERATOR_TENANT
from console.domain.committees import CommitteeKind, TaskState
from console.domain.contacts import OF_THE_OPERATOR, ContactRole
from console.store.base import Base
from console.store.models import follow_up as f

BATCH = 20  # adherents a transaction
TOLD = timedelta(days=730)  # committees are told of for the last two years
EVERY = timedelta(days=120)
AFTER = timedelta(days=9)  # minutes are approved
BY = "demo.account.manager"
FIRST = (
    *("Camille", "Claude", "Dominique", "Frédérique", "Gaël", "Jocelyne", "Karim", "Léa", "Mathieu"),
    *("Nadia", "Olivier", "Pascale", "Rachid", "Sylvie", "Thomas", "Valérie", "Yann", "Zoé"),
)
LAST = (
    *("Arnaud", "Bertin", "Carpentier", "Delmas", "Etcheverry", "Fabre", "Garnier", "Hoarau", "Jourdan"),
    *("Kessler", "Lopez", "Marchand", "Nguyen", "Oudin", "Perrin", "Rousseau", "Sanchez", "Vidal"),
)
# Numbers that no one is given: the French regulator keeps them for fiction.
FICTION = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49")
ALWAYS = (ContactRole.CIO, ContactRole.NIGHT, ContactRole.DPO)
SOMETIMES = (ContactRole.SECURITY, ContactRole.DIRECTION, ContactRole.FINANCE, ContactRole.HUMAN_RESOURCES)
AGENDA = "Incidents de la période\nNiveaux de service\nConsommation et carbone\nQuestions diverses"
MINUTES = "Les incidents de la période sont passés en revue.\nLe relevé de consommation est présenté."
DECISIONS = (
    "Suivre la charge de l'hébergement.",
    "Préparer la montée de version.",
    "Revoir le plan de reprise.",
)
TASKS = (
    "Envoyer le relevé de consommation",
    "Planifier la montée de version",
    "Transmettre la liste des agents",
    "Vérifier la sauvegarde",
    "Mettre à jour l'annuaire des contacts",
)
ADDENDA = (
    "Le chiffre du tableau des incidents est rectifié : la période va jusqu'à la veille du comité.",
    "La mise en production est avancée d'une semaine, en accord avec l'adhérent.",
    "Ajout : le relevé de consommation est envoyé avec le compte rendu.",
)
SITES = ("Site administratif", "Plateforme logistique", "Centre de formation", "Archives", "Annexe Nord")
TOWNS = ("Amiens", "Auch", "Foix", "Limoges", "Pau", "Tarbes", "Toulouse")
NOTES = (
    "Projet de regroupement de sites à suivre.",
    "Le renouvellement sera discuté au prochain comité.",
    "Attend une offre pour l'hébergement de ses données de recherche.",
    "Sensible au respect des délais de prise en charge.",
)


def store_follow_up(world: World) -> Iterator[Deed]:
    """Those who are called at the operator, then what is written of each adherent."""
    yield _add_operator_contacts(world.scale)
    for start in range(0, len(world.adherents), BATCH):
        batch = [adherent.tenant_id for adherent in world.adherents[start : start + BATCH]]

        def add(session: Session, batch: Sequence[int] = batch) -> int:
            for tenant_id in batch:
                for rows in _of_adherent(world.scale, tenant_id):
                    session.add_all(rows)
                    session.flush()
            return len(batch)

        yield add


def _add_operator_contacts(scale: Scale) -> Deed:
    def add(session: Session) -> int:
        session.add_all(_contacts(scale, OPERATOR_TENANT, OF_THE_OPERATOR))
        return 0

    return add


def _of_adherent(scale: Scale, tenant_id: int) -> Iterator[Sequence[Base]]:
    """What is written, each part after what it points to."""
    rng = dice(scale.seed, "follow-up", tenant_id)
    roles = [*ALWAYS, *(role for role in SOMETIMES if rng.random() < 0.5)]
    contacts = _contacts(scale, tenant_id, roles)
    committees = _committees(rng, scale, tenant_id)
    yield contacts
    yield committees
    yield [
        f.CommitteeMember(tenant_id=tenant_id, committee=committee.number, contact=number)
        for committee in committees
        for number in sorted(rng.sample(range(1, len(contacts) + 1), 2))
    ]
    yield _tasks(rng, scale, tenant_id, committees, contacts)
    yield _notes(rng, scale, tenant_id)
    yield _addenda(scale, committees)
    yield _own_sites(scale, tenant_id)


def _contacts(scale: Scale, tenant_id: int, roles: Sequence[ContactRole]) -> list[f.Contact]:
    rng = dice(scale.seed, "contacts", tenant_id)
    return [_contact(rng, scale, tenant_id, number, role) for number, role in enumerate(roles, start=1)]


def _contact(rng: Random, scale: Scale, tenant_id: int, number: int, role: ContactRole) -> f.Contact:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    return f.Contact(
        tenant_id=tenant_id,
        number=number,
        role=role,
        name=f"{first} {last}",
        phone=f"{rng.choice(FICTION)} {rng.randrange(100):02} {rng.randrange(100):02}",
        mail=f"{role.value.replace('_', '.')}@adherent-{tenant_id:04}.example",
        is_primary=True,
        starts_on=scale.until - timedelta(days=rng.randrange(30, 365 * scale.years)),
        ends_on=None,
    )


def _committees(rng: Random, scale: Scale, tenant_id: int) -> list[f.Committee]:
    """One every four months or so, the last of them still to come."""
    days, day = [], scale.until - TOLD + timedelta(rng.randrange(EVERY.days))
    while day < scale.until + timedelta(days=60):
        days.append(day - timedelta(max(0, day.weekday() - 4)))
        day += EVERY
    kinds = (CommitteeKind.STEERING, CommitteeKind.OPERATIONAL)
    return [
        _committee(
            rng,
            scale,
            tenant_id,
            number,
            kinds[number % 2],
            datetime.combine(day, time(rng.choice((9, 10, 14, 15))), ZONE).astimezone(UTC),
        )
        for number, day in enumerate(days, start=1)
    ]


def _committee(
    rng: Random, scale: Scale, tenant_id: int, number: int, kind: CommitteeKind, starts_at: datetime
) -> f.Committee:
    held, decision = starts_at < scale.now, rng.choice(DECISIONS)
    approved = starts_at + AFTER < scale.now
    return f.Committee(
        tenant_id=tenant_id,
        number=number,
        kind=kind,
        starts_at=starts_at,
        duration_min=rng.choice((60, 90, 120)),
        place="Visioconférence",
        link=None,
        guests="",
        agenda=AGENDA,
        minutes=MINUTES if held else "",
        decisions=decision if held else "",
        approved_at=starts_at + AFTER if approved else None,
        approved_by=BY if approved else None,
    )


def _tasks(
    rng: Random,
    scale: Scale,
    tenant_id: int,
    committees: Sequence[f.Committee],
    contacts: Sequence[f.Contact],
) -> list[f.Task]:
    held = [committee for committee in committees if committee.starts_at < scale.now]
    decided = [committee for committee in held for _ in range(rng.randrange(3))]
    return [
        _task(rng, scale, tenant_id, number, committee, rng.choice(contacts))
        for number, committee in enumerate(decided, start=1)
    ]


def _task(
    rng: Random, scale: Scale, tenant_id: int, number: int, committee: f.Committee, contact: f.Contact
) -> f.Task:
    settled_at = committee.starts_at + timedelta(days=rng.randrange(2, 150))
    settled = settled_at < scale.now
    return f.Task(
        tenant_id=tenant_id,
        number=number,
        title=rng.choice(TASKS),
        committee=committee.number,
        contact=contact.number,
        in_charge=contact.name,
        due_on=(committee.starts_at + timedelta(days=rng.randrange(14, 120))).date(),
        state=rng.choice((TaskState.DONE, TaskState.DONE, TaskState.DROPPED)) if settled else TaskState.OPEN,
        created_by=BY,
        created_at=committee.starts_at,
        settled_at=settled_at if settled else None,
        settled_by=BY if settled else None,
    )


def _notes(rng: Random, scale: Scale, tenant_id: int) -> list[f.Note]:
    return [
        f.Note(
            tenant_id=tenant_id,
            number=number,
            text=text,
            written_by=BY,
            written_at=scale.now - timedelta(hours=rng.randrange(24, 24 * 365)),
        )
        for number, text in enumerate(rng.sample(NOTES, rng.randrange(1, 4)), start=1)
    ]


def _addenda(scale: Scale, committees: Sequence[f.Committee]) -> list[f.Addendum]:
    """To one in six of the minutes that are approved."""
    return [
        addendum
        for committee in committees
        if committee.approved_at is not None
        and (addendum := _addendum(scale, committee, committee.approved_at))
    ]


def _addendum(scale: Scale, committee: f.Committee, approved_at: datetime) -> f.Addendum | None:
    rng = dice(scale.seed, "addendum", committee.tenant_id, committee.number)
    written_at = approved_at + timedelta(days=rng.randrange(1, 15))
    if rng.randrange(6) or written_at >= scale.now:
        return None
    return f.Addendum(
        tenant_id=committee.tenant_id,
        committee=committee.number,
        position=1,
        text=rng.choice(ADDENDA),
        written_by=BY,
        written_at=written_at,
    )


def _own_sites(scale: Scale, tenant_id: int) -> list[f.OwnSite]:
    """Up to two places that the directory does not hold, for one adherent in three."""
    rng = dice(scale.seed, "own sites", tenant_id)
    names = rng.sample(SITES, rng.choice((0, 0, 0, 0, 1, 2)))
    return [
        f.OwnSite(
            tenant_id=tenant_id,
            number=number,
            name=name,
            town=rng.choice(TOWNS),
            department=None,
            siret=None,
            ended_on=scale.until - timedelta(days=rng.randrange(1, 300)) if rng.random() < 0.1 else None,
        )
        for number, name in enumerate(names, start=1)
    ]
