"""What consent holds of people, collection by collection, and how it is erased on an order.

Everything is found by blind index. Where an order names pseudonyms alone, as the ledger does once a
store was put back, the person's document says under which index the rest stands, so it goes last.

What stays on purpose: suppressions, which are keyed hashes that lead to nobody and keep an address
from being written to again; of a consent its version, which denies, and a proof that leads to
nobody (model/erasures.py, model/proofs.py); numbers of rows that a processor must still delete.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.consent.commands.context import Consenting
from services.consent.model import erasures, exports, holders, issues, people, proofs
from services.consent.model.consents import KeptConsent
from services.consent.model.issues import KeptIssue
from services.consent.model.people import KeptPerson
from services.consent.store import Store
from shared.events.orders import Blocker
from shared.events.personal import ConsentRecordGone, Sealed, record_key
from shared.mail.erasing import Mailed, Recorded
from shared.mongo import faults
from shared.privacy.erasing import Held, Holding, Key, Record, Unpublished, Whom
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id

ACCOUNT: Final = "account"
EVIDENCE: Final = "consent-evidence"
SUBSCRIBER: Final = "subscriber"
RECORDS: Final = "records"  # in the place of a unit: what somebody said, which is under no key


def holdings(consenting: Consenting) -> tuple[Holding, ...]:
    """Return all that is looked through, in the order in which it is erased."""
    store = consenting.store
    found_by = partial(subjects_of, store)
    return (
        Mailed(consenting.mails.queue, SUBSCRIBER),
        Holders(store),
        Exports(store),
        Issues(store),
        Consents(store),
        Recorded(store.decisions, SUBSCRIBER, found_by),
        People(store),
    )


async def subjects_of(store: Store, whom: Whom) -> frozenset[str]:
    """Return the blind indexes of who is meant, of all that is held of them by their address."""
    known = await store.people.among(person=whom.wholes(SUBSCRIBER))
    return whom.subjects | {one.subject for one in known.values()}


@dataclass(frozen=True, slots=True)
class People:
    """Addresses and how somebody consented, under keys; and the index that they are found by."""

    store: Store
    name: str = "people"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find people. Raises ``Transient``."""
        found = await self.store.people.among(subjects=whom.subjects, person=whom.pseudonyms)
        held = [_held(one, whom) for one in found.values()]
        return [one for one in held if one.every_class]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Erase records, and people of whom nothing is left. Raises ``Transient``."""
        for one in held:
            await self.store.people.update(one.id, partial(_without, whom=whom))

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether all is told; whoever was erased goes then, index and all."""
        waits = {"_id": {"$in": list(ids)}, "dirty": True}
        with faults():
            if await self.store.people.collection.find_one(waits, {"_id": 1}):
                return False
        await self.store.forget_nobody()
        return True


def _entire(known: KeptPerson, whom: Whom, cls: str) -> bool:
    return known.subject in whom.subjects or known.person in whom.wholes(cls)


def _held(known: KeptPerson, whom: Whom) -> Held:
    """Return what is there of a person, of what is asked about."""
    records = [one for one in (known.sealed, *known.evidence) if one is not None]
    theirs = [one for one in records if _is_asked(one, known, whom)]
    # While a record stays, so does the index that it is found by.
    alone = all(one in theirs and whom.wants(one.cls) for one in records)
    index = alone and whom.asks(SUBSCRIBER) and _entire(known, whom, SUBSCRIBER)
    return Held(
        known.subject,
        keys=tuple(Key(one.person, one.cls, one.unit) for one in theirs),
        people=frozenset({known.person}),
        classes=frozenset({SUBSCRIBER}) if index else frozenset(),
        records=tuple(Record(ConsentRecordGone.topic, record_key(one)) for one in theirs),
    )


def _is_asked(one: Sealed, known: KeptPerson, whom: Whom) -> bool:
    subjects = (known.subject,)
    return whom.looks(one.person, one.cls, one.unit, subjects)


def _without(known: KeptPerson | None, *, whom: Whom) -> people.Entered:
    whole_of_it = known is not None and whom.wants(SUBSCRIBER) and _entire(known, whom, SUBSCRIBER)

    def meant(one: Sealed) -> bool:
        return known is not None and whom.wants(one.cls) and _is_asked(one, known, whom)

    return people.erase(known, meant, whole=whole_of_it)


@dataclass(frozen=True, slots=True)
class Consents:
    """What people said yes or no to. Services are told that it is no yes any more."""

    store: Store
    name: str = "consents"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find consents, by index and by pseudonym. Raises ``Transient``."""
        if not whom.asks(EVIDENCE):
            return ()
        names = whom.wholes(EVIDENCE)
        found = await self.store.consents.among(subjects=whom.subjects, person=names)
        return [_of_consent(one) for one in found.values()]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Leave a version that denies, and a proof elsewhere. Raises ``Transient``."""
        for one in held:
            await self._move(await self._load(one.id))
            now = self.store.clock.now()
            await self.store.consents.update(
                one.id, partial(erasures.erase, number=new_id(), now=now, on=now.date())
            )
            crashpoint("consent.consent-erased")
            await self._move(await self._load(one.id))

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether services are told."""
        waits = {"_id": {"$in": list(ids)}, "dirty": True}
        with faults():
            return await self.store.consents.collection.find_one(waits, {"_id": 1}) is None

    async def _load(self, key: str) -> KeptConsent | None:
        return await self.store.consents.load(key)

    async def _move(self, known: KeptConsent | None) -> None:
        """Put a proof under its own number, then take it away where it was."""
        if known is None or known.proof is None:
            return
        proof = known.proof
        await self.store.proofs.update(proof.proof, partial(proofs.keep, new=proof))
        await self.store.consents.update(known.consent, partial(erasures.moved, number=proof.proof))


def _of_consent(known: KeptConsent) -> Held:
    """Return a consent; of one that was erased, whose proof is on its way, nobody is named.

    Nothing in it is under a key. Its class is named as one all the same: so the person's keys of it
    are fenced, and the ledger names them, by which consents are found in a store that was put back.
    """
    if known.erased:
        return Held(known.consent, classes=frozenset({EVIDENCE}))
    key = Key(known.person, EVIDENCE, RECORDS)
    return Held(known.consent, keys=(key,), people=frozenset({known.person}))


@dataclass(frozen=True, slots=True)
class Holders(Unpublished):
    """What accounts told of who has an account, and what they said on its way to a new address."""

    store: Store
    name: str = "holders"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find holders by index, and by the pseudonym that accounts gave. Raises ``Transient``."""
        if not whom.asks(ACCOUNT):
            return ()
        names = whom.wholes(ACCOUNT)
        found = await self.store.holders.among(subjects=whom.subjects, _id=names)
        known = [key for key, one in found.items() if not one.forgotten]
        return [Held(key, classes=frozenset({ACCOUNT})) for key in known]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Leave the version that was heard, so that no old word is news. Raises ``Transient``."""
        for one in held:
            await self.store.holders.update(one.id, holders.forget)


@dataclass(frozen=True, slots=True)
class Exports(Unpublished):
    """Whose rows there are in exports; that a row must be deleted is told to the processor."""

    store: Store
    name: str = "exports"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find exports with a row of somebody. Raises ``Transient``."""
        if not whom.asks(SUBSCRIBER):
            return ()
        subjects = await subjects_of(self.store, whom)
        found = await self.store.exports.among(subjects=subjects)
        return [Held(one, classes=frozenset({SUBSCRIBER})) for one in found]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Take them out, and forget whose rows they were. Raises ``Transient``."""
        subjects = await subjects_of(self.store, whom)
        forget = partial(exports.forget, subjects=subjects, now=self.store.clock.now())
        for one in held:
            await self.store.exports.update(one.id, forget)


@dataclass(frozen=True, slots=True)
class Issues(Unpublished):
    """At whom an issue of a list stands."""

    store: Store
    name: str = "issues"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find issues that stand at somebody. Raises ``Transient``."""
        if not whom.asks(SUBSCRIBER):
            return ()
        subjects = await subjects_of(self.store, whom)
        stand = await self.store.issues.among(at=subjects)
        # Those from before an issue showed where it stands; there are no new ones.
        former: list[KeptIssue] = await self.store.issues.where(at=None) if subjects else []
        found = [*stand.values(), *(one for one in former if one.at in subjects)]
        key = issues.issue_key
        return [Held(key(one.listed, one.issue), classes=frozenset({SUBSCRIBER})) for one in found]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Let them stand at nobody. Raises ``Transient``."""
        forget = partial(issues.forget, subjects=await subjects_of(self.store, whom))
        for one in held:
            await self.store.issues.update(one.id, forget)


@dataclass(frozen=True, slots=True)
class Given:
    """Which processors were given the address of somebody, and did not say that it is deleted."""

    store: Store

    async def blockers(self, _people: frozenset[str]) -> tuple[Blocker, ...]:
        """Nothing has to be done first."""
        return ()

    async def processors(self, subjects: frozenset[str]) -> tuple[str, ...]:
        """Name them. Raises ``Transient``."""
        found = await self.store.exports.among(subjects=subjects)
        given = {
            one.processor
            for one in found.values()
            for row in one.rows
            if row.subject in subjects and row.given_in is not None and row.deleted_at is None
        }
        return tuple(sorted(given))
