"""The driver's only file: PyMongo's asyncio API, or Motor where a setting asks for it.

Motor is deprecated (its last critical fixes end in May 2027) and kept selectable behind the same
contract tests; the two differ only in calls this project does not make (ADR 17).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pymongo import AsyncMongoClient, IndexModel, InsertOne, UpdateMany, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    WTimeoutError,
)

from shared.runtime.faults import Transient

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
Driver = Literal["pymongo", "motor"]

DUPLICATE_KEY: Final = 11000
TRANSIENT: Final = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    WTimeoutError,
)
# Not about what was asked, but about the store: something in it broke, or its disk is full.
UNWELL: Final = frozenset({1, 14031})  # InternalError, OutOfDiskSpace

__all__ = [
    "DUPLICATE_KEY",
    "BulkWriteError",
    "Collection",
    "Database",
    "Document",
    "DuplicateKeyError",
    "IndexModel",
    "InsertOne",
    "UpdateMany",
    "UpdateOne",
    "collided",
    "connect",
    "faults",
    "store_time",
]


@asynccontextmanager
async def connect(url: str, database: str, driver: Driver = "pymongo") -> AsyncIterator[Database]:
    """Open a client on one database, closed at the end; writes are journalled on a majority.

    Nothing is sent before the first call. Operations time out after 30 s, so that a loop notices a
    store that is away and can say so.
    """
    options: dict[str, Any] = {
        "tz_aware": True,
        "serverSelectionTimeoutMS": 5_000,
        "connectTimeoutMS": 5_000,
        "socketTimeoutMS": 30_000,
        "maxPoolSize": 32,
        "retryWrites": False,  # our writes are conditional: the loops retry them by deciding again
    }
    client: Any
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415  (an optional extra)

        client = AsyncIOMotorClient(url, **options)
    else:
        client = AsyncMongoClient(url, **options)
    chosen: Database = client.get_database(
        database, write_concern=WriteConcern(w="majority", j=True)
    )
    try:
        yield chosen
    finally:
        closing = client.close()
        if closing is not None:  # Motor's is no coroutine
            await closing


async def store_time(database: Database) -> datetime:
    """Return what time it is by the store's own clock. Raises ``Transient``."""
    with faults():
        said: datetime = (await database.command("hello"))["localTime"]
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)


def collided(fault: BulkWriteError) -> list[int]:
    """Return which operations of a bulk write met a key that was there.

    Raises ``fault`` itself where it is about anything else, unconfirmed durability included: what
    collided is then not all that is uncertain.
    """
    errors = fault.details["writeErrors"]
    if fault.details.get("writeConcernErrors") or any(
        error["code"] != DUPLICATE_KEY for error in errors
    ):
        raise fault
    return [error["index"] for error in errors]


@contextmanager
def faults() -> Iterator[None]:
    """Turn the driver's passing faults into ``Transient``; what is wrong for good stays itself."""
    try:
        yield
    except TRANSIENT as fault:
        raise Transient(f"the store did not answer: {type(fault).__name__}") from fault
    except BulkWriteError as fault:
        if fault.details.get("writeConcernErrors"):
            raise Transient("the store did not confirm durability") from fault
        if any(error["code"] in UNWELL for error in fault.details.get("writeErrors", ())):
            raise Transient("the store is not well") from fault
        raise
    except OperationFailure as fault:
        if fault.code in UNWELL:
            raise Transient(f"the store is not well: error {fault.code}") from fault
        raise
