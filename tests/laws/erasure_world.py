"""Erasures over a store in memory: services, holds, late records, deaths; what the laws watch.

Retention's own code runs: commands, loop, steps, key documents. The services are a few lines each.
A death may come at any access to the store, and whoever goes on begins with nothing in hand.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final

from services.retention.commands.erasures import Erasures
from services.retention.commands.keys import Keys
from services.retention.erasure.running import Running
from services.retention.erasure.saga import Saga
from services.retention.erasure.scanning import Residue
from services.retention.model import erasures
from services.retention.model.erasure_states import KeptErasure
from services.retention.store.erasures import ANSWERS, open_erasures
from services.retention.store.keys import open_keys
from services.retention.wiring import Rooms
from shared.events.decisions import Refused
from shared.events.orders import AccountsEvidenceGiven, KeptUnits, LookedAt, OrderState, Tombstoned
from shared.events.personal import Sealed
from shared.policy.erasure import load_erasure
from shared.policy.personal import load_personal
from shared.policy.retention import load_retention
from shared.privacy.certificates import Certificate, InTree
from shared.privacy.certificates.statement import Compaction, Scan
from shared.privacy.checkpoints import Checkpoint, KnownKey, NoteSigner, signed
from shared.privacy.lifecycle import KeptKeys, Wrapped, provision
from shared.privacy.receipts import Signer
from shared.privacy.transparency import Frontier, Node, inclusion, leaf_hash
from shared.runtime.clock import ManualClock
from tests.laws.memory_store import Database

POLICIES: Final = Path(__file__).resolve().parents[2] / "deploy" / "policies"
PERSONAL: Final = load_personal(POLICIES / "personal.toml")
SCHEDULE: Final = load_retention(POLICIES / "retention.toml")
ASKED: Final = load_erasure(POLICIES / "erasure.toml")
SERVICES: Final = ("accounts", "consent", "deposits", "retention")
AFTER: Final = timedelta(seconds=31)
ORIGIN: Final = "colophon.example/tree"
PEOPLE: Final = tuple(f"p{number:032x}" for number in range(3))
TOPIC: Final = "accounts.personal.v1"


class Killed(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class MemoryTree:
    """A log in memory that signs each checkpoint."""

    folder: Path
    clock: ManualClock
    records: list[bytes] = field(default_factory=list)
    log: NoteSigner = field(init=False)
    signer: Signer = field(init=False)

    def __post_init__(self) -> None:
        self.log = NoteSigner(self.folder / "log.key", ORIGIN)
        self.signer = Signer(self.folder / "log.key")

    async def keys(self) -> Sequence[KnownKey]:
        return [KnownKey(self.log.verifier)]

    async def append(self, record: bytes) -> int:
        if record not in self.records:
            self.records.append(record)
        return self.records.index(record)

    async def found(self, words: str) -> bytes | None:
        return next((one for one in self.records if words in one.decode()), None)

    async def proven(self, index: int) -> InTree:
        frontier, kept = Frontier(), dict[Node, bytes]()
        for one in self.records:
            frontier, new = frontier.appended(leaf_hash(one))
            kept.update(new)
        note = signed(Checkpoint(ORIGIN, len(self.records), frontier.root()), [self.log])
        proof = [one.hex() for one in inclusion(index, len(self.records)).proof(kept)]
        return InTree(index=index, proof=tuple(proof), checkpoint=str(note))


@dataclass(slots=True)
class MemoryDisks:
    """Disks that are cleaned and epochs that end some time after they should be."""

    clock: ManualClock
    late: dict[str, str] = field(default_factory=dict)  # keys of what came late -> who has it

    async def ends(self, _topic: str, _partition: int) -> int:
        return 10

    async def cleaned(self, topic: str, partition: int, before: int) -> Sequence[Compaction]:
        found = Compaction(
            topic=topic,
            partition=partition,
            broker=1,
            tombstone=before - 1,
            cleaned=before,
            how="full-read",
            at=self.clock.now(),
            replicas=3,
        )
        return [found]

    async def epochs_gone(self, since: datetime) -> datetime | None:
        return self.clock.now() if self.clock.now() > since + timedelta(days=1) else None

    async def scanned(self, records: Sequence[KeptUnits]) -> Scan:
        if self.late.keys() & {one.keys_id for one in records}:
            raise Residue("left in the log")
        return Scan(
            report="0" * 64,
            records=1,
            octets=1,
            residual=0,
            planted=1,
            found=1,
            at=self.clock.now(),
        )


@dataclass(slots=True)
class World:
    """Retention over a memory store, and the services it asks; ``dice`` decides what happens."""

    folder: Path
    dice: Random
    clock: ManualClock = field(default_factory=ManualClock)
    deadly: float = 0.0  # how likely a death is at an access to the store
    turn: int = 1  # grows with each process that begins
    asked: tuple[str, ...] = SERVICES  # by the policy
    processors: tuple[str, ...] = ()  # that consent gave something to
    held: dict[str, dict[str, str]] = field(default_factory=dict)  # service: keys -> person
    unknown: dict[str, dict[str, str]] = field(default_factory=dict)  # held, and not looked through
    builds: dict[str, int] = field(default_factory=dict)  # by service
    holds: dict[str, set[str]] = field(default_factory=dict)
    kept_at: dict[str, datetime] = field(default_factory=dict)  # by keys
    erased_at: dict[tuple[str, str], datetime] = field(default_factory=dict)  # erasure, service
    late_until: dict[str, datetime] = field(default_factory=dict)  # erasure: its last went
    must_go: dict[str, str] = field(default_factory=dict)  # keys that were found -> erasure
    broken: list[str] = field(default_factory=list)  # laws, whatever became of who broke them
    at_access: dict[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    accesses: int = 0
    running: Running = field(init=False)
    erasures: Erasures = field(init=False)
    keys: Keys = field(init=False)
    database: Database = field(init=False)
    documents: Database = field(init=False)
    disks: MemoryDisks = field(init=False)
    tree: MemoryTree = field(init=False)
    whose: dict[str, str] = field(default_factory=dict)  # erasure -> person
    answered: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database, self.documents = Database(self.pause), Database(self.pause)
        self.disks = MemoryDisks(self.clock)
        self.tree = MemoryTree(self.folder, self.clock)
        self.held = {name: {} for name in SERVICES}
        self.database["erasures"].watch = self._moved
        self.documents["keys"].watch = self._keys_changed
        self.start()

    async def pause(self) -> None:
        self.clock.advance(0.01)
        self.accesses += 1
        meanwhile = self.at_access.pop(self.accesses, None)
        if meanwhile is not None:
            await meanwhile()
        if self.deadly and self.dice.random() < self.deadly:
            raise Killed

    def start(self) -> None:
        """Start retention, which knows nothing but what is in the store."""
        self.turn += 1
        documents = replace(open_keys(self.documents), clock=self.clock)  # type: ignore[type-var]
        self.keys = Keys(documents, AFTER, self.clock)
        house: Any = SimpleNamespace(
            keys=self.keys,
            clock=self.clock,
            personal=PERSONAL,
            schedule=SCHEDULE,
        )
        store = open_erasures(self.database, clock=self.clock)  # type: ignore[arg-type]
        rows = [row for row in ASKED.file.service if row.id in self.asked]
        policy = replace(ASKED, file=ASKED.file.model_copy(update={"service": rows}))
        saga = Saga(house, Rooms(tree=self.tree, physical=self.disks), policy, store, patience=0)
        mine = self.turn

        async def take() -> int:
            return mine

        self.running = Running(saga, SimpleNamespace(take=take))  # type: ignore[arg-type]
        self.erasures = Erasures(saga)

    async def step(self, seconds: float = 0.0) -> None:
        """Let retention do what it can after some time; where it dies another begins."""
        self.clock.advance(seconds or self.dice.choice((0.1, 6.0, 40.0, 4_000.0)))
        try:
            await self.running.step()
        except (Killed, BaseExceptionGroup):
            self.start()

    @contextlib.contextmanager
    def safe(self) -> Any:
        """Nobody dies in here: this is the world, not retention."""
        before, self.deadly = self.deadly, 0.0
        try:
            yield
        finally:
            self.deadly = before

    async def keeps(self, service: str, person: str, number: int) -> None:
        """Have a service write something of a person, under a key of a pseudonym of its own."""
        keys = f"{_pseudonym(service, person, number)}.account"
        wrapped = Wrapped(epoch=1, key="AA==", made_at=self.clock.now())
        done = await self.keys.documents.update(
            keys, lambda known: provision(known, keys, {"u": wrapped})
        )
        if not isinstance(done, Refused):
            self.held[service][keys] = person
            self.kept_at[keys] = self.clock.now()

    async def keeps_unknown(self, service: str, person: str, number: int) -> None:
        """Have a service hold something in a collection that its build does not look through."""
        await self.keeps(service, person, number)
        keys = f"{_pseudonym(service, person, number)}.account"
        if self.held[service].pop(keys, None) is not None:
            self.unknown.setdefault(service, {})[keys] = person

    def learns(self, service: str) -> None:
        """Have a service go on as a build that looks through all that it holds."""
        self.held[service] |= self.unknown.pop(service, {})
        self.builds[service] = self.builds.get(service, 0) + 1

    def comes_late(self, service: str, keys: str) -> None:
        """Have a service write something under a key that is gone, as a frozen writer might."""
        self.disks.late[keys] = service

    async def ask(self, person: str, request: str) -> str:
        """Ask for the erasure of a person."""
        own = f"p{len(self.whose) + 100:032x}"
        wrapped = Wrapped(epoch=1, key="AA==", made_at=self.clock.now())
        await self.keys.documents.update(
            f"{own}.erasure-request",
            lambda known: provision(known, f"{own}.erasure-request", {"u": wrapped}),
        )
        sealed = Sealed(
            schema_id="retention.subjects.v1",
            person=own,
            cls="erasure-request",
            unit="u",
            record="r",
            values={},
        )
        erasure = await self.erasures.asked(request, sealed, actor="officer")
        self.whose[erasure] = person
        return erasure

    async def answer(self, order: OrderState, service: str, *, blind: bool) -> None:
        """Have a service look or erase; what it says is in retention's hands at once."""
        version = self.answered.get((order.order, service), 0) + 1
        self.answered[order.order, service] = version
        person = self.whose[order.erasure]
        named = {one.keys_id for one in order.records}
        mine = [
            keys
            for keys, whose in self.held[service].items()
            if whose == person and (order.subjects is not None or keys in named)
        ]
        late = [keys for keys, has in self.disks.late.items() if has == service and keys in named]
        count = len(mine) + len(late)
        looked = LookedAt(collection="people", matched=count)
        outcome = "found" if count else "nothing-found"
        tombstones: tuple[Tombstoned, ...] = ()
        if order.kind == "erase" and not blind:
            if order.subjects is not None:
                self.erased_at[order.erasure, service] = self.clock.now()
            for keys in late:
                del self.disks.late[keys]
                self.late_until[order.erasure] = self.clock.now()
            for keys in mine:
                del self.held[service][keys]
                self.must_go[keys] = order.erasure
            looked = looked.model_copy(update={"erased": count})
            outcome = "erased" if count else "nothing-found"
            if count:
                tombstones = (Tombstoned(topic=TOPIC, partition=0, count=count),)
        said = AccountsEvidenceGiven(
            order=order.order,
            erasure=order.erasure,
            kind=order.kind,
            service=service,
            outcome="could-not-look" if blind else outcome,
            looked=() if blind else (looked,),
            keys_found=()
            if blind
            else tuple(KeptUnits(keys_id=one, units=("u",)) for one in (*mine, *late)),
            tombstones=tombstones,
            processors=self.processors if service == "consent" and not blind else (),
            manifest=f"{self.builds.get(service, 0):064x}",
            looked_at=self.clock.now(),
            version=version,
        )
        self.database[ANSWERS].documents[f"{order.order}|{service}"] = {
            "_id": f"{order.order}|{service}",
            "order": order.order,
            "service": service,
            "type": said.type,
            "said": said.model_dump_json(),
        }

    def orders(self) -> list[OrderState]:
        """Return the orders that stand."""
        found = [
            OrderState.model_validate_json(one["state"])
            for one in self.database["orders"].documents.values()
        ]
        return [one for one in found if one.ended_at is None]

    def open_to(self, order: OrderState) -> list[str]:
        """Return the services whose last answer to an order does not count."""
        left = []
        for name in order.services:
            said = self.database[ANSWERS].documents.get(f"{order.order}|{name}")
            if said is None or '"could-not-look"' in said["said"]:
                left.append(name)
        return left

    def relay(self) -> None:
        """Publish what waits."""
        for name in ("orders", "ledger"):
            for one in self.database[name].documents.values():
                one["outbox"] = []

    def state(self, erasure: str) -> KeptErasure:
        """Return an erasure as the store has it."""
        return KeptErasure.model_validate_json(
            self.database["erasures"].documents[erasure]["state"]
        )

    def certificate(self, erasure: str) -> Certificate:
        """Return a certificate."""
        text = self.state(erasure).certificate
        assert text is not None
        return Certificate.model_validate_json(text)

    def law(self, holds: bool, says: str) -> None:  # noqa: FBT001  (as assert has it)
        """Write down that a law was broken; a fault would only be tried again."""
        if not holds:
            self.broken.append(says)

    def _moved(self, _key: Any, old: Any, new: Any) -> None:
        """Law P3, and that there is no way back: watched at each write of an erasure."""
        if old is None:
            return
        now = KeptErasure.model_validate_json(new["state"])
        before = KeptErasure.model_validate_json(old["state"])
        ways = {one for row in erasures.TRANSITIONS.values() for one in row.items()}
        way = (before.step, now.step)
        self.law(before.step == now.step or way in ways, f"no way leads from {way}")
        if "destroying" in before.times:
            self.law(now.step not in erasures.GIVEN_UP, "given up after the point of no return")
            self.law(set(before.keys) <= set(now.keys), "keys are forgotten")
        if way == ("ordered", "evidenced") and now.whole_person:
            left = [name for name in self.asked if self._left(now.erasure, name)]
            self.law(not left, "evidence is complete, and something is held")

        if way == ("evidenced", "compacted"):
            since = now.times["evidenced"]
            self.law(all(one.at >= since for one in now.receipts), "a receipt of before")
        if way == ("scanned", "certified") and now.whole_person:
            proved = {one.service for one in now.evidence}
            self.law(proved >= set(self.asked), "certified, and somebody was not asked")
        if way == ("irrecoverable", "scanned"):
            left = self.disks.late.keys() & {one.keys_id for one in now.keys}
            self.law(not left, "scanned clean, and something is in the log")

    def _left(self, erasure: str, service: str) -> list[str]:
        """Return what a service holds of a person; who registers anew afterwards is another one."""
        erased_at = self.erased_at.get((erasure, service))
        return [
            keys
            for keys, whose in self.held[service].items()
            if erased_at and whose == self.whose[erasure] and self.kept_at[keys] < erased_at
        ]

    def _keys_changed(self, key: Any, old: Any, new: Any) -> None:
        """Law P4: watched at each write of a key document."""
        now = KeptKeys.model_validate_json(new["state"])
        before = KeptKeys.model_validate_json(old["state"]) if old is not None else None
        if now.fence != "destroyed" or before is None or before.fence == "destroyed":
            return
        self.law(not before.holds, "destroyed under a hold")
        self.law(before.confirmed[""] + AFTER <= self.clock.now(), "destroyed too early")
        cause = self.state(now.cause or "")
        if key.endswith(".erasure-request"):
            ended = cause.step in ("certified", "refusing", "taking-back")
            self.law(ended, "the erasure's own key went before its end")
            return
        self.law("approved" in cause.times, "destroyed without an approval")
        self.law("destroying" in cause.times, "destroyed before that was decided")
        entry = self.database["ledger"].documents.get(cause.erasure)
        entered = entry is not None and f'"{key}"' in entry["state"]
        self.law(entered, "destroyed before it was in the ledger")
        self.law(entry is not None and not entry["outbox"], "destroyed before the broker knew")


def _pseudonym(service: str, person: str, number: int) -> str:
    return f"p{SERVICES.index(service):08x}{PEOPLE.index(person):08x}{number:016x}"
