"""Looking at clocks: of one record with all that explains them, and of many page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.retention.model.clocks import Hold, Judged
from services.retention.model.dues import explained
from services.retention.model.holds import KeptHold
from services.retention.model.records import KeptRecord, Settled, name_of
from services.retention.store.claims import Claims
from services.retention.wiring import House, Rooms
from shared.events.orders import KeptUnits
from shared.mongo import Aggregates, faults
from shared.policy.retention import Schedule
from shared.runtime.clock import rfc3339

PAGE: Final = 200  # records of one read
MOST_READ: Final = 2_000  # records of one answer, however few of them are wanted

Explained = tuple[Judged, Settled | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clocks; what is None is not asked for. ``after`` is a record's name."""

    kind: str | None = None
    rule: str | None = None
    standing: str | None = None
    due_before: datetime | None = None
    after: str = ""
    most: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Clocks of some records, and behind which record to go on; None at the end."""

    clocks: Sequence[Explained]
    after: str | None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of all records."""

    house: House
    rooms: Rooms
    records: Aggregates[KeptRecord]
    claims: Claims

    def schedule(self) -> Schedule:
        """Return the schedule in force."""
        return self.rooms.schedules.current() if self.rooms.schedules else self.house.schedule

    async def shown(self, kind: str, record: str) -> tuple[Explained, ...] | None:
        """Return every clock of a record, and why each stands as it does; None for no record."""
        found = await self.records.load(name_of(kind, record))
        return await self._explained(found) if found else None

    async def listed(self, wanted: Wanted) -> Page:
        """Return a page of clocks, by the names of their records; whole records at a time."""
        found: list[Explained] = []
        after, read = wanted.after, 0
        while read < MOST_READ:
            records = await self._page(wanted.kind, after)
            for record in records:
                after = record.name
                every = await self._explained(record)
                found += [one for one in every if _is_wanted(one, wanted)]
                if len(found) >= wanted.most:
                    return Page(found, after)
            if len(records) < PAGE:
                return Page(found, None)
            read += len(records)
        return Page(found, after)

    async def look_again(self, records: Sequence[KeptUnits]) -> None:
        """Have what hangs on these keys looked at now: a hold was released."""
        await self.claims.look_again([one.keys_id for one in records])

    async def kept(self, records: Sequence[KeptUnits]) -> list[Mapping[str, str]]:
        """Return until when what lies under these keys is kept, and why (GDPR 15(1)(d))."""
        found = {
            record.name: record
            for one in records
            for record in await self.records.where(keys_ids=one.keys_id)
        }
        every = [
            judged
            for name in sorted(found)
            for judged, settled in await self._explained(found[name])
            if settled is None
        ]
        standing = {hold for one in every for hold in one.holds}
        held: Mapping[str, KeptHold] = {}
        if standing and self.rooms.holds is not None:
            held = await self.rooms.holds.known(standing)
        return [_until(one, held) for one in every]

    async def _explained(self, record: KeptRecord) -> tuple[Explained, ...]:
        holds: tuple[Hold, ...] = ()
        if self.rooms.holds is not None:
            holds = await self.rooms.holds.holds_of(record.kind, record.record)
        return explained(record, self.schedule(), self.house.clock.now(), holds)

    async def _page(self, kind: str | None, after: str) -> list[KeptRecord]:
        asked: dict[str, Any] = {"_id": {"$gt": after}}
        if kind is not None:
            # Behind the last name of a kind comes the first of the next: ";" follows ":".
            asked["_id"] = {"$gt": max(after, f"{kind}:"), "$lt": f"{kind};"}
        with faults():
            found = self.records.collection.find(asked, {"state": 1}).sort("_id", 1).limit(PAGE)
            return [self.records.parse(one["state"]) for one in await found.to_list(PAGE)]


def standing(one: Explained) -> str:
    """Return how a clock stands, in a word: its verdict, or that it was settled."""
    judged, settled = one
    return "settled" if settled is not None else judged.verdict


def _until(judged: Judged, held: Mapping[str, KeptHold]) -> Mapping[str, str]:
    """Say until when a clock lets a record be; what something else keeps has no date yet."""
    clock = judged.clock
    until = rfc3339(clock.ripe) if clock.ripe is not None else "not known yet"
    why = f"{clock.action} by rule {clock.rule} ({clock.clause}), schedule {clock.version}"
    keeps = [f"kept by {one.keep} ({one.clause})" for one in clock.kept]
    reviews = {held[one].review_on.isoformat() for one in judged.holds if one in held}
    if judged.holds:
        until += ", and until no hold stands on it"
        keeps.append(f"held by a decision, reviewed by {', '.join(sorted(reviews)) or 'none'}")
    return {"what": clock.kind, "until": until, "why": "; ".join([why, *keeps])}


def _is_wanted(one: Explained, wanted: Wanted) -> bool:
    clock = one[0].clock
    return (
        (wanted.rule is None or clock.rule == wanted.rule)
        and (wanted.standing is None or standing(one) == wanted.standing)
        and (wanted.due_before is None or (clock.due is not None and clock.due < wanted.due_before))
    )
