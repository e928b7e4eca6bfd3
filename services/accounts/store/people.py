"""People in the store: accounts, what they sign in by, looks at them, and who volunteers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.accounts.model.access import KeptAccess, KeptKey, KeptSigningKey
from services.accounts.model.addresses import KeptClaim
from services.accounts.model.challenges import KeptChallenge
from services.accounts.model.deletions import KeptOffer
from services.accounts.model.looks import KeptLook
from services.accounts.model.people import KeptPerson
from services.accounts.model.volunteers import KeptVolunteer
from services.accounts.store.aggregates import Keeping, newest
from services.accounts.store.layout import OWNED
from shared.events import OwnerState
from shared.mongo import Aggregates, Collection, Database, faults
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class PeopleStore:
    """Every aggregate about people.

    Access records and keys share the collection of the organisations' credentials, under ids of
    their own: a gate topic has one collection, whose reading its watermarks are about.
    """

    people: Aggregates[KeptPerson]
    claims: Aggregates[KeptClaim]
    challenges: Aggregates[KeptChallenge]
    looks: Aggregates[KeptLook]
    accesses: Aggregates[KeptAccess]
    keys: Aggregates[KeptKey]
    signing: Aggregates[KeptSigningKey]
    offers: Aggregates[KeptOffer]
    owned: Collection
    volunteers: Aggregates[KeptVolunteer]
    clock: Clock = SYSTEM

    async def hangs_on(self, person: str) -> OwnerState | None:
        """Return what deposits told last of a person's journals, None where it never did."""
        with faults():
            found = await self.owned.find_one({"_id": person}, {"state": 1})
        return OwnerState.model_validate_json(found["state"]) if found else None

    async def newest_volunteers(
        self, *, archived: bool, status: str | None, before: str | None, most: int
    ) -> list[KeptVolunteer]:
        """Return applications, newest first, from behind ``before`` on; hundreds a year."""
        asked = {"archived": archived, "status": status}
        return await newest(self.volunteers, asked, before=before, most=most)


def of_people(credential: str) -> str:
    """Return the id of the document of a person's credential."""
    return f"people/{credential}"


def open_people(database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM) -> PeopleStore:
    """Make the store of people over the same database."""
    keeping = Keeping(database, wake, clock)
    return PeopleStore(
        people=keeping.of("people", KeptPerson, lambda state: {"subjects": list(state.subjects)}),
        claims=keeping.of("addresses", KeptClaim, _of_person),
        challenges=keeping.of("challenges", KeptChallenge, _forgotten),
        looks=keeping.of("looks", KeptLook, _of_person),
        accesses=keeping.of("credentials", KeptAccess),
        keys=keeping.of("credentials", KeptKey, lambda state: {"key_of": state.person}),
        signing=keeping.of("credentials", KeptSigningKey),
        offers=keeping.of("offers", KeptOffer, _forgotten),
        owned=database[OWNED],
        volunteers=keeping.of("volunteers", KeptVolunteer, _of_volunteer),
        clock=clock,
    )


def _of_person(state: KeptClaim | KeptLook) -> dict[str, Any]:
    return {"person": state.person}


def _of_volunteer(state: KeptVolunteer) -> dict[str, Any]:
    return {
        "subjects": [part.subject for part in state.parts],
        "person": [part.sealed.person for part in state.parts],
        "status": state.status,
        "archived": state.archived_at is not None,
    }


def _forgotten(state: KeptChallenge | KeptOffer) -> dict[str, Any]:
    # A day longer than it counts, so that codes of an address can be counted.
    return {
        "subjects": list(state.subjects),
        "person": state.person,
        "forget_at": state.until + timedelta(days=1),
    }
