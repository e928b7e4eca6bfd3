"""What deposits holds of people, and how it is erased on an order.

People are depositors: a file holds name and address of whoever sent it, sealed with what the
depositor named (file name, batch id, callback) under the one key of its submission. It is found by
the blind index of that address. With the file go those names; the submission, its log and the works
that came of it stay, for they name no depositor, and works are the public scholarly record.
Submissions from before the index was kept are found by their keys alone.

A submission whose file is still to be read stays until it was: an acknowledged deposit is not lost.

Logins are credentials of organisations. There is no personal topic here, so nothing to tombstone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.deposits.model import owners
from services.deposits.parts import SOURCE, Parts
from services.deposits.store import RawFiles, Submission, Submissions
from services.deposits.store.keys import CLASS, RawKeys, opened
from services.deposits.store.owners import Owners
from shared.events.orders import Blocker, DepositsEvidenceGiven
from shared.mongo import Database, faults
from shared.privacy.envelope import OpenKey
from shared.privacy.erasing import Held, Holding, Key, Looking, Unpublished, Whom
from shared.privacy.ledger import APPLIED, LedgerGate
from shared.privacy.obeying import EVIDENCE, INDEXES, Obeying, open_orders
from shared.privacy.telling import MOST, Row, Rows
from shared.runtime.clock import rfc3339

SERVICE: Final = "deposits"
ACCOUNT: Final = "account"
OPEN: Final = "open-submissions"
PAGE: Final = 200


def holdings(
    submissions: Submissions, files: RawFiles, keys: RawKeys, owners_store: Owners
) -> tuple[Holding, ...]:
    """Return all that is looked through, in the order in which it is erased."""
    found = Depositors(submissions, keys)
    return (Files(found, files), Named(found), Hanging(owners_store))


@dataclass(frozen=True, slots=True)
class Depositors:
    """Finds submissions by who is meant."""

    submissions: Submissions
    keys: RawKeys

    async def of(self, whom: Whom) -> list[Submission]:
        """Return the submissions that are meant. Raises ``Transient``."""
        if not whom.asks(CLASS):
            return []
        units = {
            unit: one.keys_id
            for one in whom.records
            if one.keys_id.endswith(f".{CLASS}")
            for unit in one.units
        }
        names = sorted({*whom.subjects, *whom.wholes(CLASS)})
        found = await self.submissions.of_people(names, sorted(units))
        return [
            one
            for one in found
            if one.id not in units or one.kid == f"{units[one.id]}.{one.id}" or _by(one, names)
        ]

    async def done(self, ids: Sequence[str]) -> list[str]:
        """Return those of these whose file is needed no more: it was read, or cannot be."""
        found = await self.submissions.of_people((), ids)
        waiting = [one for one in found if one.state.status == "queued"]
        readable = await self.keys.many(waiting) if waiting else {}
        return [one.id for one in found if one.id not in readable]


def _by(one: Submission, names: Sequence[str]) -> bool:
    return not set(names).isdisjoint(one.lookup)


def _held(one: Submission) -> Held:
    person, cls, unit = one.kid.split(".", 2)
    return Held(one.id, keys=(Key(person, cls, unit),), people=frozenset({person}))


@dataclass(frozen=True, slots=True)
class Files(Unpublished):
    """Sealed files."""

    depositors: Depositors
    files: RawFiles
    name: str = "raw"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find the files of which something is left. Raises ``Transient``."""
        found = await self.depositors.of(whom)
        there = await self.files.there([one.id for one in found])
        return [_held(one) for one in found if one.id in there]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Delete all chunks of those that were read. Raises ``Transient``."""
        for submission in await self.depositors.done([one.id for one in held]):
            await self.files.discard(submission)


@dataclass(frozen=True, slots=True)
class Named(Unpublished):
    """What depositors named: a file, a batch, where to call back; and what it is found by."""

    depositors: Depositors
    name: str = "submissions"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find submissions that name something yet. Raises ``Transient``."""
        return [_held(one) for one in await self.depositors.of(whom) if _names(one)]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Forget it. Raises ``Transient``."""
        done = await self.depositors.done([one.id for one in held])
        for start in range(0, len(done), PAGE):
            await self.depositors.submissions.forget(done[start : start + PAGE])


def _names(one: Submission) -> bool:
    found_by = set(one.lookup) - {one.credential}
    return bool(found_by or one.file_name or one.batch_id or one.callback)


@dataclass(frozen=True, slots=True)
class Hanging:
    """Which journals hang on whose account, and who is to take them over.

    Journals change hands before the account goes, which accounts sees to. What is left then is a
    pseudonym of accounts and the version that was heard, so that no old word is news.
    """

    store: Owners
    name: str = "owners"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find those on whom something hangs, or who named an heir. Raises ``Transient``."""
        people = sorted(whom.wholes(ACCOUNT))
        if not people or not whom.asks(ACCOUNT):
            return ()
        found = await self.store.people.load_many(people)
        return [
            Held(one.person, classes=frozenset({ACCOUNT}))
            for one in found.values()
            if one.journals or one.heir is not None
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Forget the heirs. Raises ``Transient``."""
        for one in held:
            await self.store.people.update(one.id, owners.forget)

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether accounts was told."""
        return await self.store.people.silent(ids)


@dataclass(frozen=True, slots=True)
class Unread:
    """Submissions that are to be read first; nothing of anybody was given to a processor."""

    submissions: Submissions

    async def blockers(self, people: frozenset[str]) -> tuple[Blocker, ...]:
        """Count those whose files are still to be read. Raises ``Transient``."""
        found = await self.submissions.of_people(sorted(people), ())
        waiting = sum(one.state.status == "queued" for one in found)
        return (Blocker(what=OPEN, count=waiting),) if waiting else ()

    async def processors(self, _subjects: frozenset[str]) -> tuple[str, ...]:
        """Nobody."""
        return ()


@dataclass(frozen=True, slots=True)
class Deposited:
    """Tells which files name somebody as their depositor; the files stay where they are."""

    submissions: Submissions
    keys: RawKeys

    async def told(self, looking: Looking) -> Mapping[str, Rows]:
        """Return submissions, the newest first. Raises ``Transient``."""
        there = {one.id for one in looking.found.get("raw", ())}
        ids = sorted({one.id for held in looking.found.values() for one in held if one.keys})
        found: list[Submission] = []
        for start in range(0, len(ids), PAGE):
            found += await self.submissions.of_people((), ids[start : start + PAGE])
        found.sort(key=lambda one: one.id, reverse=True)
        shown = found[:MOST]
        keys = await self.keys.many(shown, for_access=True)
        rows = [_told(one, keys.get(one.id), there=one.id in there) for one in shown]
        return {"files": Rows(rows, len(found) - len(rows))}


def _told(one: Submission, key: OpenKey | None, *, there: bool) -> Row:
    state = one.state
    return {
        "submission": one.id,
        "received": rfc3339(state.received_at),
        "completed": rfc3339(state.completed_at) if state.completed_at else "",
        "member": state.organisation,
        "file-name": opened(key, one, one.file_name, "/file_name") or "",
        "batch": opened(key, one, one.batch_id, "/batch_id") or "",
        "callback": opened(key, one, one.callback, "/callback") or "",
        "octets": one.size,
        "sha256": one.sha256,
        "file": "held, sealed" if there else "not held any more",
    }


async def prepare(database: Database) -> None:
    """Create the indexes of orders; safe to repeat."""
    with faults():
        await database[EVIDENCE].create_indexes(list(INDEXES))


def obedience(parts: Parts) -> tuple[Obeying, LedgerGate]:
    """Compose what obeys retention's orders, and the gate of a store that was put back."""
    settings, database = parts.settings, parts.database
    obeying = Obeying(
        SERVICE,
        DepositsEvidenceGiven,
        holdings(parts.submissions, parts.files, parts.keys, parts.owning.store),
        parts.keys.ring,
        open_orders(database, SOURCE, wake=parts.bell.ring),
        Unread(parts.submissions),
        Deposited(parts.submissions, parts.keys),
    )
    gate = LedgerGate(
        obeying,
        database[APPLIED],
        settings.kafka_bootstrap,
        settings.topic_prefix,
        parts.health,
    )
    return obeying, gate
