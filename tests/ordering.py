"""Retention's voice in tests: orders to services, entries of the ledger, and what is answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.events import Received, from_record
from shared.events.orders import (
    ErasureOrdered,
    EvidenceState,
    KeptUnits,
    LedgerEntryWritten,
    LookOrdered,
    OrderEnded,
    OrderState,
)
from shared.events.personal import Sealed
from shared.kafka.follow import Batch, keep_following
from shared.mongo import Database, connect
from shared.policy.personal import load_personal
from shared.privacy.blind import BlindIndex
from shared.privacy.keyring import KeyRing
from shared.privacy.rings import key_ring
from shared.privacy.subjects import Subjects
from shared.privacy.vault import seal
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.ids import new_id, new_pseudonym
from shared.runtime.settings import ServiceSettings
from tests.events import Voice, speaking
from tests.processes import ROOT, Place, until

Ordered = LookOrdered | ErasureOrdered
KINDS: Final[dict[str, type[Ordered]]] = {"look": LookOrdered, "erase": ErasureOrdered}
LEVELS: Final = ("fenced_at", "unreadable_at", "certified_at")


@dataclass(slots=True)
class Retention:
    """What retention would say and hear, and the keys that it seals subjects under."""

    voice: Voice
    ring: KeyRing
    index: BlindIndex
    keys: Database
    heard: dict[str, list[EvidenceState]] = field(default_factory=dict)

    async def subjects(self, *emails: str) -> Sealed:
        """Seal the blind indexes of addresses under a key of a request's own."""
        said = Subjects.of(one for email in emails for one in self.index.all(email))
        return await seal(
            self.ring, said, person=new_pseudonym(), unit="subjects", record="subjects"
        )

    @contextlib.asynccontextmanager
    async def keyless(self, sealed: Sealed) -> AsyncIterator[None]:
        """Take the key of a sealed record away, and put it back at the end."""
        name = f"{sealed.person}.{sealed.cls}"
        kept = await self.keys["keys"].find_one_and_delete({"_id": name})
        assert kept is not None
        yield
        await self.keys["keys"].insert_one(kept)

    async def order(self, service: str, kind: str, *emails: str, **more: Any) -> Ordered:
        """Order a service to look for whoever has these addresses, or to erase them."""
        said = {
            "order": new_id(),
            "erasure": new_id(),
            "kind": kind,
            "services": (service,),
            "subjects": await self.subjects(*emails) if emails else None,
            "given_at": SYSTEM.now(),
            "version": 1,
        } | more
        order = KINDS[kind](**said)
        await self.voice.say(order)
        return order

    async def end(self, order: OrderState) -> None:
        """End an order."""
        ended = {"ended_at": SYSTEM.now(), "version": order.version + 1}
        await self.voice.say(OrderEnded(**(order.model_dump() | ended)))

    async def entry(
        self, erasure: str, records: Sequence[KeptUnits], *, level: str = "certified_at"
    ) -> None:
        """Write an erasure into the ledger, as far as a level."""
        reached = LEVELS[: LEVELS.index(level) + 1]
        await self.voice.say(
            LedgerEntryWritten(
                entry=erasure,
                seq=1,
                records=tuple(records),
                version=len(reached),
                **{one: SYSTEM.now() for one in reached},
            )
        )

    async def evidence(self, order: OrderState, *, after: int = 0) -> EvidenceState:
        """Wait for the answer that follows the first ``after`` to an order."""

        async def come() -> EvidenceState | None:
            given = self.heard.get(order.order, [])
            return given[after] if len(given) > after else None

        found: EvidenceState = await until(come, within=30, what="evidence to come")
        return found

    async def take(self, batch: Batch) -> None:
        """Hear what services answer."""
        for _, record in batch.records:
            read = from_record(record.key, record.value, record.headers)
            if isinstance(read, Received) and isinstance(read.event, EvidenceState):
                self.heard.setdefault(read.event.order, []).append(read.event)


@contextlib.asynccontextmanager
async def retention(place: Place, *services: str) -> AsyncIterator[Retention]:
    """Speak for retention, and hear the evidence of services."""
    environment: dict[str, Any] = place.environment("test")
    settings = ServiceSettings(
        **{name.lower(): text for name, text in environment.items() if name.isupper()}
    )
    personal = load_personal(ROOT / "deploy" / "policies" / "personal.toml")
    draining = asyncio.Event()
    async with (
        connect(place.mongodb_url, settings.database_prefix + "keys") as database,
        speaking(place, "retention") as (voice,),
        asyncio.TaskGroup() as group,
    ):
        ring, _ = key_ring(settings, database, personal)
        speaker = Retention(voice, ring, BlindIndex(settings.shared_keys), database)
        group.create_task(
            keep_following(
                "evidence",
                place.kafka_bootstrap,
                [f"{one}.erasures.v1" for one in services],
                draining,
                take=speaker.take,
                health=Health(),
                prefix=place.name,
            )
        )
        try:
            yield speaker
        finally:
            draining.set()
