"""Contacts, memberships and the mail to contacts in the store: their aggregates and their lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.accounts.model.contacts import KeptSeat, seat_key
from services.accounts.model.memberships import KeptMembership
from services.accounts.model.role_mails import KeptRoleMail
from services.accounts.store.aggregates import Keeping, newest
from shared.events.contacts import MembershipStatus
from shared.mongo import Aggregates, Database
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class ContactStore:
    """Every aggregate of contacts and memberships."""

    seats: Aggregates[KeptSeat]
    memberships: Aggregates[KeptMembership]
    role_mails: Aggregates[KeptRoleMail]
    clock: Clock = SYSTEM

    async def seats_of(self, organisation: int) -> list[KeptSeat]:
        """Return the roles that an organisation ever had a contact for."""
        return await self.seats.where(organisation=organisation)

    async def mailed(self, role: str, organisations: Sequence[int] | None) -> list[KeptSeat]:
        """Return the seats of a role that have a contact; of these organisations, or of all."""
        if organisations is None:
            found = await self.seats.where(mailed=role)
        else:
            keys = [seat_key(one, role) for one in organisations]
            found = list((await self.seats.load_many(keys)).values())
        held = (one for one in found if one.details is not None)
        return sorted(held, key=lambda one: one.organisation)

    async def newest_memberships(
        self, status: MembershipStatus | None, *, before: str | None, most: int
    ) -> list[KeptMembership]:
        """Return applications, newest first, from behind ``before`` on."""
        return await newest(self.memberships, {"status": status}, before=before, most=most)


def open_contacts(
    database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM
) -> ContactStore:
    """Make the store over a database; ``wake`` hurries the relay of this process."""
    keeping = Keeping(database, wake, clock)
    return ContactStore(
        seats=keeping.of("contacts", KeptSeat, _of_seat),
        memberships=keeping.of("memberships", KeptMembership, _of_membership),
        role_mails=keeping.of("role_mails", KeptRoleMail),
        clock=clock,
    )


def _of_seat(state: KeptSeat) -> dict[str, Any]:
    return {
        "organisation": state.organisation,
        "mailed": state.role if state.contact else None,
        "subjects": list(state.subjects),
        "person": state.contact,
        "unsettled": state.unsettled,
    }


def _of_membership(state: KeptMembership) -> dict[str, Any]:
    return {
        "status": state.status,
        "subjects": [subject for one in state.proposed for subject in one.subjects],
        "person": [one.contact for one in state.proposed],
        "unsettled": state.unsettled,
    }
