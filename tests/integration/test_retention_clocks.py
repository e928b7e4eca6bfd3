"""Clocks on the real pair: facts come in, what is due is settled once, and all can be seen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from services.retention.commands.dues import Dues
from services.retention.commands.facts import Facts
from services.retention.commands.refold import Refolding
from services.retention.commands.timing import Timing
from services.retention.model.clocks import Hold
from services.retention.model.records import KeptRecord
from services.retention.settings import Settings
from services.retention.store import prepare
from services.retention.store.bursts import open_bursts
from services.retention.store.claims import Claims
from services.retention.store.records import open_records
from services.retention.wiring import Due, House, Rooms
from shared.events import Event, Meta, Received
from shared.kafka import topics
from shared.mongo import Database, connect
from shared.policy.retention import Schedule, load_retention, parse_retention
from shared.runtime.bell import unheard
from shared.runtime.clock import ManualClock, rfc3339
from shared.runtime.health import Health
from shared.runtime.ids import new_id
from tests.events import speaking
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, Running, service, until
from tests.retaining import (
    application,
    applied,
    archived,
    moment,
    owning,
    pseudonym,
    registered,
)

FILE = ROOT / "deploy" / "policies" / "retention.toml"
VOLUNTEER = "volunteer-application"
RULE = "archived-volunteer-application"
SKEW = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def retention(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Place, Running]]:
    """Run one retention for all tests here that only look at it."""
    name = f"c{new_id()[-10:]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    place = Place(
        platform.kafka_bootstrap, platform.mongodb_url, name, tmp_path_factory.mktemp("clocks")
    )
    async with service("retention", place, "api", "clocks") as running:
        yield place, running


async def ask(running: Running, path: str, **query: str) -> Any:
    async with (
        aiohttp.ClientSession(headers=OPERATOR) as session,
        session.get(running.url + path, params=query) as answer,
    ):
        return await answer.json() if answer.status == 200 else answer.status


async def known(place: Place, account: str) -> Any:
    """Find what is kept of an account that may have no clock yet."""
    name = place.environment("retention")["DATABASE_PREFIX"] + "retention"
    async with connect(place.mongodb_url, name) as database:
        return await database["records"].find_one({"_id": f"account:{account}"})


@pytest.mark.clause("DOAJ-6c3", "DOAJ-6b2")
async def test_facts_of_other_services_become_clocks_that_say_why_they_run(
    retention: tuple[Place, Running],
) -> None:
    place, running = retention
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await deposits.say(owning(1, "1234-5678"), at=moment("2020-01-01"))
        await until(partial(known, place, pseudonym(1)), within=60, what="the link")
        await accounts.say(
            registered(1, "2012-02-29"), registered(2, "2012-02-29"), applied(3, "2026-09-01")
        )
        await accounts.say(archived(3, "2026-11-20"))

    async def clock(kind: str, record: str, standing: str) -> Any:
        found = await ask(running, f"/clocks/{kind}/{record}")
        matching = [] if isinstance(found, int) else found["clocks"]
        return next((one for one in matching if one["standing"] == standing), None)

    def account(standing: str, number: int) -> Any:
        return until(
            lambda: clock("account", pseudonym(number), standing), within=60, what=standing
        )

    kept = await account("kept", 1)
    assert (kept["rule"], kept["clause"]) == ("stale-account", "DOAJ-6b2")
    assert kept["due"] == "2023-11-01T00:00:00Z"  # not before the rule itself
    assert kept["kept"] == [
        {
            "keep": "account-with-records",
            "clause": "DOAJ-6b2",
            "because": [
                {"what": "record-linked", "at": "2020-01-01T00:00:00Z", "about": "1234-5678"}
            ],
        }
    ]
    settled = await account("settled", 2)
    assert settled["because"] == [
        {"what": "registered", "at": "2012-02-29T00:00:00Z", "about": None}
    ]
    early = await until(lambda: clock(VOLUNTEER, application(3), "early"), what="early")
    assert early["due"] == early["ripe"] == "2027-01-21T00:00:00Z"
    assert early["classes"] == ["volunteer-application"]
    assert early["version"] == load_retention(FILE).version


async def test_clocks_are_listed_by_kind_rule_standing_and_due_date_page_by_page(
    retention: tuple[Place, Running],
) -> None:
    place, running = retention
    async with speaking(place, "accounts") as (accounts,):
        await accounts.say(*(archived(100 + n, "2026-11-20") for n in range(7)))

    async def listed() -> Any:
        found = await ask(running, "/clocks", kind=VOLUNTEER, rule=RULE, standing="early")
        return found["clocks"] if len(found["clocks"]) >= 7 else None

    every = await until(listed, what="all listed")
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await ask(running, "/clocks", kind=VOLUNTEER, rows="3", cursor=cursor)
        seen += [one["record"] for one in page["clocks"]]
        cursor = page["cursor"]
    assert seen == sorted(set(seen))
    assert {one["record"] for one in every} <= set(seen)
    before = {"due-before": "2027-01-21T00:00:00Z"}
    assert (await ask(running, "/clocks", kind=VOLUNTEER, **before))["clocks"] == []
    assert await ask(running, "/clocks/account/nobody") == 404
    assert await ask(running, "/clocks", standing="sleeping") == 400


@dataclass(slots=True)
class Erasures:
    """Takes what is due, and knows a round by its id."""

    asked: list[Due] = field(default_factory=list)

    async def due(self, due: Due) -> str:
        self.asked.append(due)
        return f"erasure of {due.clock}"


@dataclass(slots=True)
class Holds:
    """Holds on single records."""

    placed: dict[str, Hold] = field(default_factory=dict)

    async def holds_of(self, _kind: str, record: str) -> tuple[Hold, ...]:
        return (self.placed[record],) if record in self.placed else ()


@dataclass(slots=True)
class Changing:
    """The schedule in force, which a test changes."""

    now: Schedule

    def current(self) -> Schedule:
        return self.now

    async def in_force(self, _now: Any) -> Schedule:
        return self.now


@dataclass(slots=True)
class World:
    """The due loop with a clock of its own, and those it tells."""

    database: Database
    clock: ManualClock
    rooms: Rooms
    erasing: Erasures
    holds: Holds
    schedules: Changing
    dues: Dues
    facts: Facts
    refolding: Refolding

    async def hear(self, *events: Event) -> None:
        meta = Meta(new_id(), "/services/accounts", rfc3339(self.clock.now()))
        await self.facts.hear([Received(event, meta) for event in events])

    async def record(self, number: int) -> KeptRecord:
        found = await self.facts.records.load(f"{VOLUNTEER}:{application(number)}")
        assert found is not None
        return found

    async def pass_until(self, text: str) -> None:
        self.clock.advance((moment(text) - self.clock.now()).total_seconds())
        while await self.dues.step():
            pass

    @property
    def asked(self) -> list[str]:
        return [due.record for due in self.erasing.asked]


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await worlds(database, ManualClock(moment("2026-01-01")))


async def all_heard() -> bool:
    """Nothing is on its way to these worlds: facts are handed to them."""
    return True


async def worlds(database: Database, clock: ManualClock) -> World:
    schedules = Changing(load_retention(FILE))
    erasing, holds = Erasures(), Holds()
    rooms = Rooms(erasing=cast("Any", erasing), holds=cast("Any", holds), schedules=schedules)
    unused: Any = None
    house = House(
        settings=Settings(),
        database=database,
        key_documents=unused,
        keys=unused,
        ring=unused,
        index=unused,
        personal=unused,
        schedule=schedules.now,
        health=Health(),
        clock=clock,
        wake=unheard,
        roles=frozenset({"clocks"}),
    )
    await prepare(database, database)
    records = open_records(database, schedules.current, clock)
    timing = Timing(clock, house.health, (), SKEW)
    claims, bursts = Claims(records, clock), open_bursts(database)
    dues = Dues(house, rooms, claims, all_heard, timing, bursts, held_seconds=60)
    refolding = Refolding(house, rooms, records)
    facts = Facts(records, frozenset())
    return World(database, clock, rooms, erasing, holds, schedules, dues, facts, refolding)


@pytest.mark.law("P6")
async def test_what_is_due_is_settled_once_not_before_and_not_after_its_tick(world: World) -> None:
    await world.hear(*(archived(n, "2026-01-31") for n in range(3)))
    await world.pass_until("2026-03-31T23:59:59")
    assert world.asked == []
    await world.pass_until("2026-04-01")
    assert sorted(world.asked) == [application(n) for n in range(3)]
    due = world.erasing.asked[0]
    assert (due.rule, due.clause, due.version) == (RULE, "DOAJ-6c3", world.schedules.now.version)
    assert (due.service, due.kind, due.due) == ("accounts", VOLUNTEER, moment("2026-04-01"))
    assert {one.keys_id.partition(".")[2] for one in due.records} == {"volunteer-application"}
    assert all(one.units == (due.record,) for one in due.records)
    await world.pass_until("2030-01-01")
    assert len(world.asked) == 3
    settled = (await world.record(0)).settled
    assert [one.erasure for one in settled] == [f"erasure of {settled[0].clock}"]


@pytest.mark.law("P6")
async def test_nothing_due_is_settled_before_all_facts_were_heard(world: World) -> None:
    """An archived application may have been taken up again: that stands later in the log."""
    heard = False

    async def all_heard() -> bool:
        return heard

    world.dues.heard = all_heard
    await world.hear(archived(1, "2026-01-31"))
    await world.pass_until("2026-05-01")
    assert world.asked == []
    heard = True
    await world.dues.step()
    assert world.asked == [application(1)]


@pytest.mark.law("P6")
async def test_by_a_clock_that_jumped_ahead_nothing_is_settled_and_nothing_is_late_afterwards(
    world: World,
) -> None:
    await world.hear(archived(1, "2026-01-31"))
    await world.pass_until("2026-03-30")
    year = timedelta(days=365).total_seconds()
    world.clock.jump(year)
    record = await world.record(1)
    # A hold that goes meanwhile has the record looked at: at once, whatever the clock says.
    await world.dues.claims.look_again([one.keys_id for one in record.keys])
    for _ in range(3):
        assert not await world.dues.step()
        world.clock.advance(60)
    assert world.asked == []
    (part,) = world.dues.house.health.readiness()
    assert (part.ok, "31536000 s ahead" in part.why) == (False, True)
    world.clock.jump(-year)
    await world.pass_until("2026-03-31T23:59:59")
    assert world.asked == []
    (part,) = world.dues.house.health.readiness()
    assert part.ok
    await world.pass_until("2026-04-01")
    assert world.asked == [application(1)]


@pytest.mark.law("P6")
async def test_a_clock_that_jumps_while_records_are_in_hand_settles_none_of_them(
    world: World,
) -> None:
    await world.hear(archived(1, "2026-01-31"))
    await world.dues.step()
    year = timedelta(days=365).total_seconds()
    now = world.clock.now() + timedelta(days=365)
    (claim,) = await world.dues.claims.take("one", 10, now=now)
    world.clock.jump(year)
    await world.dues._look(claim)
    assert world.asked == []


@pytest.mark.law("P6")
@pytest.mark.clause("DOAJ-6a4")
async def test_a_hold_stops_what_is_due_and_its_end_fires_what_is_overdue(world: World) -> None:
    world.holds.placed[application(1)] = Hold("h1")
    await world.hear(archived(1, "2026-01-31"), archived(2, "2026-01-31"))
    await world.pass_until("2026-05-01")
    assert world.asked == [application(2)]
    world.holds.placed[application(1)] = Hold("h1", released=world.clock.now())
    record = await world.record(1)
    await world.dues.claims.look_again([one.keys_id for one in record.keys])
    await world.dues.step()
    assert world.asked == [application(2), application(1)]
    # Where nobody says that a hold ended, it is found all the same.
    world.holds.placed[application(3)] = Hold("h2")
    await world.hear(archived(3, "2026-01-31"))
    await world.dues.step()
    del world.holds.placed[application(3)]
    await world.dues.step()
    assert application(3) not in world.asked
    world.clock.advance(61)
    await world.dues.step()
    assert application(3) in world.asked


@pytest.mark.law("P4")
async def test_a_claim_that_was_overtaken_by_a_fact_or_by_time_settles_nothing(
    world: World,
) -> None:
    await world.hear(archived(1, "2026-01-31"))
    world.clock.advance(timedelta(days=365).total_seconds())
    claims = world.dues.claims
    (first,) = await claims.take("one", 10, now=world.clock.now())
    assert await claims.take("two", 10, now=world.clock.now()) == []  # it is in hand
    world.clock.advance(claims.seconds + 1)  # the first holder was frozen so long
    (second,) = await claims.take("two", 10, now=world.clock.now())
    assert second.token == first.token + 1
    state = first.record.model_copy(update={"version": first.record.version + 1})
    assert await claims.write(first, state) is None
    assert not await claims.let_go(first, None)
    await world.hear(archived(1, "2026-02-15").model_copy(update={"version": 4}))
    assert await claims.write(second, state) is None  # a fact came in between
    await world.dues._look(first)
    assert world.asked == []


async def test_what_was_settled_is_told_until_somebody_takes_it_and_then_no_more(
    world: World,
) -> None:
    world.rooms.erasing = None
    await world.hear(archived(1, "2026-01-31"))
    await world.pass_until("2026-05-01")
    (untold,) = (await world.record(1)).settled
    assert untold.told_at is None
    world.rooms.erasing = cast("Any", world.erasing)
    world.clock.advance(61)
    await world.dues.step()
    await world.dues.step()
    assert [due.clock for due in world.erasing.asked] == [untold.clock]
    assert (await world.record(1)).settled[0].told_at == world.clock.now()


async def test_another_schedule_moves_what_is_due_of_records_already_known(world: World) -> None:
    await world.hear(archived(1, "2026-01-31"))
    longer = FILE.read_text().replace('period = "P2M"', 'period = "P3M"')
    version = f'version = "{world.schedules.now.version}"'
    world.schedules.now = parse_retention(longer.replace(version, 'version = "longer"').encode())
    assert not await world.refolding.step()  # others may not know of it yet
    world.clock.advance(6)
    while await world.refolding.step():
        pass
    await world.pass_until("2026-04-30")
    assert world.asked == []
    await world.pass_until("2026-05-01")
    assert world.erasing.asked[0].version == "longer"


async def test_two_who_look_at_once_begin_each_erasure_once(
    platform: Platform, database: Database, world: World
) -> None:
    async with connect(platform.mongodb_url, database.name) as again:
        other = await worlds(again, world.clock)
        other.rooms.erasing = cast("Any", world.erasing)
        await world.hear(*(archived(n, "2026-01-31") for n in range(40)))
        world.clock.advance(timedelta(days=365).total_seconds())
        while any(await asyncio.gather(world.dues.step(), other.dues.step())):
            pass
        await asyncio.gather(world.dues.step(), other.dues.step())
    assert len(world.asked) == len({due.clock for due in world.erasing.asked}) == 40


@pytest.mark.clause("DOAJ-6a1")
async def test_no_more_deletions_begin_in_a_tick_than_the_schedule_says_whoever_begins_them(
    platform: Platform, database: Database, world: World
) -> None:
    """Two processes share what a tick allows, and a restart does not begin it anew."""
    few = FILE.read_text().replace("burst = 500", "burst = 7")
    async with connect(platform.mongodb_url, database.name) as again:
        other = await worlds(again, world.clock)
        other.rooms.erasing = cast("Any", world.erasing)
        for one in (world, other):
            one.schedules.now = parse_retention(few.encode())
        await world.hear(*(archived(n, "2026-01-31") for n in range(17)))
        world.clock.advance(timedelta(days=365).total_seconds())
        for begun in (7, 14, 17):
            for _ in range(3):
                await asyncio.gather(world.dues.step(), other.dues.step())
                other.dues = (await worlds(again, world.clock)).dues  # it began anew
                other.dues.rooms, other.dues.house = other.rooms, world.dues.house
            assert len(world.asked) == begun
            world.clock.advance(60)
    assert len(set(world.asked)) == 17


@pytest.mark.clause("DOAJ-6b2")
async def test_what_deletes_nothing_is_not_counted(world: World) -> None:
    few = FILE.read_text().replace("burst = 500", "burst = 2")
    world.schedules.now = parse_retention(few.encode())
    world.holds.placed = {application(n): Hold(f"h{n}") for n in range(5)}
    await world.hear(*(archived(n, "2026-01-31") for n in range(7)))
    world.clock.advance(timedelta(days=365).total_seconds())
    for _ in range(5):
        await world.dues.step()
    assert sorted(world.asked) == [application(5), application(6)]
