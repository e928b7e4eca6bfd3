"""Ten years of records in a simulated time, and an oracle that reads the notices by itself.

Facts are dated at one time and heard at another, some of them twice and some months late; holds
come and go. The executor is the due loop of one record: the shipped functions, at ticks, over what
was heard. The oracle shares no line with them: it adds years to dates, knows each kind of record by
hand, and asks at every tick at which anything may have changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from random import Random
from typing import Final

from services.retention.model.clocks import Hold
from services.retention.model.dues import look, told
from services.retention.model.facts import Fact
from services.retention.model.records import KeptRecord, Settled, kept_facts, next_due
from shared.policy.retention import Schedule

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2034, 1, 1, tzinfo=UTC)
OLDEST = datetime(2013, 1, 1, tzinfo=UTC)
TICK = timedelta(minutes=1)
HELD = timedelta(days=30)  # so often what is held is looked at, though nobody said it was released
KEPT_SINCE = date(2026, 11, 22)  # the first day on which an answered request may be looked at
KINDS = ("application", "journal", "account", "volunteer-application", "request")
AWKWARD = [
    datetime.fromisoformat(f"{day}+00:00")
    for year in (2016, 2020, 2024, 2028)
    for day in (
        f"{year}-02-29T00:00:00",
        f"{year}-02-29T23:59:59",
        f"{year}-03-31T00:59:59",
        f"{year}-10-31T01:30:00",
        f"{year}-12-31T12:00:00",
        f"{year - 1}-02-28T23:59:59",
        f"{year - 1}-12-30T11:00:00",
    )
]
# What may follow what in the life of a record, and how likely the life goes on.
LIVES: Final[Mapping[str, tuple[str, Mapping[str, Sequence[str]], float]]] = {
    "application": (
        "applied",
        {
            "applied": ("rejected", "rejected", "accepted"),
            "rejected": ("reopened", "accepted", "journal-indexed"),
            "reopened": ("rejected", "accepted"),
            "accepted": ("journal-indexed",),
            "journal-indexed": ("journal-withdrawn",),
            "journal-withdrawn": ("journal-reinstated", "journal-withdrawn"),
            "journal-reinstated": ("journal-withdrawn",),
        },
        0.7,
    ),
    "journal": (
        "indexed",
        {
            "indexed": ("withdrawn",),
            "withdrawn": ("reinstated", "reinstated", "withdrawn"),
            "reinstated": ("withdrawn",),
        },
        0.8,
    ),
    "volunteer-application": (
        "applied",
        {"applied": ("accepted", "rejected"), "accepted": ("archived",), "rejected": ("archived",)},
        0.9,
    ),
    "request": (
        "received",
        {
            "received": ("answered", "answered", "taken-back", "paused", "extended"),
            "paused": ("resumed", "resumed", "taken-back"),
            "resumed": ("answered", "paused", "extended"),
            "extended": ("answered", "paused", "taken-back"),
        },
        0.6,
    ),
}


@dataclass(slots=True)
class Record:
    """One record: what happened to it, when each of that is heard, and its holds."""

    kind: str
    name: str
    heard: list[tuple[datetime, Fact]]
    holds: list[tuple[datetime, datetime, str]] = field(default_factory=list)

    def known(self, now: datetime) -> list[Fact]:
        return [fact for at, fact in self.heard if at <= now]

    def held(self, now: datetime) -> list[Hold]:
        return [
            Hold(name, until if until <= now else None)
            for since, until, name in self.holds
            if since <= now
        ]

    def changes(self) -> list[datetime]:
        """Return when anything becomes known."""
        return [at for at, _fact in self.heard] + [
            at for since, until, _name in self.holds for at in (since, until)
        ]


def a_record(number: int, random: Random) -> Record:
    kind = KINDS[number % len(KINDS)]
    facts = _account(random) if kind == "account" else _life(kind, random)
    heard = [(_heard(fact, random), fact) for fact in facts]
    heard += [(at + _some(random, 400), fact) for at, fact in heard if random.random() < 0.2]
    random.shuffle(heard)
    holds = []
    for name in range(random.choice((0, 0, 0, 1, 2, 3))):
        since = BEGIN + _some(random, 3600)
        holds.append((since, since + _some(random, 900), f"hold-{name}"))
    return Record(kind, f"{kind}-{number}", heard, holds)


def _life(kind: str, random: Random) -> Iterator[Fact]:
    what, then, likely = LIVES[kind]
    at = _begin(random)
    yield Fact(what, at)
    while what in then and random.random() < likely:
        what = random.choice(then[what])
        at = _next(at, random, 60 if kind in {"request", "volunteer-application"} else 2000)
        yield Fact(what, at)


def _account(random: Random) -> Iterator[Fact]:
    at = _begin(random)
    yield Fact(random.choice(("registered", "invited")), at)
    for thing in range(random.choice((0, 0, 1, 2))):
        linked = at
        for _again in range(random.choice((1, 1, 2))):
            linked = _next(linked, random, 1500)
            yield Fact("record-linked", linked, f"journal:{thing}")
            if random.random() < 0.7:
                linked = _next(linked, random, 1500)
                yield Fact("record-released", linked, f"journal:{thing}")
    if random.random() < 0.2:
        yield Fact("closed", _next(at, random, 5000))


def _begin(random: Random) -> datetime:
    if random.random() < 0.3:
        return random.choice(AWKWARD)
    return OLDEST + _some(random, 15 * 365)


def _next(at: datetime, random: Random, days: int) -> datetime:
    later = [one for one in AWKWARD if at < one < at + timedelta(days=days)]
    return random.choice(later) if later and random.random() < 0.3 else at + _some(random, days)


def _heard(fact: Fact, random: Random) -> datetime:
    assert fact.at is not None
    late = random.choice((0.0, 0.0, 0.0, 0.001, 1.0, 300.0))
    return max(BEGIN, fact.at + late * _some(random, 1))


def _some(random: Random, days: int) -> timedelta:
    return timedelta(seconds=random.randint(1, days * 86_400))


def tick_of(at: datetime) -> datetime:
    """Return the first tick that is not before a moment."""
    over = (at - BEGIN) % TICK
    return at + (TICK - over if over else over)


@dataclass(slots=True)
class Row:
    """A row of the fact table: the record, and when it is looked at next, as the store keeps it."""

    record: KeptRecord
    schedule: Schedule
    again: datetime | None = None

    def hear(self, facts: Sequence[Fact]) -> None:
        """Write down what is known now; that anything is due follows from it (store/records.py)."""
        self._write(self.record.model_copy(update={"facts": kept_facts(facts)}))

    def look(self, now: datetime, holds: Sequence[Hold]) -> Sequence[Settled]:
        """Take the step of the due loop (commands/dues.py); return what it settled and told."""
        before = len(self.record.settled)
        found = look(self.record, self.schedule, now, holds, every=HELD)
        if found.settled is None:
            assert found.again is None or found.again > now, "it would be looked at for ever"
            self.again = found.again
            return ()
        settled = found.settled.settled[before:]
        self._write(told(found.settled, {one.clock: "begun" for one in settled}, now))
        return settled

    def _write(self, record: KeptRecord) -> None:
        self.record = record
        self.again = next_due(record, self.schedule)


def executed(record: Record, schedule: Schedule) -> dict[str, datetime]:
    """Run one record through ten years; return the tick at which each rule was carried out.

    What runs is what is shipped: ``next_due`` says when a record is looked at, ``look`` what is
    settled and when it is looked at again. Beside that only what becomes known wakes anybody, and
    that a hold was released. What was deleted is gone, and its clocks with it.
    """
    kept = KeptRecord(kind=record.kind, record=record.name, service="accounts", version=1)
    row = Row(kept, schedule)
    changes = sorted(record.changes())
    heard = {at for at, _fact in record.heard}
    released = {until for _since, until, _name in record.holds}
    done: dict[str, datetime] = {}
    known = last = BEGIN
    while True:
        tick = tick_of(max(row.again, last)) if row.again is not None else END
        if changes and changes[0] <= tick:
            known = changes.pop(0)
            last = tick_of(known)
            if known in heard:
                row.hear(record.known(known))
            if known in released:
                row.again = known  # store/claims.py: look_again
            continue
        if tick >= END:
            return done
        last = tick
        for one in row.look(tick, record.held(tick)):
            # Late by less than a tick, counted from when it was known and possible.
            assert timedelta(0) <= tick - max(one.due, known, BEGIN) < TICK
            done.setdefault(one.rule, tick)
            if one.action == "delete":
                return {"deleted": tick}


# -- The oracle


def expected(record: Record, zone: tzinfo) -> dict[str, datetime]:
    """Return what the notices say should have been done, and at which tick."""
    done: dict[str, datetime] = {}
    for now in _ticks(record, zone):
        facts = sorted(set(record.known(now)), key=lambda fact: fact.at or now)
        held = any(since <= now < until for since, until, _name in record.holds)
        today = now.astimezone(zone).date()
        if record.kind == "account":
            if _old_and_empty(facts, today, zone):
                done.setdefault("stale-account", now)
        elif record.kind == "request":
            for rule, limit in _limits(facts, zone).items():
                if now >= limit:
                    done.setdefault(rule, now)
            ended = [fact for fact in facts if fact.what in {"answered", "taken-back"}]
            if ended and today >= KEPT_SINCE and today > _on(ended[0], zone, years=3):
                done.setdefault("answered-request", now)
        elif not held and _over(record.kind, facts, today, zone):
            return {"deleted": now}
    return done


def _over(kind: str, facts: Sequence[Fact], today: date, zone: tzinfo) -> bool:
    if kind == "volunteer-application":
        archived = [fact for fact in facts if fact.what == "archived"]
        return bool(archived) and today > _on(archived[0], zone, months=2)
    prefix = "journal-" if kind == "application" else ""
    begun, removed, rejected = False, None, None
    for fact in facts:
        what = fact.what.removeprefix(prefix)
        if what in {"indexed", "reinstated"}:
            begun = True
            removed = None if what == "reinstated" else removed
        elif what == "withdrawn":
            begun, removed = False, fact
        elif what in {"reopened", "accepted"}:
            rejected = None
        elif what == "rejected":
            rejected = rejected or fact
    waiting = [fact for fact in (removed, rejected) if fact is not None]
    return not begun and bool(waiting) and all(today > _on(fact, zone, years=7) for fact in waiting)


def _old_and_empty(facts: Sequence[Fact], today: date, zone: tzinfo) -> bool:
    hanging: set[str] = set()
    began = None
    for fact in facts:
        if fact.what in {"registered", "invited"}:
            began = fact
        elif fact.what == "closed":
            return False
        elif fact.what == "record-linked":
            hanging.add(fact.about)
        else:
            hanging.discard(fact.about)
    return began is not None and not hanging and today > _on(began, zone, years=7)


def _limits(facts: Sequence[Fact], zone: tzinfo) -> dict[str, datetime]:
    """Return by when an answer is due, where one is: what waits for the person waits."""
    at = {fact.what: fact.at for fact in facts}
    received = at.get("received")
    if received is None or {"answered", "taken-back"} & at.keys():
        return {}
    waited, since = timedelta(0), None
    for fact in facts:
        if fact.what == "paused":
            since = since or fact.at
        elif fact.what == "resumed" and since is not None and fact.at is not None:
            waited, since = waited + (fact.at - since), None
    if since is not None:
        return {}
    local = received.astimezone(zone).replace(tzinfo=None)
    thirty = local + timedelta(days=30)
    if "extended" in at:
        day = _on(Fact("", received), zone, months=2) + timedelta(days=30)
        thirty = datetime.combine(day, local.time())
    by_law = _there(thirty, zone) + waited
    while by_law.astimezone(zone).strftime("%w") in {"0", "6"}:
        by_law = _there(by_law.astimezone(zone).replace(tzinfo=None) - timedelta(days=1), zone)
    return {
        "answer-by-the-notice": _there(local + timedelta(days=40), zone) + waited,
        "answer-by-the-law": by_law,
    }


def _there(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _on(fact: Fact, zone: tzinfo, *, years: int = 0, months: int = 0) -> date:
    """Return the last day of so long after a fact: back from the day until there is one."""
    assert fact.at is not None
    day = fact.at.astimezone(zone).date()
    month = day.month - 1 + months
    for back in range(4):
        try:
            return date(day.year + years + month // 12, month % 12 + 1, day.day - back)
        except ValueError:
            continue
    raise AssertionError(day)


def _ticks(record: Record, zone: tzinfo) -> list[datetime]:
    """Return every tick at which an answer may be another one than before."""
    moments = set(record.changes())
    if record.kind == "request":
        for at in record.changes():
            facts = sorted(set(record.known(at)), key=lambda fact: fact.at or at)
            moments.update(_limits(facts, zone).values())
    for _at, fact in record.heard:
        last = [_on(fact, zone, years=7), _on(fact, zone, years=3), _on(fact, zone, months=2)]
        for following in (KEPT_SINCE, *(day + timedelta(days=1) for day in last)):
            moments.add(datetime(following.year, following.month, following.day, tzinfo=zone))
    ticks = {tick_of(max(BEGIN, moment.astimezone(UTC))) for moment in moments}
    return sorted(tick for tick in ticks if tick < END)
