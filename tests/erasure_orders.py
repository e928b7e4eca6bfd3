"""Ordering a service to look and to erase, as retention does, and hearing what it answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.retention.commands import Keys
from services.retention.store import open_keys
from shared.events import Received, from_record
from shared.events.orders import ErasureOrdered, EvidenceState, KeptUnits, LookOrdered, OrderKind
from shared.events.personal import Sealed
from shared.kafka.follow import Batch, keep_following
from shared.mongo import Database, connect
from shared.policy.personal import load_personal
from shared.privacy import vault
from shared.privacy.blind import BlindIndex
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import WHOLE
from shared.privacy.rings import key_ring
from shared.privacy.subjects import Subjects
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.ids import new_id, new_pseudonym
from shared.runtime.settings import ServiceSettings
from tests.events import Voice, speaking
from tests.processes import ROOT, Place, until

EVERYBODY = ("accounts", "consent", "deposits")


@dataclass(slots=True)
class Retention:
    """Retention's voice, its hand on keys, and what one service told since the block began."""

    place: Place
    voice: Voice
    ring: KeyRing
    keys: Keys
    blind: BlindIndex
    database: Database
    answers: dict[str, EvidenceState] = field(default_factory=dict)
    records: list[tuple[str, str, bool]] = field(default_factory=list)

    def indexes(self, *addresses: str) -> frozenset[str]:
        """Return the blind indexes of addresses."""
        return frozenset(index for one in addresses for index in self.blind.all(one))

    async def order(
        self,
        kind: OrderKind,
        *addresses: str,
        records: Sequence[KeptUnits] = (),
        classes: Sequence[str] = (),
        exempt: Sequence[str] = (),
        order: str | None = None,
        tells: bool = False,
    ) -> str:
        """Give an order about who has these addresses, or about these keys; return its id."""
        number = order or new_id()
        sealed = await self._sealed(addresses) if addresses else None
        made = LookOrdered if kind == "look" else ErasureOrdered
        await self.voice.say(
            made(
                order=number,
                erasure=number,
                kind=kind,
                services=EVERYBODY,
                subjects=sealed,
                records=tuple(records),
                classes=tuple(classes),
                exempt=tuple(exempt),
                tells=tells,
                given_at=SYSTEM.now(),
                version=1,
            )
        )
        return number

    async def answer(self, order: str, *, within: float = 60.0) -> EvidenceState:
        """Wait for the answer to an order."""

        async def told() -> EvidenceState | None:
            return self.answers.get(order)

        found: EvidenceState = await until(told, within=within, what="evidence of the order")
        return found

    async def looked(self, *addresses: str, records: Sequence[KeptUnits] = ()) -> EvidenceState:
        """Order a look, and return what it found."""
        return await self.answer(await self.order("look", *addresses, records=records))

    async def destroy(self, *several: KeptUnits) -> None:
        """Destroy keys, as retention does before it orders: all of a class, or units of it."""
        for one in several:
            for unit in one.units or (WHOLE,):
                await (self.keys.fence_unit if unit else self._fence)(one.keys_id, unit)
                await self.keys.confirm(one.keys_id, unit)
                await self.keys.destroy(one.keys_id, unit)

    def gone(self, topic: str) -> list[str]:
        """Return the keys of the tombstones of a topic, in their order."""
        return [key for of, key, empty in self.records if of == topic and empty]

    async def _fence(self, keys: str, _unit: str) -> object:
        return await self.keys.fence(keys, "a test")

    async def _sealed(self, addresses: Sequence[str]) -> Sealed:
        data = Subjects.of(self.indexes(*addresses))
        unit = new_id()
        return await vault.seal(self.ring, data, person=new_pseudonym(), unit=unit, record=unit)


@contextlib.asynccontextmanager
async def ordering(place: Place, service: str) -> AsyncIterator[Retention]:
    """Speak for retention, and hear a service's answers and its personal topic."""
    environment = place.environment("test")
    settings = ServiceSettings(
        **{name.lower(): text for name, text in environment.items() if name.isupper()}
    )
    personal = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    topics = [f"{service}.erasures.v1"]
    topics += [f"{service}.personal.v1"] if service != "deposits" else []
    draining = asyncio.Event()
    async with (
        connect(place.mongodb_url, settings.database_prefix + "keys") as keys,
        connect(place.mongodb_url, settings.database_prefix + service) as database,
        speaking(place, "retention") as (voice,),
    ):
        # Nothing is told of fences: whoever opens a key asks its document each time.
        voice.marking = False
        ring, _ = key_ring(settings, keys, personal)
        made = Retention(
            place,
            voice,
            ring,
            Keys(open_keys(keys), timedelta()),
            BlindIndex(settings.shared_keys),
            database,
        )

        positions: dict[tuple[str, int], int] = {}

        async def hear(batch: Batch) -> None:
            for (topic, _), record in batch.records:
                made.records.append((topic, record.key.decode(), record.value is None))
                match from_record(record.key, record.value, record.headers):
                    case Received(event=EvidenceState() as said):
                        made.answers[said.order] = said
            positions.update(batch.positions)

        following = keep_following(
            "evidence",
            place.kafka_bootstrap,
            topics,
            draining,
            take=hear,
            health=Health(),
            start=lambda: positions,
            prefix=place.name,
        )
        listening = asyncio.create_task(following)
        try:
            yield made
        finally:
            draining.set()
            await listening
