"""Deposit files at rest: sealed chunks of at most 1 MB, written before their submission.

A file holds names and e-mail addresses of depositors, so no byte of it is ever stored in clear.
Chunks whose submission never came to be (the process died in between, the client went away) are
swept after an hour; the first chunk of each file carries the hour, to be found by.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.deposits.store.together import Together, insert
from shared.mongo import Collection, Database
from shared.mongo.client import Document, IndexModel, faults
from shared.privacy.envelope import OpenKey, SealedChunk, open_chunk

INDEX: Final = IndexModel([("hour", 1)], name="hour", partialFilterExpression={"first": True})
SWEEP_HOURS: Final = 48  # how far back a sweep looks; it runs every hour
AT_ONCE: Final = 16  # chunks in one command; 16 MB at most, a third of what the wire takes
SMALL: Final = 65_536  # bytes of a chunk that is kept in memory until it is read
MOST_RECENT: Final = 128  # of these
_PAGE: Final = 500


class Taken(Exception):
    """Another upload, of another process, has the same number: neither may touch the other."""


@dataclass(slots=True)
class RawFiles:
    """Sealed files by submission and chunk number; small reads and writes go together."""

    database: Database
    _adding: Together[Document, bool] = field(init=False)
    _reading: Together[str, Document | None] = field(init=False)
    _recent: OrderedDict[str, Document] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        """Make ready what gathers reads and writes."""
        self._adding = Together(self._add, AT_ONCE)
        self._reading = Together(self._find, AT_ONCE)

    @property
    def _chunks(self) -> Collection:
        return self.database["raw"]

    async def add(self, submission: str, chunk: SealedChunk, *, now: datetime) -> None:
        """Write one chunk; returns when it is durable. Raises ``Taken`` for another's number."""
        document = {
            "_id": _key(submission, chunk.number),
            "last": chunk.last,
            "data": chunk.data,
        }
        if chunk.number == 0:
            document |= {"first": True, "hour": _hour(now), "submission": submission}
        if not await self._adding.do(document):
            raise Taken(f"submission {submission} has a chunk {chunk.number} already")
        self._remember(document)

    async def read(
        self, submission: str, key: Callable[[], Awaitable[OpenKey]]
    ) -> AsyncIterator[bytes]:
        """Return the file, chunk by chunk, in clear; ``key`` is asked before each chunk.

        Raises ``UnsealError`` where its key is gone or it was changed, ``LookupError`` where a
        chunk is missing.
        """
        number, last = 0, False
        while not last:
            name = _key(submission, number)
            found = self._recent.pop(name, None) or await self._reading.do(name)
            if found is None:
                raise LookupError(f"chunk {number} of submission {submission} is missing")
            last = found["last"]
            yield open_chunk(
                await key(), found["data"], record=submission, number=number, last=last
            )
            number += 1

    async def there(self, submissions: Sequence[str]) -> set[str]:
        """Return those of these of whose files something is left: the first chunk goes last."""
        with faults():
            found = await self._chunks.find(
                {"_id": {"$in": [_key(one, 0) for one in submissions]}}, {"submission": 1}
            ).to_list(None)
        return {document["submission"] for document in found}

    async def discard(self, submission: str) -> None:
        """Delete all chunks of a file: of one that is no submission, or that was erased."""
        await self._delete(submission, first=1)
        self._recent.pop(_key(submission, 0), None)
        with faults():
            await self._chunks.delete_one({"_id": _key(submission, 0)})

    async def _delete(self, submission: str, first: int) -> None:
        number = first
        while True:
            keys = [_key(submission, one) for one in range(number, number + 100)]
            for key in keys:
                self._recent.pop(key, None)
            with faults():
                done = await self._chunks.delete_many({"_id": {"$in": keys}})
            if done.deleted_count == 0:
                return
            number += 100

    async def sweep(self, submissions: Collection, *, now: datetime) -> int:
        """Discard files older than an hour that no submission names; return how many."""
        swept = 0
        for back in range(2, SWEEP_HOURS):
            hour = _hour(now - timedelta(hours=back))
            with faults():
                found = await self._chunks.find(
                    {"hour": hour, "first": True}, {"submission": 1}
                ).to_list(None)
            uploads = [document["submission"] for document in found]
            for start in range(0, len(uploads), _PAGE):
                swept += await self._sweep(submissions, uploads[start : start + _PAGE])
        return swept

    def _remember(self, document: Document) -> None:
        """Keep a small chunk, sealed as it is, for a worker of this process to read."""
        if len(document["data"]) <= SMALL:
            self._recent[document["_id"]] = document
            while len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)

    async def _add(self, documents: Sequence[Document]) -> Sequence[bool]:
        return await insert(self._chunks, documents)

    async def _find(self, keys: Sequence[str]) -> list[Document | None]:
        with faults():
            found = await self._chunks.find({"_id": {"$in": list(keys)}}).to_list(None)
        by_key = {document["_id"]: document for document in found}
        return [by_key.get(key) for key in keys]

    async def _sweep(self, submissions: Collection, uploads: Sequence[str]) -> int:
        with faults():
            known = await submissions.find({"_id": {"$in": list(uploads)}}, {"_id": 1}).to_list(
                None
            )
        orphans = set(uploads) - {document["_id"] for document in known}
        for orphan in orphans:
            await self.discard(orphan)
        return len(orphans)


def _key(submission: str, number: int) -> str:
    return f"{submission}#{number}"


def _hour(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H")
