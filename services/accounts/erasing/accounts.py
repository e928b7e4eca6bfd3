"""Accounts of people: their details, what they sign in by, and the claims on their addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.accounts.commands import closing
from services.accounts.commands.persons import People
from services.accounts.erasing.finding import found, key_of, record_of
from services.accounts.model import access, deletions
from services.accounts.model.people import RECORD, KeptPerson
from services.accounts.store import of_people
from shared.mongo import faults
from shared.privacy.erasing import Held, Unpublished, Whom

CLS: Final = "account"


def of_account(whom: Whom, person: str, subjects: Sequence[str] = ()) -> bool:
    """Say whether somebody's account is looked for, exempt or not."""
    return whom.looks(person, CLS, RECORD, subjects)


@dataclass(frozen=True, slots=True)
class Persons:
    """The accounts; of one that was closed nothing is left but a pseudonym and dated facts."""

    people: People
    name: str = "people"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find accounts that still hold something of their holder. Raises ``Transient``."""
        states = await found(self.people.store.people, whom, person="_id")
        return [
            _of_person(one)
            for one in states
            if of_account(whom, one.person, one.subjects)
            and (one.status != "closed" or one.details is not None or one.subjects)
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Close them, details, blind index and password gone. Raises ``Transient``."""
        for one in held:
            if not one.stays(whom.exempt):
                await self.people.store.people.update(
                    one.id,
                    lambda known: deletions.erase(known, now=self.people.now()),
                    correlation=cause,
                )

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether the broker has all of it."""
        return await self.people.store.people.silent(ids)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Sign-ins and API keys of accounts: pseudonyms and hashes, by which somebody still gets in."""

    people: People
    name: str = "credentials"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find sign-ins that were not ended and keys that were not revoked."""
        states = await found(self.people.store.people, whom, person="_id")
        held: list[Held] = []
        for one in states:
            if of_account(whom, one.person, one.subjects):
                held += await self._living(one)
        return held

    async def _living(self, state: KeptPerson) -> list[Held]:
        person, store = state.person, self.people.store
        keys = [one for one in await store.keys.where(key_of=person) if not one.revoked]
        living = [_named(of_people(one.credential), person) for one in keys]
        key = of_people(access.credential_of(person))
        ended = await store.accesses.load(key)
        since = ended.tokens_since if ended else None
        if state.status != "closed" or since is None or since < closing.closed_at(state):
            living.append(_named(key, person))
        return living

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """End all sign-ins and revoke all keys of accounts that are closed by now."""
        people = {person for one in held if not one.stays(whom.exempt) for person in one.people}
        for state in (await self.people.store.people.load_many(sorted(people))).values():
            await closing.end_access(self.people, state, correlation=cause)

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether the broker has all of it."""
        return await self.people.store.keys.silent(ids)


@dataclass(frozen=True, slots=True)
class Addresses(Unpublished):
    """Claims on addresses: each is a blind index, so that it goes as a document."""

    people: People
    name: str = "addresses"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find claims on somebody's addresses, and those that name their account."""
        claims = self.people.store.claims
        kept = await claims.among(_id=whom.subjects, person=whom.pseudonyms)
        return [
            _named(one.index, one.person)
            for one in kept.values()
            if of_account(whom, one.person or "", (one.index,))
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Delete them: whoever reads the mail of such an address may have an account again."""
        ids = [one.id for one in held if not one.stays(whom.exempt)]
        with faults():
            await self.people.store.claims.collection.delete_many({"_id": {"$in": ids}})


def _named(name: str, person: str | None) -> Held:
    return Held(name, people=frozenset({person} if person else ()), classes=frozenset({CLS}))


def _of_person(state: KeptPerson) -> Held:
    sealed = state.details
    return Held(
        state.person,
        keys=(key_of(sealed),) if sealed else (),
        people=frozenset({state.person}),
        classes=frozenset({CLS}),
        records=(record_of(sealed),) if sealed else (),
    )
