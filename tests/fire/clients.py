"""Clients of the registry: each waits for its answer, writes it down and thinks a while."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import orjson

from tests.fire.fleet import Fleet
from tests.fire.history import OK, History
from tests.fire.observer import version_of
from tests.fire.world import (
    BETWEEN,
    CALLERS,
    HUB,
    MEMBERS,
    MOVING,
    POISONED,
    PREFIXES,
    SECRET,
    SETTLED,
    TRAVELS,
    World,
    basic,
    deposit_file,
    title_of,
)
from tests.processes import OPERATOR

HOT: Final = 6  # works a prefix that are deposited again and again
SETTINGS: Final = ("open", "limited", "closed", None)
XML: Final = {"Content-Type": "application/vnd.crossref.deposit+xml"}
PATIENCE: Final = 20.0  # seconds until a client gives up


def hot() -> list[str]:
    """Return the DOIs that are deposited again and again: those that stay, those that move."""
    stay = [f"{prefix}/h{n}" for prefix in PREFIXES for n in range(HOT)]
    travel = [f"{TRAVELS}/t{n}" for n in range(HOT)]
    return [*stay, *travel, *(f"10.5003/w{n}" for n in range(HOT)), HUB]


def session(patience: float = PATIENCE) -> aiohttp.ClientSession:
    """Open what any number of clients share."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=patience), connector=aiohttp.TCPConnector(limit=0)
    )


@dataclass(slots=True)
class Clients:
    """What all clients share. ``done`` ends them; ``pace`` multiplies how long they think."""

    fleet: Fleet
    world: World
    history: History
    session: aiohttp.ClientSession
    seed: int
    pace: float = 1.0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    turned_away: int = 0  # deposits for which there was no room
    _batch: int = 0

    def chance(self, name: str) -> random.Random:
        """Return the randomness of one client."""
        return random.Random(f"{self.seed} {name}")

    async def think(self, seconds: float) -> bool:
        """Wait; False when it is over."""
        try:
            async with asyncio.timeout(seconds * self.pace):
                await self.done.wait()
        except TimeoutError:
            pass
        return not self.done.is_set()

    # -- depositing ----------------------------------------------------------------------------

    async def depositor(self, name: str, *, cold: float) -> None:
        """Deposit works again, and now and then new ones (``cold``: how often)."""
        chance, works, new = self.chance(name), hot(), 0
        while await self.think(chance.uniform(0.2, 1.2)):
            first = chance.choice(works)
            if chance.random() < cold:
                new += 1
                first = f"{chance.choice(SETTLED)}/c-{name}-{new}"
            same = [one for one in works if title_of(one) == title_of(first) and one != first]
            also = chance.sample(same, min(len(same), chance.choice((0, 0, 1, 2))))
            login = PREFIXES[first.partition("/")[0]]
            if chance.random() < 0.05:
                login = chance.choice(list(MEMBERS))
            await self.deposit([first, *also], login=login)

    async def deposit(self, dois: list[str], *, login: int, client: str = "") -> str | None:
        """Deposit the next version of each; return the submission's number."""
        records = [(doi, self.world.next(doi)) for doi in dois]
        self._batch += 1
        body = deposit_file(f"b{self._batch}", records)
        url = self.fleet.url(self.fleet.serving("deposits", "api")[0])
        submission: str | None = None
        with self.history.call("deposit", records=records, login=login, client=client) as call:
            async with self.session.post(
                f"{url}/submissions",
                data=body,
                headers={**basic(f"owner{login}"), **XML},
            ) as answer:
                said = _json(await answer.read())
                call.answered(answer.status, slug=_slug(said), retry=_retry(answer))
                self.turned_away += call.came["slug"] == "queue-full"
                if answer.status < 300:
                    submission = call.came["submission"] = said["id"]
        return submission

    # -- changing minds ------------------------------------------------------------------------

    async def flipper(self, prefix: str, *, every: float) -> None:
        """Change one prefix's preference again and again, as whoever owns it then."""
        chance = self.chance(f"flip {prefix}")
        owner = PREFIXES[prefix]
        while await self.think(chance.uniform(0.3, 1.7) * every):
            if prefix == MOVING:
                owner = chance.choice(list(MEMBERS))
            await self.prefer(owner, prefix, chance.choice(SETTINGS))

    async def prefer(self, owner: int, prefix: str, setting: str | None) -> None:
        """Set a prefix's preference."""
        path = f"/organisations/{owner}/preferences/{prefix}"
        await self._change("flip", path, {"reference-visibility": setting}, prefix=prefix)

    async def defaulter(self, *, every: float) -> None:
        """Change one account's default again and again."""
        chance = self.chance("default")
        while await self.think(chance.uniform(0.3, 1.7) * every):
            owner, setting = chance.choice(list(MEMBERS)), chance.choice(SETTINGS)
            path = f"/organisations/{owner}/preferences"
            await self._change("default", path, {"reference-visibility": setting})

    async def giver(self, *, every: float) -> None:
        """Give a prefix from one member to the other, again and again."""
        chance, number = self.chance("give"), 0
        while await self.think(chance.uniform(0.3, 1.7) * every):
            number += 1
            to = list(MEMBERS)[number % 2]
            body = {"organisation": to}
            await self._change("move-prefix", f"/prefixes/{MOVING}/owner", body, prefix=MOVING)

    async def _change(self, kind: str, path: str, body: Any, **about: Any) -> None:
        url = self.fleet.url(self.fleet.serving("accounts", "api")[0]) + path
        with self.history.call(kind, body=body, **about) as call:
            async with self.session.put(url, json=body, headers=OPERATOR) as answer:
                said = _json(await answer.read())
                call.answered(answer.status, slug=_slug(said), retry=_retry(answer))
                if answer.status < 300:
                    changed = said.get("prefixes", [said])
                    call.came["versions"] = [[one["prefix"], one["version"]] for one in changed]

    async def mover(self, *, every: float) -> None:
        """Give a title, or single works, to the owner of another prefix, again and again."""
        chance, number = self.chance("move"), 0
        works = [f"10.5003/w{n}" for n in range(HOT)]
        while await self.think(chance.uniform(0.3, 1.7) * every):
            number += 1
            to = BETWEEN[number // 2 % 2]
            body: dict[str, Any] = {"to": to, "titles": [title_of(f"{TRAVELS}/t0")]}
            if number % 2:
                body = {"to": to, "works": chance.sample(works, 2)}
            url = self.fleet.url(self.fleet.serving("deposits", "api")[0])
            with self.history.call("move", **body) as call:
                async with self.session.post(
                    f"{url}/transfers", json=body, headers=OPERATOR
                ) as answer:
                    said = _json(await answer.read())
                    call.answered(answer.status, slug=_slug(said), retry=_retry(answer))
                    if answer.status == 200:
                        call.came["versions"] = [
                            [one["subject"], one["version"]] for one in said["transferred"]
                        ]

    # -- reading -------------------------------------------------------------------------------

    async def reader(self, name: str) -> None:
        """Read single works and lists, each time as somebody and from some replica."""
        chance, works = self.chance(name), hot()
        while await self.think(chance.uniform(0.05, 0.35)):
            caller = chance.choice(CALLERS)
            replica = chance.choice(self.fleet.serving("distribution", "api"))
            if chance.random() < 0.7:
                await self.read(name, caller, replica, f"/works/{chance.choice(works)}")
            else:
                await self._walk(name, caller, replica, chance)

    async def _walk(self, name: str, caller: str, replica: str, chance: random.Random) -> None:
        prefix = chance.choice(list(PREFIXES))
        path = chance.choice(
            (
                f"/works?filter=prefix:{prefix}&rows=20&cursor=",
                f"/prefixes/{prefix}/works?rows=20&sort=created&order=asc&cursor=",
                f"/members/{chance.choice(list(MEMBERS))}/works?rows=20&cursor=",
                f"/works?filter=prefix:{prefix}&select=DOI,title,references-count&rows=20&cursor=",
            )
        )
        cursor: str | None = "*"
        for _ in range(3):
            if cursor is None:
                return
            cursor = await self.read(name, caller, replica, path + quote(cursor))

    async def read(self, name: str, caller: str, replica: str, path: str) -> str | None:
        """Read one page or one work and write down what it showed; return the next cursor."""
        begin = time.monotonic()
        try:
            async with self.session.get(
                self.fleet.url(replica) + path,
                headers=self.world.headers(caller),
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None  # nobody answered: nothing was shown
        said: dict[str, Any] = {"status": answer.status}
        cursor = None
        if answer.status == 200:
            message = _json(body)["message"]
            items = message.get("items", [message])
            said["items"] = [shown(one) for one in items]
            said["leaked"] = body.count(SECRET.encode()) - sum(
                len(one.get("reference", ())) for one in items
            )
            cursor = message.get("next-cursor") if items else None
        elif answer.status >= 500:
            said["retry"] = _retry(answer)
        self.history.note(
            "read",
            begin=begin,
            outcome=OK if answer.status == 200 else "refused",
            reader=name,
            caller=caller,
            replica=replica,
            path=path.partition("&cursor=")[0],
            **said,
        )
        return cursor

    def everybody(self, *, depositors: int, readers: int) -> list[Any]:
        """Return all clients of a run, to be started."""
        return [
            *(self.depositor(f"d{n}", cold=0.3 if n < 2 else 0.02) for n in range(depositors)),
            *(self.flipper(one, every=4.0) for one in PREFIXES if one != POISONED),
            self.flipper(POISONED, every=8.0),
            self.defaulter(every=9.0),
            self.giver(every=7.0),
            self.mover(every=3.0),
            *(self.reader(f"r{n}") for n in range(readers)),
        ]


def shown(item: dict[str, Any]) -> list[Any]:
    """Return of an item: DOI, version, references shown (null: no list), their count, the reason.

    And how often it is said to be cited.
    """
    return [
        item["DOI"],
        version_of(item["title"][0]),
        len(item["reference"]) if "reference" in item else None,
        item["references-count"],
        (item.get("references-withheld") or {}).get("reason", ""),
        item.get("is-referenced-by-count"),
    ]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}


def _slug(said: Any) -> str:
    return str(said.get("type", "")).rpartition(":")[2] if isinstance(said, dict) else ""


def _retry(answer: aiohttp.ClientResponse) -> str | None:
    return answer.headers.get("Retry-After")
