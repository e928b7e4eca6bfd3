"""What retention itself holds of people: what they asked for, codes that wait, mails to them.

Whom an erasure or a package is about stands sealed under keys that go with it, and is no holding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from services.retention.commands.requests.context import Requests
from services.retention.model.requests.forgetting import forget
from services.retention.model.requests.state import CLS, Decided, KeptRequest
from services.retention.store.requests import RequestStore
from shared.events.personal import RetentionRecordGone, Sealed, record_key
from shared.mail.erasing import Mailed, Recorded
from shared.mongo import faults
from shared.privacy.erasing import Held, Holding, Key, Record, Unpublished, Whom


def holdings(requests: Requests) -> tuple[Holding, ...]:
    """Return all that is looked through, in the order in which it is erased."""
    return (
        Mailed(requests.posting.mails.queue, CLS),
        Recorded(requests.posting.gate.decisions, CLS, partial(subjects_of, requests.store)),
        Challenges(requests.store),
        RequestsOfPeople(requests.store),
    )


async def subjects_of(store: RequestStore, whom: Whom) -> frozenset[str]:
    """Return the blind indexes of who is meant, those of their requests too.

    Where requests stay that were found by the same address, it is still held. Raises ``Transient``.
    """
    known = await store.requests.among(people=whom.pseudonyms)
    theirs = {
        key: one
        for key, one in known.items()
        if one.person in whom.pseudonyms and _held(one, whom).every_class
    }
    indexes = {subject for one in theirs.values() for subject in one.subjects}
    sharing = await store.requests.among(subjects=indexes)
    others = (one.subjects for key, one in sharing.items() if key not in theirs)
    return whom.subjects | indexes.difference(*others)


@dataclass(frozen=True, slots=True)
class RequestsOfPeople:
    """Requests: who asked, in which words, and what staff wrote. Dates and kinds stay."""

    store: RequestStore
    name: str = "requests"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find requests, by index and by pseudonym. Raises ``Transient``."""
        found = await self.store.requests.among(subjects=whom.subjects, people=whom.pseudonyms)
        held = [_held(one, whom) for one in found.values()]
        return [one for one in held if one.every_class]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Take out what is theirs. Raises ``Transient``."""
        for one in held:
            await self.store.requests.update(one.id, partial(_forgotten, whom=whom))

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether all is told. Raises ``Transient``."""
        with faults():
            waits = await self.store.requests.collection.find_one(
                {"_id": {"$in": list(ids)}, "dirty": True}, {"_id": 1}
            )
        return waits is None


@dataclass(frozen=True, slots=True)
class Challenges(Unpublished):
    """Codes that were mailed and not used: they go with whoever they were mailed to."""

    store: RequestStore
    name: str = "challenges"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find codes by the index of their address. Raises ``Transient``."""
        if not whom.subjects or not whom.asks(CLS):
            return ()
        found = await self.store.challenges.among(subjects=whom.subjects)
        return [Held(one, classes=frozenset({CLS})) for one in found]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Delete them. Raises ``Transient``."""
        with faults():
            await self.store.challenges.collection.delete_many(
                {"_id": {"$in": [one.id for one in held]}}
            )


def _held(known: KeptRequest, whom: Whom) -> Held:
    theirs = [one for one in known.records.values() if _looks(one, known, whom)]
    return Held(
        known.request,
        keys=tuple(dict.fromkeys(Key(one.person, one.cls, one.unit) for one in theirs)),
        people=frozenset(one.person for one in theirs),
        records=tuple(Record(RetentionRecordGone.topic, record_key(one)) for one in theirs),
    )


def _looks(one: Sealed, known: KeptRequest, whom: Whom) -> bool:
    """Say whether a record is asked about; the indexes of a request are of who it is about."""
    subjects = known.subjects if one.person == known.person else ()
    return whom.looks(one.person, one.cls, one.unit, subjects)


def _forgotten(known: KeptRequest | None, *, whom: Whom) -> Decided:
    def goes(one: Sealed) -> bool:
        return known is not None and whom.wants(one.cls) and _looks(one, known, whom)

    return forget(known, goes)
