"""Versions of the schedule: which counts, and how another one comes to (law P6)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from services.retention.commands.holds import Holds
from services.retention.errors import Refusal
from services.retention.model import schedules
from services.retention.model.courses import told_of
from services.retention.model.folding import Folding
from services.retention.model.holds import Signed
from services.retention.model.previews import Moved, Previewing
from services.retention.model.records import KeptRecord, name_of, round_by
from services.retention.model.schedules import KeptSchedule
from services.retention.store.holding import table
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mongo import Aggregates, Database, Saved, faults
from shared.policy import PolicyError
from shared.policy.retention import Schedule, parse_retention
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.log import get_log

log = get_log(__name__)
Done = KeptSchedule | Refused[Refusal]


@dataclass(slots=True)
class Versions:
    """The versions of this registry, and the one that this process goes by.

    ``shipped`` is the file that the process was started with, and its text: the first version. A
    later file counts for nothing before it is published here.
    """

    store: Aggregates[KeptSchedule]
    shipped: Schedule
    text: bytes
    clock: Clock = SYSTEM
    _current: Schedule | None = None
    _stamp: dict[str, int] = field(default_factory=dict)
    _kept: list[KeptSchedule] = field(default_factory=list)
    _parsed: dict[str, Schedule] = field(default_factory=dict)

    async def begin(self) -> None:
        """Put the first version down where there is none, and look which counts."""
        known = await self.every()
        if not known:
            new = schedules.first(self.shipped, self.text.decode(), now=self.clock.now())
            await self.store.update(new.schedule, partial(_first, new=new))
        elif self.shipped.sha not in {one.sha for one in known}:
            log.warning(
                "the schedule's file is not the one in force; publish it",
                file=self.shipped.version,
                in_force=(await self.in_force(self.clock.now())).version,
            )
        await self.in_force(self.clock.now())

    def current(self) -> Schedule:
        """Return the version that was in force when this process last looked."""
        return self._current or self.shipped

    async def in_force(self, now: datetime) -> Schedule:
        """Look which version is in force at a moment, past or present, and which one is now."""
        every = await self.every()
        self._current = self._at(every, self.clock.now())
        return self._at(every, now)

    def _at(self, every: Sequence[KeptSchedule], moment: datetime) -> Schedule:
        found = schedules.in_force(every, moment)
        return self.parsed(found) if found else self.shipped

    async def every(self) -> list[KeptSchedule]:
        """Return all versions, in the order in which they were published."""
        with faults():
            rows = await self.store.collection.find({}, {"version": 1}).to_list(None)
        stamp = {row["_id"]: row["version"] for row in rows}
        if stamp != self._stamp or not rows:
            kept = await self.store.load_many(list(stamp))
            self._kept = sorted(kept.values(), key=lambda one: one.published_at)
            self._stamp = {name: one.version for name, one in kept.items()}
        return self._kept

    def parsed(self, kept: KeptSchedule) -> Schedule:
        """Return a kept version's schedule, read once."""
        found = self._parsed.get(kept.sha)
        if found is None:
            found = self._parsed[kept.sha] = parse_retention(kept.text.encode(), kept.schedule)
        return found


@dataclass(slots=True)
class Changing:
    """Changes of the schedule: published, previewed, approved, taken back.

    ``check`` raises ``PolicyError`` where a schedule names what other files do not know.
    """

    versions: Versions
    database: Database
    holds: Holds
    check: Callable[[Schedule], None]
    clock: Clock = SYSTEM
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def publish(self, text: str, *, by: str, starts: datetime | None) -> Done:
        """Publish a version, by its text; what is no schedule is refused with its places."""
        now = self.clock.now()
        try:
            schedule = parse_retention(text.encode(), "the schedule")
            self.check(schedule)
        except PolicyError as fault:
            return Refused(Refusal("schedule-invalid", str(fault), places=("/text",)))
        missing = set((await self.versions.in_force(now)).rules) - set(schedule.rules)
        if missing:
            detail = f"Records are kept of {', '.join(sorted(missing))}; a version names all kinds."
            return Refused(Refusal("schedule-invalid", detail, places=("/text",)))
        new = KeptSchedule(
            schedule=schedule.version,
            text=text,
            sha=schedule.sha,
            published_by=by,
            published_at=now,
            starts=starts or now,
            version=1,
        )
        return await self._done(new.schedule, partial(schedules.publish, new=new, now=now))

    async def preview(self, label: str) -> Done:
        """Say who becomes due by a version, and when, before anything happens.

        Every row of the fact table is read once and folded by both versions.
        """
        known = await self.versions.store.load(label)
        if known is None:
            return schedules.UNKNOWN
        now = self.clock.now()
        starts = max(known.starts, known.in_force_from or now, now)
        before = await self._before(known, starts)
        async with self._one:
            run = Previewing(Folding.of(before), Folding.of(self.versions.parsed(known)), starts)
            held = bool(await self.holds.store.standing())
            async for rows in table(self.database):
                await self._page(run, rows, held=held)
        limits = (await self.versions.in_force(now)).file.limits
        preview = run.done(limits, at=now)
        if known.stage in ("approved", "withdrawn"):
            return known.model_copy(update={"preview": preview})  # shown, and nothing rests on it
        return await self._done(label, partial(schedules.previewed, preview=preview))

    async def approve(self, label: str, by: str) -> Done:
        """Approve a version."""
        known = await self.versions.store.load(label)
        if known is None:
            return schedules.UNKNOWN
        now = self.clock.now()
        before = await self._before(known, max(known.starts, now))
        decide = partial(schedules.approve, by=by, in_force=before, now=now)
        return await self._done(label, decide)

    async def withdraw(self, label: str, by: str, why: str) -> Done:
        """Take a version back before it counts."""
        signed = Signed(by=by, at=self.clock.now(), why=why)
        return await self._done(label, partial(schedules.withdraw, signed=signed))

    async def _done(
        self, label: str, decide: Callable[[KeptSchedule | None], schedules.Decided]
    ) -> Done:
        saved: Saved[KeptSchedule] | Refused[Refusal] = await self.versions.store.update(
            label, decide
        )
        if isinstance(saved, Refused):
            return saved
        await self.versions.in_force(self.clock.now())
        return saved.state

    async def _before(self, known: KeptSchedule, at: datetime) -> Schedule:
        """Return the version that a change would follow."""
        every = [one for one in await self.versions.every() if one.schedule != known.schedule]
        found = schedules.in_force(every, at)
        return self.versions.parsed(found) if found else self.versions.shipped

    async def _page(self, run: Previewing, rows: Sequence[dict[str, str]], *, held: bool) -> None:
        """Fold some rows by both versions; only of those that are moved more is asked."""
        run.records += len(rows)
        found: list[tuple[dict[str, Any], list[Moved]]] = []
        for row in rows:
            kind = row["kind"]
            if run.untouched(kind):
                continue
            state = orjson.loads(row["state"])
            moved = run.moved(kind, told_of(state["facts"]))
            if moved and state["settled"]:
                moved = _unsettled(state, moved)
            if moved:
                found.append((state, moved))
        holds: Mapping[str, Sequence[str]] = {}
        if found and held:
            records = [KeptRecord.model_validate(state) for state, _ in found]
            holds = await self.holds.standing_on(records)
        for state, moved in found:
            kind, record = state["kind"], state["record"]
            run.count(kind, record, moved, holds.get(name_of(kind, record), ()))


def _unsettled(state: dict[str, Any], moved: list[Moved]) -> list[Moved]:
    """Leave out rounds that were decided: what was acted upon is not due anew by a change."""
    done = {one["clock"] for one in state["settled"]}
    kind, record = state["kind"], state["record"]
    return [one for one in moved if round_by(kind, record, one.rule, one.started) not in done]


def _first(
    known: KeptSchedule | None, *, new: KeptSchedule
) -> Accepted[KeptSchedule] | Unchanged[KeptSchedule]:
    return Accepted(new, ()) if known is None else Unchanged(known)
