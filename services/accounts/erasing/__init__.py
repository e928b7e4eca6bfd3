"""What accounts holds of people, collection by collection, and how each lets go of somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.persons import People
from services.accounts.erasing.accounts import Addresses, Credentials, Persons
from services.accounts.erasing.roles import Memberships, Seats, Volunteers
from services.accounts.erasing.waiting import Asked, Challenges, Decisions, Offers
from shared.events.orders import Blocker
from shared.privacy.erasing import Holding

# Collections in which people stand as pseudonyms at most. They are not looked through: once the
# records above are gone, these names lead to nobody.
PSEUDONYMOUS: Final[Mapping[str, str]] = {
    "looks": "who of the staff looked at whose details: the record of it stays (DOAJ-4c2)",
    "owned": "which journals hang on an account, as deposits tells it",
    "role_mails": "how many a mail reached, and who of the staff sent it",
    "organisations": "organisations",
    "prefixes": "prefixes of organisations",
    "agreements": "agreements of organisations",
    "requests": "transfers between organisations",
    "evidence": "what orders were answered with; blind indexes are dropped with the answer",
}


def holdings(people: People, contacting: Contacting) -> tuple[Holding, ...]:
    """Return every collection that holds something of people.

    In this order they are erased: what would make an account or a contact again goes first, and
    sign-ins end after the account.
    """
    return (
        Asked(people),
        Challenges(people),
        Offers(people),
        Memberships(contacting),
        Seats(contacting),
        Volunteers(people),
        Decisions(people),
        Persons(people),
        Credentials(people),
        Addresses(people),
    )


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What has to be done before somebody's account can go."""

    people: People

    async def blockers(self, people: frozenset[str]) -> tuple[Blocker, ...]:
        """Count the journals that hang on their accounts (DOAJ-8a1). Raises ``Transient``."""
        told = [await self.people.store.hangs_on(person) for person in sorted(people)]
        journals = sum(len(one.journals) for one in told if one is not None)
        return (Blocker(what="journals", count=journals),) if journals else ()

    async def processors(self, _subjects: frozenset[str]) -> tuple[str, ...]:
        """Nobody: what is given to processors, consent gives."""
        return ()
