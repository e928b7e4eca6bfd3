"""Registers in the store: written beside what is live, made live by one document, read by key."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from services.distribution.registers.records import KINDS, Record
from shared.mongo import Database, faults
from shared.runtime.clock import Clock, rfc3339

COLLECTION: Final = "registers"
A_DOCUMENT: Final = 500  # records, each of some hundred bytes


@dataclass(frozen=True, slots=True)
class Live:
    """What is live of a register: which revision, how much, since when."""

    register: str
    revision: str
    documents: int
    records: int
    imported: str


async def live(database: Database, register: str) -> Live | None:
    """Return what is live of a register, None where nothing was imported. Raises ``Transient``."""
    with faults():
        found = await database[COLLECTION].find_one({"_id": register})
    if found is None:
        return None
    return Live(
        register,
        found["revision"],
        found["documents"],
        found["records"],
        found["imported"],
    )


async def load(database: Database, at: Live) -> list[Record] | None:
    """Return the records of a revision, None where it went meanwhile. Raises ``Transient``."""
    kind, found = KINDS[at.register], []
    for number in range(at.documents):
        with faults():
            one = await database[COLLECTION].find_one(
                {"_id": _id(at.register, at.revision, number)}
            )
        if one is None:
            return None
        found += [kind.model_validate(said) for said in orjson.loads(one["records"])]
    return found


async def replace(
    database: Database,
    register: str,
    records: Sequence[Record],
    *,
    clock: Clock,
    wrote: Callable[[int], None] = lambda _: None,
) -> Live:
    """Make records all that is live of a register; readers see the old ones or the new ones.

    What was begun and not ended is written again: a revision is named by what it says. ``wrote``
    hears how many records are written. Raises ``Transient``.
    """
    pages = [
        _page(records[start : start + A_DOCUMENT]) for start in range(0, len(records), A_DOCUMENT)
    ]
    revision = _revision(pages)
    collection = database[COLLECTION]
    for number, page in enumerate(pages):
        with faults():
            await collection.replace_one(
                {"_id": _id(register, revision, number)}, {"records": page}, upsert=True
            )
        wrote(min((number + 1) * A_DOCUMENT, len(records)))
    said = {
        "revision": revision,
        "documents": len(pages),
        "records": len(records),
        "imported": rfc3339(clock.now()),
    }
    with faults():
        before = await collection.find_one_and_replace({"_id": register}, said, upsert=True)
    if before and before["revision"] != revision:
        gone = [_id(register, before["revision"], n) for n in range(before["documents"])]
        with faults():
            await collection.delete_many({"_id": {"$in": gone}})
    return Live(register, revision, len(pages), len(records), str(said["imported"]))


def _page(records: Iterable[Record]) -> bytes:
    said = [one.model_dump(by_alias=True, exclude_defaults=True) for one in records]
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _revision(pages: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for page in pages:
        digest.update(page)
    return digest.hexdigest()


def _id(register: str, revision: str, number: int) -> str:
    return f"{register}/{revision}/{number}"
