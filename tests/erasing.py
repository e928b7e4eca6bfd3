"""Services as they answer retention's orders, for tests of erasures: they hold what a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import aiohttp

from services.retention.commands import Keys
from services.retention.store import open_keys
from shared.events import Event, Received
from shared.events.orders import (
    AccountsEvidenceGiven,
    Blocker,
    ConsentEvidenceGiven,
    DepositsEvidenceGiven,
    KeptUnits,
    LookedAt,
    OrderState,
    Tombstoned,
)
from shared.events.personal import Sealed
from shared.kafka.knowledge import Knowledge
from shared.mongo import Database, connect
from shared.policy.personal import load_personal
from shared.privacy import vault
from shared.privacy.envelope import ExpiredError
from shared.privacy.keyring import KeyRing
from shared.privacy.personal import KINDS, PersonalData
from shared.privacy.rings import key_ring
from shared.privacy.telling import Rows, Told
from shared.runtime.clock import SYSTEM
from shared.runtime.settings import ServiceSettings
from tests.events import Voice, speaking
from tests.processes import OPERATOR, ROOT, Place, Running, until

ASKED: Final = ("accounts", "consent", "deposits")
EVIDENCE: Final[dict[str, Any]] = {
    "accounts": AccountsEvidenceGiven,
    "consent": ConsentEvidenceGiven,
    "deposits": DepositsEvidenceGiven,
}
TOPIC: Final = "accounts.personal.v1"
POLICIES: Final = ROOT / "deploy" / "policies"


def hasty(
    folder: Path,
    *,
    cooling_off: str = "PT0S",
    asked: Sequence[str] = ASKED,
    usable: str = "PT1S",
    skew: str = "PT0.1S",
    asks: int = 30,
) -> Path:
    """Copy the policies, with keys that are out of hand in a second and nobody else asked."""
    copytree(POLICIES, folder, dirs_exist_ok=True)
    keys = folder / "personal.toml"
    text = keys.read_text().replace('usable = "PT30S"', f'usable = "{usable}"')
    keys.write_text(text.replace('skew = "PT1S"', f'skew = "{skew}"'))
    signing = folder / "signing-in.toml"
    signing.write_text(signing.read_text().replace("most = 30", f"most = {asks}"))
    file = folder / "erasure.toml"
    head, *rows = file.read_text().split("[[service]]\n")
    head = head.replace('"P3D"', f'"{cooling_off}"').replace('"PT1H"', '"PT2S"')
    kept = [row for row in rows if row.split('"')[1] in asked]
    file.write_text("[[service]]\n".join([head, *kept]))
    return folder


@dataclass(slots=True)
class Holder:
    """One service: what it holds, by key document and unit, and how it is disposed."""

    holds: dict[str, list[str]] = field(default_factory=dict)
    silent: bool = False
    blind: bool = False  # could not look
    blockers: int = 0
    processors: tuple[str, ...] = ()
    turns_up: dict[str, list[str]] = field(default_factory=dict)  # between look and order
    keeps: tuple[str, ...] = ()  # classes, exempt or not
    tells: dict[str, Rows] = field(default_factory=dict)  # for a package

    def answer(self, order: OrderState) -> dict[str, Any]:
        """Look, and erase where that is the order; "found" is what was there before."""
        if self.blind:
            return {"outcome": "could-not-look", "reason": "store-away"}
        if order.kind == "erase":
            self.holds |= self.turns_up
            self.turns_up = {}
        meant = {name: units for name, units in self.holds.items() if _meant(order, name)}
        kept = {name for name in meant if name.partition(".")[2] in self.keeps}
        found = tuple(KeptUnits(keys_id=name, units=tuple(meant[name])) for name in sorted(meant))
        said: dict[str, Any] = {
            "keys_found": found,
            "blockers": (Blocker(what="journals", count=self.blockers),) if self.blockers else (),
            "processors": self.processors if meant else (),
        }
        if order.kind == "look":
            looked = LookedAt(collection="people", matched=len(meant))
            return {**said, "outcome": "found" if meant else "nothing-found", "looked": (looked,)}
        gone = [name for name in meant if name not in kept]
        self.holds = {name: units for name, units in self.holds.items() if name not in gone}
        looked = LookedAt(collection="people", matched=len(meant), erased=len(gone), kept=len(kept))
        outcome = "erased" if gone else "exempt" if kept else "nothing-found"
        tombstones = [Tombstoned(topic=TOPIC, partition=0, count=len(gone))] if gone else []
        return {
            **said,
            "outcome": outcome,
            "looked": (looked,),
            "exempted": tuple(sorted({name.partition(".")[2] for name in kept})),
            "tombstones": tuple(tombstones),
        }


def _meant(order: OrderState, name: str) -> bool:
    """A holder knows by the test that everything whole is the person's; units are as ordered."""
    if order.subjects is not None:
        return True
    return any(one.keys_id == name for one in order.records)


@dataclass(slots=True)
class Answering:
    """All services together: they hear orders and give evidence, as soon as they are disposed."""

    voices: dict[str, Voice]
    holders: dict[str, dict[str, Holder]] = field(default_factory=dict)  # by erasure
    fresh: dict[str, Holder] = field(default_factory=dict)  # of the next erasure
    orders: dict[str, OrderState] = field(default_factory=dict)
    answered: dict[tuple[str, str], int] = field(default_factory=dict)
    ring: KeyRing | None = None  # of what is told

    def hear(self, received: Received) -> None:
        """Take an order in."""
        if isinstance(received.event, OrderState):
            order = OrderState.model_validate(
                {name: getattr(received.event, name) for name in OrderState.model_fields}
            )
            self.orders[order.order] = order

    def of(self, erasure: str) -> dict[str, Holder]:
        """Return what services hold of whom an erasure is about."""
        if erasure not in self.holders:
            self.holders[erasure] = {name: Holder() for name in self.voices} | self.fresh
            self.fresh = {}
        return self.holders[erasure]

    async def run(self, done: asyncio.Event) -> None:
        """Answer until done."""
        while not done.is_set():
            for order in list(self.orders.values()):
                await self._answer(order)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.02)

    async def again(self, erasure: str) -> None:
        """Answer all orders of an erasure anew."""
        for order in self.orders.values():
            if order.erasure == erasure:
                for name in order.services:
                    await self._say(order, name)

    async def _answer(self, order: OrderState) -> None:
        if order.ended_at is not None:
            return
        for name in order.services:
            if name not in self.voices or (order.order, name) in self.answered:
                continue
            if not self.of(order.erasure)[name].silent:
                await self._say(order, name)

    async def _say(self, order: OrderState, name: str) -> None:
        version = self.answered.get((order.order, name), 0) + 1
        self.answered[order.order, name] = version
        holder = self.of(order.erasure)[name]
        said = {"looked": (), **holder.answer(order), "told": await self._told(order, name)}
        event: Event = EVIDENCE[name](
            order=order.order,
            erasure=order.erasure,
            kind=order.kind,
            service=name,
            manifest="a" * 64,
            looked_at=SYSTEM.now(),
            version=version,
            **said,
        )
        await self.voices[name].say(event)

    async def _told(self, order: OrderState, name: str) -> Sealed | None:
        tells = self.of(order.erasure)[name].tells
        if not tells or not order.tells or self.ring is None or order.subjects is None:
            return None
        ring, of, data = self.ring, order.subjects, Told.of(tells)
        record = f"{order.order}-{name}"
        return await in_time(
            lambda: vault.seal(ring, data, person=of.person, unit=of.unit, record=record)
        )


@dataclass(slots=True)
class World:
    """Retention and whoever it orders about, with a hand on the keys."""

    place: Place
    retention: Running | None
    session: aiohttp.ClientSession
    answering: Answering
    ring: KeyRing
    keys: Keys
    database: Database

    async def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        assert self.retention is not None
        async with self.session.request(
            method, self.retention.url + path, json=body, headers=OPERATOR | headers
        ) as answer:
            json = "json" in answer.content_type
            return answer.status, await answer.json(content_type=None) if json else (
                await answer.text()
            )

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, said = await self(method, path, body, **headers)
        assert status < 300, said
        return said

    async def at(self, erasure: str, *steps: str, within: float = 20.0) -> Any:
        """Wait until an erasure is at one of these steps, and return it."""

        seen: dict[str, Any] = {}

        async def there() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                seen.update(await self.ok("GET", f"/erasures/{erasure}"))
            return seen.get("state") in steps

        try:
            await until(there, within=within, pause=0.05, what=f"an erasure at {steps}")
        except AssertionError as fault:
            raise AssertionError(f"{fault}: {seen.get('state')}, {seen.get('waits')}") from None
        return seen

    async def waits(self, erasure: str, what: str, within: float = 20.0) -> Any:
        """Wait until an erasure waits for something, and return it."""

        async def there() -> Any:
            said = await self.ok("GET", f"/erasures/{erasure}")
            return said if [one for one in said["waits"] if one["what"] == what] else None

        return await until(there, within=within, pause=0.05, what=f"{erasure} to wait for {what}")

    async def planned(self, *, until_planned: bool = True, **body: Any) -> str:
        """Plan an erasure of the address that the body names; return its id."""
        said = await self.ok("POST", "/erasures", {"requester": "officer", **body})
        if until_planned:
            await self.at(said["erasure"], "planned")
        return str(said["erasure"])

    async def approve(self, erasure: str) -> Any:
        return await self.ok("POST", f"/erasures/{erasure}/approve", {"approver": "officer"})

    async def kept(self, data: PersonalData, person: str, unit: str = "u") -> Any:
        """Seal something of a person, as a service would."""
        return await in_time(
            lambda: vault.seal(self.ring, data, person=person, unit=unit, record="r")
        )

    async def reads(self, sealed: Any) -> bool:
        """Whether a sealed record can be read."""
        kind = KINDS[sealed.schema_id]
        opened = await in_time(lambda: vault.reveal(self.ring, kind, [sealed]))
        return opened[0].data is not None


async def in_time(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do what uses a key, again where its time was up before it was used."""
    while True:
        with contextlib.suppress(ExpiredError):
            return await work()


@contextlib.asynccontextmanager
async def world(place: Place, retention: Running | None = None) -> AsyncIterator[World]:
    """Speak for all services at a place, and hold a key ring as they do."""
    environment = place.environment("test")
    settings = ServiceSettings(
        **{name.lower(): text for name, text in environment.items() if name.isupper()}
    )
    done, draining = asyncio.Event(), asyncio.Event()
    async with (
        speaking(place, *ASKED) as voices,
        connect(place.mongodb_url, settings.database_prefix + "keys") as database,
        connect(place.mongodb_url, settings.database_prefix + "retention") as own,
        aiohttp.ClientSession() as session,
        asyncio.TaskGroup() as group,
    ):
        answering = Answering({voice.service: voice for voice in voices})
        heard = Knowledge(
            ["retention.orders.v1"],
            place.kafka_bootstrap,
            timedelta(seconds=5),
            place.name,
            listeners=[answering.hear],
        )
        personal = load_personal(place.folder / "policies" / "personal.toml")
        ring, fences = key_ring(settings, database, personal)
        roles = [group.create_task(one(draining)) for one in (heard.run, fences.run)]
        talk = group.create_task(answering.run(done))
        keys = Keys(open_keys(database), timedelta())
        answering.ring = ring
        try:
            yield World(place, retention, session, answering, ring, keys, own)
        finally:
            done.set()
            draining.set()
            await asyncio.gather(talk, *roles)
