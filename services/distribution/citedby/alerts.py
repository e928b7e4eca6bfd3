"""Who wants to be told of new citations: kept, looked up by what is cited, told by deliveries.

An address lies sealed under a key that follows from the key of the hosts; the secret that calls are
signed with follows from it and the alert's id, so that none is kept.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.mongo import Database
from shared.mongo.client import Collection, Document, IndexModel, faults
from shared.mongo.deliveries import Deliveries, New
from shared.privacy.envelope import OpenKey, open_text, seal_text
from shared.privacy.signatures import WEBHOOK_SECRET_PREFIX
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.ids import new_id

ALERTS: Final = "cited_by_alerts"
DELIVERIES: Final = "deliveries"
KIND: Final = "citation"
SCHEMA: Final = "distribution.alerts.v1"
KEY_NAME: Final = "distribution.alerts"
MOST: Final = 200  # alerts of one organisation
KEYS: Final = 100
_SEALING: Final = b"colophon cited-by alert address 1\0"
_SIGNING: Final = b"colophon cited-by alert secret 1\0"

INDEXES: Final = (
    IndexModel([("of", 1)], name="of"),
    IndexModel([("organisation", 1)], name="organisation"),
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One subscription: whose it is, of which DOI or prefix, and its address, sealed."""

    id: str
    organisation: int
    of: str
    sealed: str = field(repr=False)
    made_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """A citation that became known."""

    cited: str
    citing: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alerts:
    """The subscriptions of all, and the queue of what they are told."""

    database: Database
    key: bytes = field(repr=False)
    kept: timedelta
    clock: Clock = SYSTEM

    @property
    def collection(self) -> Collection:
        """Where they are kept."""
        return self.database[ALERTS]

    @property
    def queue(self) -> Deliveries:
        """What is to be delivered."""
        return Deliveries(self.database[DELIVERIES], self.kept)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        with faults():
            await self.collection.create_indexes(list(INDEXES))
        await self.queue.prepare()

    async def add(self, organisation: int, of: str, url: str) -> Alert | None:
        """Keep a new subscription; None where an organisation has as many as it may."""
        name = new_id()
        sealed = seal_text(self._sealing(), url, schema=SCHEMA, field="/url", record=name)
        alert = Alert(name, organisation, of, sealed, self.clock.now())
        with faults():
            if await self.collection.count_documents({"organisation": organisation}) >= MOST:
                return None
            await self.collection.insert_one(
                {
                    "_id": alert.id,
                    "organisation": organisation,
                    "of": of,
                    "sealed": sealed,
                    "made_at": alert.made_at,
                }
            )
        return alert

    async def of_organisation(self, organisation: int) -> list[Alert]:
        """Return an organisation's subscriptions, the oldest first."""
        found = await self._find({"organisation": organisation})
        return sorted(found, key=lambda one: (one.made_at, one.id))

    async def remove(self, name: str, organisation: int) -> bool:
        """End a subscription; False where this organisation has none of this id."""
        with faults():
            done = await self.collection.delete_one({"_id": name, "organisation": organisation})
        return bool(done.deleted_count)

    async def one(self, name: str) -> Alert | None:
        """Return a subscription."""
        return next(iter(await self._find({"_id": name})), None)

    async def wanted(self, dois: Sequence[str]) -> frozenset[str]:
        """Return those of cited works that somebody wants to hear of."""
        watched = {alert.of for alert in await self._watching(dois)}
        return frozenset(doi for doi in dois if watched & _names(doi))

    async def tell(self, news: Iterable[News]) -> int:
        """Enqueue what is to be told, each once; return how much of it was new."""
        said = list(news)
        by_name: dict[str, list[Alert]] = {}
        for alert in await self._watching([one.cited for one in said]):
            by_name.setdefault(alert.of, []).append(alert)
        new = [
            New(
                _message(alert, one),
                KIND,
                {"alert": alert.id, "cited": one.cited, "citing": one.citing, "at": one.at},
                f"organisation:{alert.organisation}",
            )
            for one in said
            for name in _names(one.cited)
            for alert in by_name.get(name, ())
        ]
        return await self.queue.enqueue(new)

    def url(self, alert: Alert) -> str:
        """Return where to call; raises ``UnsealError`` under another key."""
        return open_text(
            self._sealing(), alert.sealed, schema=SCHEMA, field="/url", record=alert.id
        )

    def secret(self, alert: Alert) -> str:
        """Return the secret that calls of a subscription are signed with."""
        made = hmac.digest(self.key, _SIGNING + alert.id.encode(), "sha256")
        return WEBHOOK_SECRET_PREFIX + base64.b64encode(made).decode()

    def _sealing(self) -> OpenKey:
        return OpenKey(KEY_NAME, hmac.digest(self.key, _SEALING, "sha256"))

    async def _watching(self, dois: Sequence[str]) -> list[Alert]:
        names = sorted({name for doi in dois for name in _names(doi)})
        found: list[Alert] = []
        for start in range(0, len(names), KEYS):
            found += await self._find({"of": {"$in": names[start : start + KEYS]}})
        return found

    async def _find(self, asked: Document) -> list[Alert]:
        with faults():
            found = await self.collection.find(asked).to_list(None)
        return [_alert(one) for one in found]


def _names(doi: str) -> set[str]:
    """Return under what a cited work may be watched: itself and its prefix."""
    return {doi, doi.partition("/")[0]}


def _message(alert: Alert, news: News) -> str:
    said = f"{alert.id} {news.cited} {news.citing}".encode()
    return f"citation_{hashlib.blake2b(said, digest_size=16).hexdigest()}"


def _alert(document: Mapping[str, object]) -> Alert:
    known: Document = dict(document)
    return Alert(
        known["_id"], known["organisation"], known["of"], known["sealed"], known["made_at"]
    )
