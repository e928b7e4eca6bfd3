"""Secrets that sign callbacks: a few for each login, the newest first, sealed at rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.mongo import Collection, Database
from shared.mongo.client import Document, DuplicateKeyError, faults
from shared.privacy.envelope import SealedKey

MOST: Final = 3  # in force at the same time


@dataclass(frozen=True, slots=True)
class Secret:
    """A sealed secret; ``until`` is None for the newest, which has no end."""

    sealed: str
    key: SealedKey
    made_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """The secrets of one login, at a version."""

    version: int
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of all logins."""

    database: Database

    @property
    def _collection(self) -> Collection:
        return self.database["callback_secrets"]

    async def of(self, credential: str) -> Kept:
        """Return a login's secrets, as they were written; none at version 0."""
        with faults():
            found = await self._collection.find_one({"_id": credential})
        if found is None:
            return Kept(0, ())
        return Kept(found["version"], tuple(_secret(one) for one in found["secrets"]))

    async def put(self, credential: str, secrets: Sequence[Secret], *, over: int) -> bool:
        """Write a login's secrets over version ``over``; False where that moved on."""
        said = {"version": over + 1, "secrets": [_written(one) for one in secrets]}
        with faults():
            if over == 0:
                try:
                    await self._collection.insert_one({"_id": credential, **said})
                except DuplicateKeyError:
                    return False
                return True
            done = await self._collection.update_one(
                {"_id": credential, "version": over}, {"$set": said}
            )
        return done.matched_count == 1


def _secret(document: Document) -> Secret:
    return Secret(
        document["sealed"],
        SealedKey(document["kid"], document["epoch"], bytes(document["wrapped"])),
        document["made_at"],
        document["until"],
    )


def _written(secret: Secret) -> Document:
    return {
        "sealed": secret.sealed,
        "kid": secret.key.kid,
        "epoch": secret.key.epoch,
        "wrapped": secret.key.wrapped,
        "made_at": secret.made_at,
        "until": secret.until,
    }
