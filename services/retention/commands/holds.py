"""What is done with holds: asked for, agreed to, looked at again, released (law P4).

A hold is written first and its records and keys follow, each on its own: whoever dies in between
leaves a hold that stands and members that say what is still to be done. The key document decides
who was first, a hold or a fence; nobody else does.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.retention.commands.held import Held, meant_by
from services.retention.errors import Refusal
from services.retention.model import holds
from services.retention.model.clocks import Hold
from services.retention.model.holds import Asked, KeptHold, OnKeys, Signed
from services.retention.model.records import KeptRecord, name_of
from services.retention.store.holding import HoldStore
from services.retention.wiring import Schedules
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.mongo import Aggregates
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id

ASKED: Final = uuid.UUID("0d6f9f0e-9b0b-5b86-8a0c-0f4f4c9d2a11")  # of ids by a caller's own key

Done = KeptHold | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds of the registry, as operators and the other parts use them."""

    store: HoldStore
    records: Aggregates[KeptRecord]
    keys: Aggregates[KeptKeys]
    held: Held
    schedules: Schedules
    clock: Clock = SYSTEM

    async def place(self, asked: Asked, key: str | None = None) -> Done:
        """Place a hold; with the same ``key`` of the caller there is one, however often."""
        now = self.clock.now()
        schedule = await self.schedules.in_force(now)
        no = holds.refused(asked, schedule, now) or await self._too_late(asked)
        if no is not None:
            return Refused(no)
        row = holds.row_of(schedule, asked.reason)
        needs = row.approvers if row else 0
        new = KeptHold(
            **{name: getattr(asked, name) for name in Asked.model_fields},
            hold=str(uuid.uuid5(ASKED, key)) if key else new_id(),
            placed_at=now,
            needs=needs,
            stood_from=None if needs else now,
            version=1,
        )
        return await self._done(new.hold, partial(holds.place, new=new))

    async def approve(self, hold: str, by: str) -> Done:
        """Agree to a hold."""
        return await self._done(hold, partial(holds.approve, by=by, now=self.clock.now()))

    async def look_again(self, hold: str, signed: Signed) -> Done:
        """Say that a hold goes on until another date."""
        now = self.clock.now()
        schedule = await self.schedules.in_force(now)
        decide = partial(holds.look_again, signed=signed, schedule=schedule, now=now)
        return await self._done(hold, decide)

    async def release(self, hold: str, signed: Signed) -> Done:
        """End a hold, and let go of what it alone kept."""
        return await self._done(hold, partial(holds.release, signed=signed))

    async def _done(self, hold: str, decide: Callable[[KeptHold | None], holds.Decided]) -> Done:
        saved = await self.store.holds.update(hold, decide)
        if isinstance(saved, Refused):
            return saved
        crashpoint("holds.released" if saved.state.released else "holds.placed")
        await self.held.follow(saved.state)
        return await self.store.holds.load(hold) or saved.state

    async def _too_late(self, asked: Asked) -> Refusal | None:
        """Say what was there first, where nothing that is named can be held any more."""
        if asked.scope is not None:
            return None
        named = [name_of(one.kind, one.record) for one in asked.records]
        known = await self.records.load_many(named)
        meant = [*asked.keys, *(one for record in known.values() for one in record.keys)]
        if not meant or len(known) < len(named):
            return None
        documents = await self.keys.load_many([one.keys_id for one in meant])
        gone = [holds.gone(documents.get(one.keys_id), one.units) for one in meant]
        if any(one is None for one in gone):
            return None
        said = sorted({_said(one) for one in gone if one is not None})
        return Refusal("hold-too-late", "; ".join(said[:5]) + ".")

    # -- what others ask -----------------------------------------------------------------------

    async def on(self, records: Sequence[KeptUnits]) -> tuple[str, ...]:
        """Return the holds that stand on any of these keys: the key documents' own word."""
        documents = await self.keys.load_many([one.keys_id for one in records])
        return tuple(sorted({hold for one in documents.values() for hold in one.holds}))

    async def holds_of(self, kind: str, record: str) -> tuple[Hold, ...]:
        """Return the holds on a record, released ones too.

        Those that mean it count, whether or not it was brought under them already; so do those on
        its keys, whoever placed them for whatever other record.
        """
        name = name_of(kind, record)
        known = await self.records.load(name)
        found = {one.hold for one in await self.store.on_records([name])}
        if known is not None:
            found |= set((await self.standing_on([known]))[name])
        kept = await self.store.holds.load_many(sorted(found))
        return tuple(
            kept[hold].as_clocks_know_it if hold in kept else Hold(hold)
            for hold in sorted(found)
            if hold not in kept or kept[hold].stood_from is not None
        )

    async def standing_on(self, records: Collection[KeptRecord]) -> Mapping[str, tuple[str, ...]]:
        """Return the holds that stand now on each of some records, by its name."""
        standing = {one.hold: one for one in await self.store.standing()}
        names = [one.name for one in records]
        found: dict[str, set[str]] = {name: set() for name in names}
        for member in await self.store.on_records(names) if standing else ():
            if member.hold in standing and member.kind and member.record:
                found[name_of(member.kind, member.record)].add(member.hold)
        scoped = [one for one in standing.values() if one.scope is not None]
        if scoped:
            schedule = self.schedules.current()
            for record in records:
                found[record.name] |= {one.hold for one in meant_by(record, scoped, schedule)}
        keys = {one.keys_id for record in records for one in record.keys}
        documents = await self.keys.load_many(sorted(keys))
        for record in records:
            for one in record.keys:
                if one.keys_id in documents:
                    found[record.name] |= set(documents[one.keys_id].holds)
        return {name: tuple(sorted(several)) for name, several in found.items()}

    async def known(self, held: Collection[str]) -> Mapping[str, KeptHold]:
        """Return the holds that are on record, by their ids."""
        return await self.store.holds.load_many(sorted(held))

    async def stated(self, records: Sequence[KeptUnits]) -> list[Mapping[str, str]]:
        """Say to a person which classes of their data are held, and until when it is reviewed.

        The reason in the schedule's words; the matter and whoever asked may lead to others.
        """
        documents = await self.keys.load_many([one.keys_id for one in records])
        found = sorted(
            {(one.keys_id.partition(".")[2], by) for one in documents.values() for by in one.holds}
        )
        kept, schedule = await self.known({by for _, by in found}), self.schedules.current()
        said = [{"class": cls, **holds.stated(kept.get(by), schedule)} for cls, by in found]
        return [one for at, one in enumerate(said) if one not in said[:at]]

    async def joining(self, records: Sequence[KeptRecord]) -> None:
        """Bring records under the standing holds that mean them."""
        await self.held.joining(records)

    async def put_right(self) -> None:
        """Have keys be held as holds say, whatever a copy of the key store says."""
        await self.held.put_right()


def _said(one: OnKeys) -> str:
    """Say what was there first."""
    at = rfc3339(one.at) if one.at else "some time"
    by = f" by erasure {one.cause}" if one.cause else ""
    return f"Already {one.outcome} at {at}{by}"
