"""The state in the end: waits until nothing is due any more, and writes down what there is.

Everything is read where it lies (store, topics, sites), nothing is judged here.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.events import OfferedWork, PrefixState, Received, WorkState, from_record
from shared.kafka import dead
from shared.mongo import Database, connect
from shared.mongo.docket import docket_of
from shared.mongo.shelves import EVERY_SHELF
from tests.fire.clients import Clients, shown
from tests.fire.observer import PRODUCTS, ends_of, partitions, version_of
from tests.fire.world import CALLERS, HUB
from tests.processes import Place

SETTLE_SECONDS: Final = 180.0
WORKS: Final = "deposits.works.v1"
PREFIXES: Final = "accounts.prefixes.v1"
GROUPS: Final = {
    "distribution.projector": (WORKS, "accounts.organisations.v1", PREFIXES),
    "distribution.products": (WORKS,),
}


@dataclass(slots=True)
class Finals:
    """Reads the end of a run; ``groups`` are the consumer groups that ran."""

    place: Place
    clients: Clients
    deposits: Database
    accounts: Database
    distribution: Database
    groups: tuple[str, ...] = ("distribution.projector",)

    def note(self, part: str, data: Any) -> None:
        """Write a part down."""
        self.clients.history.note("final", part=part, data=data)

    async def all(self, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        """Wait until it is quiet, then write everything down."""
        self.note("unsettled", await self._settle(settle_seconds))
        await self._aggregates()
        await self._models()
        await self._verdicts()
        await self._letters()
        for topic in (WORKS, PREFIXES):
            self.note(f"fold {topic}", await self._fold(topic))
        if "distribution.products" in self.groups:
            for topic in PRODUCTS:
                self.note(f"fold {topic}", await self._fold(topic))
        await self._views()

    # -- quiet ---------------------------------------------------------------------------------

    async def _settle(self, seconds: float) -> list[str]:
        """Wait until nothing is due; return what still is in the end."""
        until = time.monotonic() + seconds
        due: dict[str, Callable[[], Awaitable[int]]] = {
            "events in outboxes": self._dirty,
            "open submissions": self._open,
            "records behind the groups": self._behind,
            "works to be recounted": self._recounts,
            "works that lists do not show": self._unlisted,
        }
        left: list[str] = []
        for what, count in due.items():
            # In this order: what comes later follows from what comes earlier.
            while number := await _patient(count):
                if time.monotonic() > until:
                    left.append(f"{number} {what} after {seconds:.0f} s")
                    break
                await asyncio.sleep(0.2)
        return left

    async def _dirty(self) -> int:
        count = 0
        for database, names in (
            (self.deposits, ("works", "ownership", "submissions")),
            (self.accounts, ("prefixes", "organisations", "credentials")),
        ):
            for name in names:
                count += await database[name].count_documents({"dirty": True})
                count += await announced(database, name)
        return count

    async def _open(self) -> int:
        return await self.deposits["submissions"].count_documents({"open": True})

    async def _recounts(self) -> int:
        return await self.distribution["works"].count_documents(
            {"recount_shelf": {"$in": EVERY_SHELF}}
        )

    async def _behind(self) -> int:
        """Count what the groups have not committed; control records behind transactions count."""
        return sum([await behind(self.place, group, GROUPS[group]) for group in self.groups])

    async def _unlisted(self) -> int:
        """Count the works that some replica's lists show at another version than the store."""
        held = await self._stored()
        wrong = 0
        for replica in self.clients.fleet.serving("distribution", "api"):
            listed = await self._walk(replica, "anonymous")
            wrong += sum(listed.get(doi, [0])[0] != one[1] for doi, one in held.items())
        return wrong

    # -- what there is -------------------------------------------------------------------------

    async def _stored(self) -> dict[str, list[Any]]:
        documents = self.distribution["works"].find({}, {"v": 1, "work": 1})
        return {
            one["_id"]: [one["v"], version_of(one["work"]["title"][0]), digest(one["work"])]
            async for one in documents
            if "work" in one
        }

    async def _models(self) -> None:
        works = await self._stored()
        self.note("works", works)
        prefixes = self.distribution["prefixes"].find({}, {"v": 1, "owner": 1, "setting": 1})
        self.note(
            "prefixes",
            {one["_id"]: [one["v"], one["owner"], one["setting"]] async for one in prefixes},
        )
        cited: dict[str, int] = {}
        async for one in self.distribution["works"].find({}, {"work.reference": 1}):
            found = {ref.get("DOI") for ref in one.get("work", {}).get("reference", ())}
            cited[HUB] = cited.get(HUB, 0) + (HUB in found)
        self.note("cited", cited)

    async def _aggregates(self) -> None:
        """The versions that were decided; documents without a state hold no more than refusals."""
        for topic, database, name in (
            ("deposits.ownership.v1", self.deposits, "ownership"),
            (PREFIXES, self.accounts, "prefixes"),
        ):
            found = database[name].find({"state": {"$exists": True}}, {"version": 1})
            versions = {one["_id"]: one["version"] async for one in found}
            self.note(f"held {topic}", {key: one for key, one in versions.items() if one})

    async def _verdicts(self) -> None:
        records: dict[str, dict[int, list[str]]] = {}
        async for one in self.deposits["diagnostics"].find({}):
            submission, _, index = one["_id"].partition("#")
            verdict = [one.get("doi", ""), one.get("status", "Success"), one.get("rule", "")]
            records.setdefault(submission, {})[int(index)] = verdict
        self.note(
            "verdicts", {key: [held[n] for n in sorted(held)] for key, held in records.items()}
        )
        still = self.deposits["submissions"].find({"open": True}, {"_id": 1})
        self.note("open", [one["_id"] async for one in still])

    async def _letters(self) -> None:
        found = {}
        for group in self.groups:
            letters = await dead.open_letters(
                self.place.kafka_bootstrap, group, prefix=self.place.name
            )
            found[group] = [
                [one.about[f"dead_{name}"] for name in ("topic", "partition", "offset")]
                for one in letters
            ]
        self.note("letters", found)

    async def _fold(self, topic: str) -> dict[str, list[Any]]:
        """Return the newest readable record of each key, as the read model would have it."""
        fold: dict[str, list[Any]] = {}
        for record in await whole(self.place, topic):
            match from_record(record.key, record.value, record.headers):
                case Received(WorkState() as event):
                    said = [event.version, int(event.timestamp), digest(event.work)]
                case Received(PrefixState() as event):
                    said = [event.version, event.owner, event.setting]
                case Received(OfferedWork() as event):
                    # Of a product the last record counts, whatever its version.
                    fold[event.key] = [event.work_version, version_of(event.work["title"][0])]
                    continue
                case _:
                    continue
            if said[0] >= fold.get(event.key, [0])[0]:
                fold[event.key] = said
        return fold

    async def _views(self) -> None:
        """What each caller sees in the lists of one replica, and of the hot works one by one."""
        replica = self.clients.fleet.serving("distribution", "api")[-1]
        views = {caller: await self._walk(replica, caller) for caller in CALLERS}
        self.note("views", views)

    async def _walk(self, replica: str, caller: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        cursor, url = "*", self.clients.fleet.url(replica)
        headers = self.clients.world.headers(caller)
        while True:
            path = f"/works?rows=500&cursor={quote(cursor)}"
            async with self.clients.session.get(url + path, headers=headers) as answer:
                if answer.status != 200:
                    raise ConnectionError(f"{replica} answered {answer.status}")
                message = orjson.loads(await answer.read())["message"]
            if not message["items"]:
                return found
            for item in message["items"]:
                doi, *said = shown(item)
                found[doi] = said
            cursor = message["next-cursor"]


def digest(work: dict[str, Any]) -> str:
    """Return what two works share only where they are the same."""
    text = orjson.dumps(work, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


async def announced(database: Database, name: str) -> int:
    """Count the dockets that lead to something; what never came may stay on them for ever."""
    docket = docket_of(database[name]).collection
    count = await docket.count_documents({"due": True})
    async for one in docket.find({"due": False}):
        asked = {"$or": [{"_id": of["key"], "version": of["version"]} for of in one["documents"]]}
        count += await database[name].count_documents(asked, limit=1)
    return count


async def _patient(count: Callable[[], Awaitable[int]]) -> int:
    """Count, or say one where what is counted cannot be asked yet."""
    try:
        return await count()
    except (OSError, TimeoutError, aiohttp.ClientError):
        return 1


async def committed(place: Place, group: str) -> dict[tuple[str, int], int]:
    """Return the offsets that a group committed, by topic (without its prefix) and partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka_bootstrap)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(place.name + group)
    finally:
        await admin.close()
    return {
        (where.topic.removeprefix(place.name), where.partition): said.offset
        for where, said in found.items()
        if said.offset >= 0
    }


async def behind(place: Place, group: str, topics: tuple[str, ...]) -> int:
    """Return how far behind the end of its topics a group's commits are."""
    done = await committed(place, group)
    ends = await ends_of(place, topics)
    return sum(max(end - done.get(where, 0), 0) for where, end in ends.items())


async def whole(place: Place, topic: str) -> list[Any]:
    """Return every record of a topic that readers of committed records see."""
    client = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap,
        group_id=None,
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await client.start()
    found: list[Any] = []
    try:
        places = [TopicPartition(place.name + topic, n) for n in range(partitions(topic))]
        client.assign(places)
        await client.seek_to_beginning(*places)
        ends = await client.end_offsets(places)
        while any([await client.position(one) < ends[one] for one in places]):
            for records in (await client.getmany(timeout_ms=200)).values():
                found += records
    finally:
        await client.stop()
    return found


class Databases:
    """The databases of the three services, as an administrator sees them."""

    def __init__(self, place: Place) -> None:
        name = place.name.replace(".", "_")
        self._opened = [
            connect(place.mongodb_url, name + service)
            for service in ("deposits", "accounts", "distribution")
        ]

    async def __aenter__(self) -> tuple[Database, Database, Database]:
        first, second, third = [await one.__aenter__() for one in self._opened]
        return first, second, third

    async def __aexit__(self, *fault: object) -> None:
        for one in self._opened:
            await one.__aexit__(None, None, None)
