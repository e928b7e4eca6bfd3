"""Bringing records under holds and letting go of them: each key by itself, until all are done.

A member is written before its keys are restricted, and stays pending until it was seen afterwards
that the hold still stands. Whatever dies in between, a pending member says what may be left to do.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.retention.commands.keys import Keys
from services.retention.model import holds
from services.retention.model.clocks import clocks
from services.retention.model.holds import KeptHold, KeptMember, OnKeys
from services.retention.model.records import KeptRecord, name_of
from services.retention.store.holding import PAGE, HoldStore, record_of, table
from services.retention.wiring import Rooms, Schedules
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.mongo import Aggregates, Database, Saved
from shared.policy.retention import Schedule
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint


@dataclass(frozen=True, slots=True)
class Held:
    """What is under holds."""

    store: HoldStore
    database: Database
    records: Aggregates[KeptRecord]
    keys: Keys
    schedules: Schedules
    rooms: Rooms
    clock: Clock = SYSTEM

    async def follow(self, hold: KeptHold) -> None:
        """Do what a hold asks for, as far as it is quick; the rest is done by ``step``."""
        if hold.standing and not hold.spread:
            await self._named(hold)
            if hold.scope is None:
                await self.store.holds.update(hold.hold, holds.spread)
        if hold.released is not None and not hold.settled:
            await self._let_go(hold, pages=1)

    async def step(self) -> bool:
        """Take one step of what is left to do; True where there may be more."""
        for hold in await self.store.waiting("unspread", most=1):
            await self._named(hold)
            await self.sweep([hold])
            await self.store.holds.update(hold.hold, holds.spread)
            return True
        for hold in await self.store.waiting("unsettled", most=1):
            await self._let_go(hold)
            return True
        return False

    async def again(self) -> None:
        """Ask again about everything that is pending, and look for records that nobody brought."""
        after = ""
        while members := await self.store.pending(after=after, most=PAGE):
            after = members[-1].member
            await self._bind(members)
        standing = await self.store.standing()
        for hold in standing:
            if hold.records:
                await self._named(hold)
        await self.sweep(standing)

    async def put_right(self) -> None:
        """Restrict again what a key store that was put back lost, and free what it brought back.

        Only keys that were held are: what was gone when its hold came stays so.
        """
        standing = {one.hold for one in await self.store.standing()}
        async for page in self.store.members.every(PAGE):
            named = {on.keys_id for member in page.values() for on in member.on}
            documents = await self.keys.documents.load_many(sorted(named))
            for member in page.values():
                for on in member.on:
                    known = documents.get(on.keys_id)
                    if known is None or known.fence not in ("active", "restricted"):
                        continue
                    has = member.hold in known.holds
                    if member.hold in standing and on.outcome == "held" and not has:
                        await self.keys.restrict(on.keys_id, member.hold)
                    elif member.hold not in standing and on.outcome == "released" and has:
                        await self.keys.release(on.keys_id, member.hold)

    async def sweep(self, scoped: Sequence[KeptHold]) -> None:
        """Bring every record of the fact table under the holds that mean it."""
        meant = [one for one in scoped if one.scope is not None]
        if not meant:
            return
        async for rows in table(self.database, _asked(meant), most=PAGE):
            await self._joined(list(map(record_of, rows)), meant)

    async def joining(self, records: Sequence[KeptRecord]) -> None:
        """Bring records under the standing holds that mean them, and keys that they got since."""
        standing = await self.store.standing()
        if not standing or not records:
            return
        ids = {one.hold for one in standing}
        by_name = {one.name: one for one in records}
        members = await self.store.on_records(list(by_name))
        now = self.clock.now()
        await self._bring(
            holds.member_of(one.hold, by_name[name_of(one.kind, one.record)], now=now)
            for one in members
            if one.hold in ids and one.kind and one.record
        )
        await self._joined(records, [one for one in standing if one.scope is not None])

    async def _joined(self, records: Sequence[KeptRecord], scoped: Sequence[KeptHold]) -> None:
        now, schedule = self.clock.now(), self.schedules.current()
        meant = [
            holds.member_of(hold.hold, record, now=now)
            for record in records
            for hold in meant_by(record, scoped, schedule)
        ]
        members = await self.store.on_records([one.name for one in records]) if meant else ()
        known = {one.member: one.keys for one in members}
        await self._bring(
            one
            for one in meant
            if one.member not in known or not set(one.keys) <= set(known[one.member])
        )

    async def _named(self, hold: KeptHold) -> None:
        """Bring what a hold names under it: records that are not known yet join when they come."""
        now = self.clock.now()
        names = {name_of(one.kind, one.record): one for one in hold.records}
        known = await self.records.load_many(list(names))
        members = [
            holds.member_of(hold.hold, known.get(name, one), now=now) for name, one in names.items()
        ]
        members += [holds.member_by_keys(hold.hold, one, now=now) for one in hold.keys]
        await self._bring(members)

    async def _bring(self, members: Iterable[KeptMember]) -> None:
        kept = []
        for new in members:
            saved: Saved[KeptMember] | Refused[None] = await self.store.members.update(
                new.member, partial(holds.join, new=new)
            )
            if not isinstance(saved, Refused) and saved.state.pending:
                kept.append(saved.state)
        await self._bind(kept)

    async def _bind(self, members: Sequence[KeptMember]) -> None:
        """Restrict the keys of members, then look whether their holds still stand."""
        crashpoint("holds.joined")
        seen = {
            member.member: tuple([await self._restricted(member.hold, one) for one in member.keys])
            for member in members
        }
        crashpoint("holds.restricted")
        known = await self.store.holds.load_many(sorted({one.hold for one in members}))
        for member in members:
            on = seen[member.member]
            if not known[member.hold].standing:
                on = await self._freed(member)
            await self.store.members.update(member.member, partial(holds.bound, on=on))

    async def _restricted(self, hold: str, keys: KeptUnits) -> OnKeys:
        gone = holds.gone(await self.keys.shown(keys.keys_id), keys.units)
        if gone is not None:
            return gone
        done = await self.keys.restrict(keys.keys_id, hold)
        if not isinstance(done, Refused):
            return OnKeys(keys_id=keys.keys_id, outcome="held")
        # Somebody was faster, or there are no keys yet.
        gone = holds.gone(await self.keys.shown(keys.keys_id), keys.units)
        return gone or OnKeys(keys_id=keys.keys_id, outcome="pending")

    async def _freed(self, member: KeptMember) -> tuple[OnKeys, ...]:
        for one in member.keys:
            await self.keys.release(one.keys_id, member.hold)
        return tuple(OnKeys(keys_id=one.keys_id, outcome="released") for one in member.keys)

    async def _let_go(self, hold: KeptHold, pages: int | None = None) -> None:
        """Let go of what is under a released hold: all of it, or some ``pages``."""
        after, left = "", pages
        while left is None or left > 0:
            members = await self.store.members_of(hold.hold, after=after, most=PAGE)
            for member in members:
                on = await self._freed(member)
                if self.rooms.clocks is not None:
                    await self.rooms.clocks.look_again(member.keys)  # overdue clocks fire now
                await self.store.members.update(member.member, partial(holds.bound, on=on))
            if len(members) < PAGE:
                await self.store.holds.update(hold.hold, holds.settle)
                return
            after = members[-1].member
            left = None if left is None else left - 1


def meant_by(record: KeptRecord, scoped: Iterable[KeptHold], schedule: Schedule) -> list[KeptHold]:
    """Return the holds whose scope means a record; its clocks are folded where a scope asks."""
    rules: frozenset[str] | None = None
    found = []
    for hold in scoped:
        if hold.scope is None:
            continue
        if rules is None and hold.scope.rule is not None:
            known = record.kind in schedule.rules
            every = clocks(record.history, schedule) if known else ()
            rules = frozenset(one.rule for one in every if one.standing != "cancelled")
        if hold.scope.means(record, rules or frozenset()):
            found.append(hold)
    return found


def _asked(scoped: Collection[KeptHold]) -> Mapping[str, object]:
    """Return which rows a scan must read: of one kind, where all holds name the same."""
    kinds = {one.scope.kind for one in scoped if one.scope is not None}
    return {"kind": kinds.pop()} if len(kinds) == 1 and None not in kinds else {}
