"""People in organisations' roles and in applications: each record is of one, and goes alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.persons import People
from services.accounts.erasing.finding import found, key_of, looked_for, meant, record_of
from services.accounts.model import contacts, memberships, volunteers
from services.accounts.model.memberships import KeptMembership, Proposed
from services.accounts.model.people import RETENTION
from services.accounts.model.volunteers import KeptPart, KeptVolunteer
from shared.events.personal import Sealed
from shared.privacy.erasing import Held, Whom


@dataclass(frozen=True, slots=True)
class Volunteers:
    """Applications of volunteers: the applicant's record, and each referee's."""

    people: People
    name: str = "volunteers"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find applications in which somebody stands. Raises ``Transient``."""
        states = await found(self.people.store.volunteers, whom)
        theirs = [(one, _parts(one, whom)) for one in states]
        return [_held(one.application, [p.sealed for p in parts]) for one, parts in theirs if parts]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Take their records out of the applications; those of others stay."""
        for one in held:
            await self.people.store.volunteers.update(
                one.id,
                lambda known: volunteers.erase(
                    known,
                    {
                        part.sealed.person
                        for part in (known.parts if known else ())
                        if meant(whom, part.sealed, (part.subject,))
                    },
                ),
                correlation=cause,
            )

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether the broker has all of it."""
        return await self.people.store.volunteers.silent(ids)


@dataclass(frozen=True, slots=True)
class Memberships:
    """Contacts that an application for membership names, until they have their roles."""

    contacting: Contacting
    name: str = "memberships"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find applications that name somebody. Raises ``Transient``."""
        states = await found(self.contacting.store.memberships, whom)
        theirs = [(one, _proposed(one, whom)) for one in states]
        return [_held(one.application, [p.details for p in some]) for one, some in theirs if some]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Take them out of the applications."""
        for one in held:
            await self.contacting.store.memberships.update(
                one.id,
                lambda known: memberships.erase(
                    known,
                    {
                        each.contact
                        for each in (known.proposed if known else ())
                        if meant(whom, each.details, each.subjects)
                    },
                ),
                correlation=cause,
            )

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether the broker has all of it."""
        return await self.contacting.store.memberships.silent(ids)


@dataclass(frozen=True, slots=True)
class Seats:
    """Roles of organisations, each with the contact who has it."""

    contacting: Contacting
    name: str = "contacts"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find the roles that somebody has. Raises ``Transient``."""
        states = await found(self.contacting.store.seats, whom)
        return [
            _held(one.seat, [one.details])
            for one in states
            if one.details is not None and looked_for(whom, one.details, one.subjects)
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Make them vacant, unless somebody else has them by now."""
        for one in held:
            theirs = frozenset() if one.stays(whom.exempt) else one.people
            await self.contacting.store.seats.update(
                one.id,
                lambda known, theirs=theirs: contacts.erase(  # type: ignore[misc]
                    known, theirs, said=self.contacting.said(RETENTION)
                ),
                correlation=cause,
            )

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether the broker has all of it."""
        return await self.contacting.store.seats.silent(ids)


def _parts(state: KeptVolunteer, whom: Whom) -> list[KeptPart]:
    return [part for part in state.parts if looked_for(whom, part.sealed, (part.subject,))]


def _proposed(state: KeptMembership, whom: Whom) -> list[Proposed]:
    return [one for one in state.proposed if looked_for(whom, one.details, one.subjects)]


def _held(name: str, sealed: Sequence[Sealed]) -> Held:
    return Held(
        name,
        keys=tuple(key_of(one) for one in sealed),
        people=frozenset(one.person for one in sealed),
        records=tuple(record_of(one) for one in sealed),
    )
