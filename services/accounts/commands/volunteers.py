"""Applications of volunteers: taken from anybody, read and decided by the team, then archived.

Taking one asks nothing about anybody: neither answer nor time tells who has an account (DOAJ-4b3).
An accepted applicant is offered an account as anybody is whom staff invite, name and address alone;
referees stay in the application and go with it (DOAJ-1b3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.accounts.commands import asking
from services.accounts.commands.acting import Actor, may, record
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.model import volunteers as model
from services.accounts.model.volunteers import KeptPart, KeptVolunteer, Referee, Volunteer
from shared.events.decisions import Refused
from shared.events.volunteers import VolunteerState
from shared.privacy.vault import Opened, reveal, seal
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id, new_pseudonym

READ: Final = "volunteer-read"
ASSESS: Final = "volunteer-assess"
READ_ARCHIVE: Final = "volunteer-archive-read"


@dataclass(frozen=True, slots=True)
class Shown:
    """An application in clear; of what is held it says so, of what is gone there is nothing."""

    state: KeptVolunteer
    applicant: Opened[Volunteer] | None
    referees: tuple[Opened[Referee], ...] = ()


async def apply(
    people: People, applicant: Volunteer, referees: Sequence[Referee], *, correlation: str
) -> str | Refused[Refusal]:
    """Keep an application, each person in it under a pseudonym and key of their own."""
    application, parts = new_id(), []
    everybody: Sequence[Volunteer | Referee] = (applicant, *referees)
    for place, said in enumerate(everybody):
        indexes = people.indexes(said.email)
        if isinstance(indexes, Refused):
            at = f"/referees/{place - 1}/email" if place else "/email"
            return Refused(Refusal("address-invalid", places=(at,)))
        sealed = await seal(
            people.ring, said, person=new_pseudonym(), unit=application, record=application
        )
        parts.append(KeptPart(sealed=sealed, subject=indexes[-1]))
    saved = await people.store.volunteers.update(
        application,
        lambda known: model.apply(known, application, tuple(parts), now=people.now()),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else application


async def page(
    people: People,
    actor: Actor,
    *,
    archived: bool,
    status: str | None,
    before: str | None,
    most: int,
    correlation: str,
) -> list[Shown] | Refused[Refusal]:
    """List applications, newest first, with the name of who applied; the archive for executives.

    A look at each applicant is recorded first (DOAJ-4c2).
    """
    action = READ_ARCHIVE if archived else READ
    refused = may(people, actor, action)
    if refused is not None:
        return refused
    found = await people.store.newest_volunteers(
        archived=archived, status=status, before=before, most=most
    )
    parts = [part for state in found if (part := state.part_of(state.applicant))]
    seen = [part.sealed.person for part in parts]
    await record(people, actor, action, seen, correlation=correlation)
    opened = await reveal(people.ring, Volunteer, [part.sealed for part in parts])
    names = dict(zip(seen, opened, strict=True))
    return [Shown(state, names.get(state.applicant)) for state in found]


async def show(
    people: People, actor: Actor, application: str, *, correlation: str
) -> Shown | Refused[Refusal]:
    """Show an application with its referees: to the team, and once archived to executives.

    A look at each person in it is recorded first (DOAJ-4c2).
    """
    reading, archive = may(people, actor, READ), may(people, actor, READ_ARCHIVE)
    if reading is not None and archive is not None:
        # Whoever has a role for either is told what else it wants, whatever there is.
        return reading if archive.reason.slug == "not-permitted" else archive
    state = await people.store.volunteers.load(application)
    archived = state is not None and state.archived_at is not None
    if state is None or (archive if archived else reading) is not None:
        # To others an archived one is as one that there never was.
        return reading or model.UNKNOWN
    seen = [part.sealed.person for part in state.parts]
    action = READ_ARCHIVE if archived else READ
    await record(people, actor, action, seen, correlation=correlation)
    return await _shown(people, state)


async def accept(
    people: People, actor: Actor, application: str, category: str, *, correlation: str
) -> KeptVolunteer | Refused[Refusal]:
    """Accept an applicant, who is then offered an account of this category."""
    if not people.roles.volunteers_get(category):
        return Refused(Refusal("category-unknown", rule="DOAJ-0c", places=("/category",)))
    return await _decide(
        people,
        actor,
        application,
        partial(model.accept, category=category),
        correlation,
    )


async def reject(
    people: People, actor: Actor, application: str, *, correlation: str
) -> KeptVolunteer | Refused[Refusal]:
    """Reject an applicant."""
    return await _decide(people, actor, application, model.reject, correlation)


async def archive(
    people: People, actor: Actor, application: str, *, correlation: str
) -> KeptVolunteer | Refused[Refusal]:
    """Put a decided application away; from then on executives alone read it."""
    return await _decide(people, actor, application, model.archive, correlation)


async def accepted(people: People, said: VolunteerState, correlation: str | None) -> None:
    """Offer the account that an acceptance promised; once, however often this is told."""
    state = await people.store.volunteers.load(said.application)
    if state is None or not state.inviting:
        return
    part = state.part_of(state.applicant)
    opened = await reveal(people.ring, Volunteer, [part.sealed] if part else [], to_person=True)
    applicant = opened[0].data if opened else None
    if applicant is not None and state.category is not None:
        await asking.invite(
            people,
            email=applicant.email,
            name=applicant.name,
            category=state.category,
            roles=people.roles.volunteers_get(state.category),
            actor=state.facts[-1].actor,
            cause=f"volunteer:{state.application}",
        )
    crashpoint("accounts.volunteer-invited")
    await people.store.volunteers.update(state.application, model.invited, correlation=correlation)


async def _decide(
    people: People,
    actor: Actor,
    application: str,
    decide: model.Deciding,
    correlation: str,
) -> KeptVolunteer | Refused[Refusal]:
    refused = may(people, actor, ASSESS)
    if refused is not None:
        return refused
    saved = await people.store.volunteers.update(
        application,
        lambda known: decide(known, actor=actor.named(None), now=people.now()),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


async def _shown(people: People, state: KeptVolunteer) -> Shown:
    applicant = state.part_of(state.applicant)
    referees = [part.sealed for part in state.parts if part != applicant]
    opened = await reveal(people.ring, Volunteer, [applicant.sealed] if applicant else [])
    found = await reveal(people.ring, Referee, referees)
    there = tuple(one for one in found if one.withheld != "gone")
    return Shown(state, opened[0] if opened else None, there)
