"""One run: a registry, its clients, what befalls it, and the file with its history."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from pymongo.errors import PyMongoError

from services.distribution.app import ROLES
from shared.runtime.crashpoints import NAMES
from tests.fire.checks import Run, judge
from tests.fire.clients import PATIENCE, Clients, session
from tests.fire.disks import Disks
from tests.fire.faults import Fault
from tests.fire.finals import Databases, Finals, committed
from tests.fire.fleet import Fleet, Slot, fleet
from tests.fire.history import OK, History, read
from tests.fire.inflicting import PROJECTOR, Inflicting
from tests.fire.load import Crowd, storm
from tests.fire.observer import Observer
from tests.fire.sabotage import JUMPING, MECHANISMS
from tests.fire.world import enter, known
from tests.platform import OwnPlatform
from tests.processes import Place, until

PRODUCTS: Final = "products" in ROLES
PROBE_SECONDS: Final = 4.0
PROGRESS: Final = {"deposit": 4, "flip": 1, "read": 8}  # after each step
STRICT: Final = {"BODY_STALL_SECONDS": "2"}
NARROW: Final = {"PENDING": "300", **STRICT}  # submissions, so that crowds meet the limit


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of: who runs, who comes in crowds at which second, and what befalls them.

    Faults come by the ``schedule``, or by ``steps``, one as soon as the registry has recovered from
    the one before. ``pace`` multiplies how long the other clients think; None: there are no others.
    """

    seed: int
    seconds: float
    slots: Sequence[Slot]
    schedule: Sequence[Fault] = ()
    steps: Sequence[Sequence[Fault]] = ()
    crowds: Sequence[tuple[float, Crowd]] = ()
    pace: float | None = 1.0
    patience: float = PATIENCE
    depositors: int = 5
    readers: int = 8
    probe_seconds: float = PROBE_SECONDS


@dataclass(slots=True)
class Fire:
    """A run under way."""

    plan: Plan
    place: Place
    history: History
    platform: OwnPlatform | None = None
    disks: Disks | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def burn(self) -> None:
        """Run it to its end, the final state included."""
        plan = self.plan
        self.history.note("run", seed=plan.seed, seconds=plan.seconds)
        async with (
            fleet(self.place, plan.slots, self.history) as running,
            session(plan.patience) as asking,
            Databases(self.place) as databases,
            self._observed() as observer,
        ):
            accounts = running.serving("accounts", "api")[0]
            world = await enter(asking, running.url(accounts))
            sites = ("deposits", "distribution")
            await known(
                asking,
                world,
                [running.url(one) for service in sites for one in running.serving(service, "api")],
            )
            clients = Clients(running, world, self.history, asking, plan.seed, plan.pace or 1.0)
            finals = Finals(self.place, clients, *databases, groups=groups(plan.slots))
            await self._rage(running, clients, finals)
            await running.ready()
            await finals.all()
            await observer.whole()

    async def _rage(self, running: Fleet, clients: Clients, finals: Finals) -> None:
        """Let clients work and faults befall the fleet for as long as planned."""
        plan = self.plan
        inflicting = Inflicting(running, self.history, plan.seed, self.platform, self.disks)
        async with asyncio.TaskGroup() as group:
            if plan.pace is not None:
                for client in clients.everybody(depositors=plan.depositors, readers=plan.readers):
                    group.create_task(client)
            group.create_task(self._probe(clients, finals))
            group.create_task(inflicting.run(plan.schedule, clients.done))
            group.create_task(self._end(clients, inflicting))

    async def _crowd(self, clients: Clients, at: float, crowd: Crowd) -> None:
        if await clients.think(at / clients.pace):
            await storm(clients, crowd, f"storm{at:.0f}")

    async def _end(self, clients: Clients, inflicting: Inflicting) -> None:
        """Say that it is over, when the time is and the last crowd has gone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(self.plan.seconds))
            for at, crowd in self.plan.crowds:
                group.create_task(self._crowd(clients, at, crowd))
            recovered = partial(self._recovered, clients)
            group.create_task(inflicting.in_turn(self.plan.steps, recovered))
        clients.done.set()

    async def _recovered(self, clients: Clients) -> None:
        """Wait until everybody can serve, and clients get done what they want."""
        if not self.plan.steps:
            return
        await clients.fleet.ready()
        before = self.history.counts.copy()

        async def going() -> bool:
            return all(
                self.history.counts[kind, OK] >= before[kind, OK] + count
                for kind, count in PROGRESS.items()
            )

        await until(going, within=150, what="clients served again")

    async def _probe(self, clients: Clients, finals: Finals) -> None:
        """Look now and then at what the projectors committed, and then at what they applied."""
        while await clients.think(self.plan.probe_seconds / clients.pace):
            begin = time.monotonic()
            with contextlib.suppress(OSError, TimeoutError, PyMongoError, RuntimeError):
                async with asyncio.timeout(20):
                    offsets = await committed(self.place, PROJECTOR)
                    found = finals.distribution["works"].find({}, {"v": 1})
                    versions = {one["_id"]: one["v"] async for one in found}
                works = {n: to for (topic, n), to in offsets.items() if topic.endswith("works.v1")}
                said: dict[str, Any] = {"committed": {str(n): to for n, to in works.items()}}
                self.history.note("probe", begin=begin, versions=versions, **said)

    @contextlib.asynccontextmanager
    async def _observed(self) -> AsyncIterator[Observer]:
        draining = asyncio.Event()
        observer = Observer(self.place, self.history, products=PRODUCTS)
        following = asyncio.get_running_loop().create_task(observer.run(draining))
        try:
            yield observer
            draining.set()
            await following
        finally:
            following.cancel()


def judged(history: History) -> Run:
    """Close a history and print the verdict on it; raises ``AssertionError`` where a law broke."""
    history.close()
    run = Run(read(history.path))
    verdict = judge(run)
    print(f"\n{verdict.text()}\nhistory: {history.path}")  # noqa: T201
    assert not verdict.violations, verdict.text()
    return run


def groups(slots: Sequence[Slot]) -> tuple[str, ...]:
    """Return the consumer groups of the read side that run."""
    products = any(
        one.service == "distribution" and (not one.roles or "products" in one.roles)
        for one in slots
    )
    return (PROJECTOR, "distribution.products") if products and PRODUCTS else (PROJECTOR,)


def small() -> list[Slot]:
    """Return the fleet of the short form: few processes, two projectors."""
    quick = {"DRAIN_SECONDS": "5", "SETTLE_SECONDS": "1"}
    return [
        Slot("accounts", "accounts", settings=quick, patches=(JUMPING,)),
        Slot("deposits", "deposits", settings=quick, patches=(JUMPING,)),
        Slot("reader", "distribution", ("api",), settings=quick, patches=(JUMPING,)),
        Slot("projector-a", "distribution", ("projector",), named=False, settings=quick),
        Slot("projector-b", "distribution", ("projector",), named=False, settings=quick),
        *([Slot("products-a", "distribution", ("products",), settings=quick)] if PRODUCTS else []),
    ]


def crowded() -> list[Slot]:
    """Return a fleet of one process a service that takes little at once."""
    quick = {"DRAIN_SECONDS": "5"}
    return [
        Slot("accounts", "accounts", settings=quick),
        Slot("deposits", "deposits", settings={**quick, "PENDING": "100", **STRICT}),
        Slot("distribution", "distribution", settings=quick),
    ]


def large() -> list[Slot]:
    """Return the fleet of the long form: every role in processes of its own, and twice."""
    jumping = (JUMPING,)
    writers = [
        Slot("accounts", "accounts", patches=jumping),
        Slot("accounts-relay", "accounts", ("relay",), patches=jumping),
        Slot("deposits-api", "deposits", ("api", "worker"), settings=NARROW, patches=jumping),
        Slot("deposits-worker", "deposits", ("worker",), patches=jumping),
        Slot("deposits-relay-a", "deposits", ("relay",), patches=jumping),
        Slot("deposits-relay-b", "deposits", ("relay",), patches=jumping),
    ]
    readers = [
        Slot("reader-a", "distribution", ("api",), patches=jumping),
        Slot("reader-b", "distribution", ("api",), patches=jumping),
        Slot("projector-a", "distribution", ("projector",), patches=jumping),
        Slot("projector-b", "distribution", ("projector",), patches=jumping),
        Slot("projector-c", "distribution", ("projector",), named=False),
    ]
    if PRODUCTS:
        readers += [
            Slot("products-a", "distribution", ("products",), patches=jumping),
            Slot("products-b", "distribution", ("products",), patches=jumping),
        ]
    return [*writers, *readers]


def sabotaged(slots: Sequence[Slot], mechanism: str) -> list[Slot]:
    """Return a fleet with a mechanism switched off, as it is where none is named."""
    if not mechanism:
        return list(slots)
    patch, services = MECHANISMS[mechanism]
    return [
        replace(one, patches=(*one.patches, patch)) if one.service in services else one
        for one in slots
    ]


# Named places that a process passes, by the role it has.
PASSED: Final = {
    "relay": ("relay.sent", "relay.before-commit"),
    "projector": ("consume.applied", "consume.committed"),
    "products": ("consume.applied", "consume.committed", "products.sent"),
    "worker": ("deposits.title-reserved", "deposits.work-written", "deposits.diagnostics-written"),
}
PASSED_BY_API: Final = {
    "accounts": ("accounts.preference-written",),
    "deposits": ("deposits.chunks-written", "deposits.submission-inserted"),
    "distribution": ("search.before-commit", "search.committed"),
}


def points_of(slots: Sequence[Slot]) -> dict[str, list[str]]:
    """Return the named places that each slot's process passes."""
    return {
        one.name: [
            point
            for role in one.roles or ("api", "relay")
            for point in (PASSED_BY_API[one.service] if role == "api" else PASSED.get(role, ()))
            if point in NAMES
        ]
        for one in slots
    }
