"""P3 and P4: an erasure is done only by everybody's evidence, and a hold keeps its keys.

Retention's loop runs over a store in memory. Services are slow or blind, holds come and go, people
ask twice, records turn up late, and the process dies at any access to the store. What must never be
is watched at each write (tests/laws/erasure_world.py); what must be in the end is said here.
"""

import os
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.retention.model import erasures
from services.retention.model.erasures import ENDS, GIVEN_UP
from services.retention.wiring import Due
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.privacy.certificates.statement import Compaction, seen_of
from shared.privacy.lifecycle import KeptKeys
from shared.runtime import crashpoints
from tests.laws.erasure_world import ASKED, PEOPLE, SCHEDULE, SERVICES, Killed, World
from tests.laws.turns import run

ROUNDS = 30
POINTS = (
    "saga.look-ordered",
    "saga.planned",
    "saga.collected",
    "saga.key-fenced",
    "saga.fenced",
    "saga.destroying",
    "saga.entered",
    "saga.key-destroyed",
    "saga.destroyed",
    "saga.erase-ordered",
    "saga.evidenced",
    "saga.compacted",
    "saga.irrecoverable",
    "saga.scanned",
    "saga.in-tree",
    "saga.certified",
    "saga.closed",
    "saga.released",
)


async def happens(world: World, number: int) -> None:
    """Let something happen that is not retention's doing."""
    dice = world.dice
    others = (_late, _too_late, _learns, _asks, _approves, _holds, _gives_up)
    done = dice.choice((_answers, _answers, _answers, *others))
    await done(world, number)
    world.relay()


async def _answers(world: World, _number: int) -> None:
    for order in world.orders():
        for service in world.open_to(order):
            if world.dice.random() < 0.6:
                await world.answer(order, service, blind=world.dice.random() < 0.2)


async def _late(world: World, number: int) -> None:
    await world.keeps(world.dice.choice(SERVICES), world.dice.choice(PEOPLE), number)


async def _too_late(world: World, _number: int) -> None:
    """Have somebody write under a key that is gone."""
    gone = [
        keys.keys_id
        for keys in map(_keys, world.documents["keys"].documents.values())
        if keys.fence == "destroyed" and keys.keys_id in world.kept_at
    ]
    if gone:
        world.comes_late(world.dice.choice(SERVICES), world.dice.choice(gone))


async def _learns(world: World, number: int) -> None:
    """Have a build hold what it does not look through, or go on as one that does."""
    service = world.dice.choice(SERVICES)
    await world.keeps_unknown(service, world.dice.choice(PEOPLE), number)
    if world.dice.random() < 0.5:
        world.learns(service)


def _keys(document: dict[str, Any]) -> KeptKeys:
    return KeptKeys.model_validate_json(document["state"])


async def _asks(world: World, number: int) -> None:
    if len(world.whose) < 4:
        await world.ask(world.dice.choice(PEOPLE), f"request-{number}")


async def _approves(world: World, _number: int) -> None:
    for erasure in world.whose:
        if world.state(erasure).step == "planned":
            await world.erasures.approve(erasure, "officer", at_once=world.dice.random() < 0.5)


async def _holds(world: World, _number: int) -> None:
    held = [keys for every in world.held.values() for keys in every]
    if held:
        place = world.dice.choice((world.keys.restrict, world.keys.release))
        await place(world.dice.choice(held), "case")


async def _gives_up(world: World, _number: int) -> None:
    erasure, dice = world.dice.choice(list(world.whose)), world.dice.random()
    if dice < 0.1:
        await world.erasures.take_back(erasure, "officer")
    elif dice < 0.2:
        await world.erasures.refuse(erasure, "officer", "not-verified")


async def in_the_end(world: World) -> None:
    """Nobody is slow any more, nothing is held, nobody dies."""
    world.deadly = 0.0
    for keys in list(world.documents["keys"].documents):
        await world.keys.release(keys, "case")
    for _ in range(60):
        for order in world.orders():
            for service in world.open_to(order):
                await world.answer(order, service, blind=False)
        for erasure in world.whose:
            if world.state(erasure).step == "planned":
                await world.erasures.approve(erasure, "officer", at_once=True)
        world.relay()
        await world.step(50_000.0)
        if all(world.state(one).step in ENDS for one in world.whose):
            return
    stuck = {one: world.state(one) for one in world.whose}
    said = {one: (of.step, of.awaiting) for one, of in stuck.items() if of.step not in ENDS}
    raise AssertionError(f"not at an end: {said}")


@pytest.mark.law("P3")
@pytest.mark.law("P4")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(seed=st.integers(0, 2**32), deadly=st.sampled_from([0.0, 0.01, 0.05]))
def test_whoever_dies_or_is_away_nothing_goes_unasked_under_a_hold_or_without_evidence(
    tmp_path: Path, seed: int, deadly: float
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(seed))
        for number, person in enumerate(PEOPLE):
            await world.keeps(world.dice.choice(SERVICES), person, number)
        await world.ask(PEOPLE[0], "first")
        for number in range(10, 10 + ROUNDS):
            with world.safe():
                await happens(world, number)
            world.deadly = deadly
            await world.step()
        await in_the_end(world)
        ends(world)

    run(lives())


def ends(world: World) -> None:
    """Say what is so when all is over: certificates, the ledger, and nothing fenced in vain."""
    assert world.broken == []
    certified = {one for one in world.whose if world.state(one).certificate is not None}
    assert certified == {one for one in world.whose if world.state(one).step not in GIVEN_UP}
    entries = list(world.database["ledger"].documents.values())
    numbers = [one["state"] for one in entries]
    assert {one["_id"] for one in entries} <= certified
    assert len(set(numbers)) == len(entries)
    for erasure in certified:
        said = world.certificate(erasure).statement
        assert sorted(one.service for one in said.evidence) == sorted(world.asked)
        seen = [(one.seen, one.replicas) for one in seen_of(said.compaction)]
        assert (said.guarantees.replicas, set(seen) <= {(1, 3)}) == (1, True)  # never all of them
        assert said.levels.gone >= world.late_until.get(erasure, said.levels.gone)
    for name, erasure in world.must_go.items():
        document = world.documents["keys"].documents[name]
        assert erasure in certified
        if world.state(erasure).whole_person:
            assert KeptKeys.model_validate_json(document["state"]).fence == "destroyed"
    for document in world.documents["keys"].documents.values():
        keys = KeptKeys.model_validate_json(document["state"])
        if keys.fence == "fenced":
            raise AssertionError(f"fenced, and for nobody: {world.state(keys.cause or '').step}")
        if keys.fence == "destroyed" and keys.cause in world.whose:
            ended = world.state(keys.cause)
            assert ended.certificate is not None or keys.keys_id.endswith(".erasure-request")


@pytest.mark.law("P3")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_named_place_an_erasure_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    struck = []

    def killed(_pid: int, _signal: int) -> None:
        struck.append(point)
        raise Killed

    monkeypatch.setattr(crashpoints, "_name", point)
    monkeypatch.setattr(crashpoints, "_left", 1)
    monkeypatch.setattr(crashpoints, "os", SimpleNamespace(kill=killed, getpid=os.getpid))

    async def lives() -> None:
        world = World(tmp_path, Random(1))
        for number, service in enumerate(SERVICES[:2]):
            await world.keeps(service, PEOPLE[0], number)
        await world.keeps(SERVICES[0], PEOPLE[1], 9)
        erasure = await world.ask(PEOPLE[0], "first")
        if point == "saga.released":
            await taken_back(world, erasure)
        await in_the_end(world)
        ends(world)
        left = [whose for every in world.held.values() for whose in every.values()]
        readable = sorted([PEOPLE[0]] * 2 if point == "saga.released" else [])
        assert sorted(left) == [*readable, PEOPLE[1]]
        assert world.turn == 3  # one died, another went on

    run(lives())
    assert struck == [point]


async def taken_back(world: World, erasure: str) -> None:
    """Take an erasure back once it has fenced."""
    while world.state(erasure).step != "fenced":
        for order in world.orders():
            for service in world.open_to(order):
                await world.answer(order, service, blind=False)
        if world.state(erasure).step == "planned":
            await world.erasures.approve(erasure, "officer", at_once=True)
        world.relay()
        await world.step(1.0)
    await world.erasures.take_back(erasure, "officer")


async def everybody_answers(world: World) -> None:
    """Have every service answer every order that stands."""
    for order in world.orders():
        for service in world.open_to(order):
            await world.answer(order, service, blind=False)


async def until(world: World, erasure: str, step: str, *, rounds: int = 0) -> None:
    """Let everybody answer and approve, until an erasure is at a step, in this round or later."""
    for _ in range(200):
        known = world.state(erasure)
        if known.step == step and len(known.rounds) >= rounds:
            return
        await everybody_answers(world)
        if known.step == "planned":
            await world.erasures.approve(erasure, "officer", at_once=True)
        world.relay()
        await world.step(4_000.0 if "compacted" in known.times else 40.0)
    raise AssertionError(f"not at {step}: {world.state(erasure).step}")


@pytest.mark.law("P3")
def test_a_service_that_holds_personal_data_only_since_the_plan_is_asked_too(
    tmp_path: Path,
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1), asked=SERVICES[:2])
        await world.keeps("accounts", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        while world.state(erasure).step != "ordered":
            for order in world.orders():
                for service in world.open_to(order):
                    await world.answer(order, service, blind=False)
            if world.state(erasure).step == "planned":
                await world.erasures.approve(erasure, "officer", at_once=True)
            world.relay()
            await world.step(40.0)
        await world.keeps("deposits", PEOPLE[0], 2)
        world.asked = SERVICES
        world.start()
        await in_the_end(world)
        ends(world)
        said = world.certificate(erasure).statement
        erased = {one.service: one.erased for one in said.evidence}
        assert erased == {"accounts": 1, "consent": 0, "deposits": 1, "retention": 0}
        assert not world.held["deposits"]

    run(lives())


@pytest.mark.law("P3")
@pytest.mark.law("P2")
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_written_under_a_key_that_is_gone_is_erased_again_and_all_is_shown_anew(
    tmp_path: Path, times: int
) -> None:
    """It is found by the scan; meanwhile the person registered anew, which nobody touches."""

    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        (keys,) = world.held["accounts"]
        before: tuple[Compaction, ...] = ()
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        for number in range(times):
            before = world.state(erasure).receipts or before
            world.comes_late("consent", keys)
            await world.keeps("accounts", PEOPLE[0], 10 + number)
            await until(world, erasure, "ordered", rounds=3 + number)
            back = world.state(erasure)
            assert (back.ends, back.receipts, back.irrecoverable_at) == ((), (), None)
            assert not {"evidenced", "compacted", "irrecoverable"} & back.times.keys()
            assert [one.by_keys for one in back.rounds] == [False, False, *[True] * (number + 1)]
            await everybody_answers(world)
        await in_the_end(world)
        ends(world)
        said = world.certificate(erasure).statement
        assert {one.service: one.erased for one in said.evidence}["consent"] == times
        assert min(one.at for one in said.compaction) > max(one.at for one in before)
        anew = [await world.keys.shown(one) for one in world.held["accounts"]]
        assert [one.fence for one in anew if one is not None] == ["active"] * times

    run(lives())


@pytest.mark.law("P3")
def test_what_nobody_can_erase_is_waited_for_and_nobody_is_asked_round_and_round(
    tmp_path: Path,
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        (keys,) = world.held["accounts"]
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        world.comes_late("nobody", keys)
        begun = world.clock.now()
        for _ in range(300):
            await everybody_answers(world)
            await world.step(600.0)
        hours = (world.clock.now() - begun) / ASKED.file.ask_again.lasts
        known = world.state(erasure)
        assert known.certificate is None
        assert erasures.overdue(known, begun + timedelta(days=30))
        assert 3 < len(known.rounds) <= 3 + hours
        assert world.accesses < 300 * 60  # none of these looks was a hot loop
        del world.disks.late[keys]
        await in_the_end(world)
        said = world.certificate(erasure).statement
        assert said.levels.gone == said.scan.at  # and not when it was compacted

    run(lives())


@pytest.mark.law("P3")
@pytest.mark.parametrize("registers", [False, True], ids=["alone", "with-somebody-new"])
def test_a_service_that_learned_since_its_proof_what_it_holds_proves_anew(
    tmp_path: Path, *, registers: bool
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        await world.keeps_unknown("deposits", PEOPLE[0], 2)
        (hidden,) = world.unknown["deposits"]
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        evidenced = world.state(erasure).times["evidenced"]
        world.learns("deposits")
        if registers:
            await world.keeps("accounts", PEOPLE[0], 3)
        await in_the_end(world)
        ends(world)
        assert world.state(erasure).times["evidenced"] > evidenced
        said = world.certificate(erasure).statement
        assert {one.service: one.erased for one in said.evidence}["deposits"] == 1
        left = await world.keys.shown(hidden)
        assert left is not None
        assert left.fence == "destroyed"
        assert said.levels.unreadable >= (left.destroyed_at or said.scan.at)
        assert len(world.held["accounts"]) == int(registers)  # who registered anew stays
        assert not world.held["deposits"]

    run(lives())


@pytest.mark.law("P3")
def test_a_service_that_is_added_while_epochs_are_waited_for_is_asked_before_the_certificate(
    tmp_path: Path,
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1), asked=SERVICES[:2])
        await world.keeps("accounts", PEOPLE[0], 1)
        await world.keeps("deposits", PEOPLE[0], 2)
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        world.asked = SERVICES
        world.start()
        await in_the_end(world)
        ends(world)
        said = world.certificate(erasure).statement
        erased = {one.service: one.erased for one in said.evidence}
        assert erased == {"accounts": 1, "consent": 0, "deposits": 1, "retention": 0}
        assert not world.held["deposits"]

    run(lives())


@pytest.mark.law("P3")
def test_who_is_away_at_the_last_look_is_waited_for_and_who_registered_anew_asks_nobody_again(
    tmp_path: Path,
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        await world.keeps("accounts", PEOPLE[0], 2)
        for blind in (None, True):
            for _ in range(20):
                await world.step(50_000.0)
                for order in world.orders() if blind is not None else ():
                    for service in world.open_to(order):
                        await world.answer(order, service, blind=service == "consent")
            known = world.state(erasure)
            assert (known.step, known.certificate, known.statement) == ("scanned", None, None)
            (waits,) = known.awaiting
            assert (waits.what, waits.who) == (
                "evidence",
                SERVICES if blind is None else ("consent",),
            )
        await in_the_end(world)
        ends(world)
        assert [one.kind for one in world.state(erasure).rounds] == ["look", "erase", "look"]
        assert len(world.held["accounts"]) == 1

    run(lives())


@pytest.mark.law("P3")
def test_put_back_before_its_certificate_an_erasure_gives_an_order_again_that_was_answered(
    tmp_path: Path,
) -> None:
    """The store lost the last look; its answers came back from their topics."""

    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        copies = deepcopy([world.database[one].documents for one in ("erasures", "orders")])
        await until(world, erasure, "scanned")
        await everybody_answers(world)
        for name, copy in zip(("erasures", "orders"), copies, strict=True):
            world.database[name].documents.clear()
            world.database[name].documents.update(copy)
        world.start()
        await in_the_end(world)
        ends(world)
        assert world.state(erasure).step == "closed"

    run(lives())


@pytest.mark.law("P3")
@pytest.mark.clause("DOAJ-8b")
@pytest.mark.parametrize("attested", [False, True], ids=["silent", "attested"])
def test_a_certificate_says_that_a_processor_was_told_only_where_somebody_attests_it(
    tmp_path: Path, *, attested: bool
) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1), processors=("act-on",))
        await world.keeps("consent", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        await until(world, erasure, "compacted")
        told_at = world.clock.now()
        if attested:
            done = await world.erasures.attest(erasure, "act-on", "told", "officer", told_at)
            assert not isinstance(done, Refused)
        await in_the_end(world)
        ends(world)
        (one,) = world.certificate(erasure).statement.processors
        assert one.listed_at is not None
        assert one.listed_at <= world.state(erasure).times["collected"]
        assert (one.state, one.told_at) == (("told", told_at) if attested else ("listed", None))

    run(lives())


@pytest.mark.law("P4")
def test_a_due_clock_is_told_twice_and_one_erasure_takes_its_record_alone(tmp_path: Path) -> None:
    async def lives() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        (keys,) = world.held["accounts"]
        due = Due(
            clock="clock-1",
            rule=SCHEDULE.file.rules[0].id,
            clause="DOAJ-6a1",
            version=SCHEDULE.version,
            service="accounts",
            kind="application",
            record="r",
            due=world.clock.now(),
            records=(KeptUnits(keys_id=keys, units=("u",)),),
        )
        erasure = await world.erasures.due(due)
        assert await world.erasures.due(due) == erasure
        world.whose[erasure] = PEOPLE[0]
        await in_the_end(world)
        said = world.certificate(erasure).statement
        assert (said.cause, said.rule) == ("due-clock", due.rule)
        assert [one.service for one in said.evidence] == ["accounts"]
        left = await world.keys.shown(keys)
        assert left is not None
        assert (left.fence, left.units, [one.unit for one in left.gone]) == ("active", {}, ["u"])

    run(lives())


@pytest.mark.law("P4")
@pytest.mark.parametrize("verb", ["take-back", "nothing"])
def test_who_was_frozen_with_a_step_in_hand_neither_destroys_nor_leaves_a_fence(
    tmp_path: Path, verb: str
) -> None:
    """At each access to the store of the steps that fence, in turn: frozen, and thawed at the end.

    Meanwhile another process has its turn, and the erasure is taken back, or carried to its end.
    """

    async def lives(frozen_at: int) -> bool:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        await world.keeps("consent", PEOPLE[0], 2)
        erasure = await world.ask(PEOPLE[0], "first")
        while world.state(erasure).step != "planned":
            for order in world.orders():
                for service in world.open_to(order):
                    await world.answer(order, service, blind=False)
            await world.step(1.0)
        late = world.running
        await world.erasures.approve(erasure, "officer", at_once=True)
        world.relay()
        begun = world.accesses

        async def meanwhile() -> None:
            world.start()
            if verb == "take-back":
                await world.erasures.take_back(erasure, "officer")
            await in_the_end(world)

        world.at_access[begun + frozen_at] = meanwhile
        world.clock.advance(40.0)
        await late.step()
        struck = not world.at_access
        if struck:
            world.at_access.clear()
            world.clock.advance(4_000.0)
            await late.step()
        await in_the_end(world)
        ends(world)
        if struck and verb == "take-back":
            assert world.state(erasure).step in ("taken-back", "closed")
        return struck

    frozen_at = 1
    while run(lives(frozen_at)):
        frozen_at += 1 if verb == "take-back" else 3
    assert frozen_at > 20


@pytest.mark.law("P2")
def test_whose_keys_are_put_back_before_they_are_destroyed_has_them_fenced_again(
    tmp_path: Path,
) -> None:
    """At each access to the store from the approval to the end of the keys, in turn."""

    async def lives(put_back_at: int) -> bool:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        while world.state(erasure).step != "planned":
            for order in world.orders():
                for service in world.open_to(order):
                    await world.answer(order, service, blind=False)
            await world.step(1.0)
        keys = world.documents["keys"].documents
        copy = deepcopy(keys)
        await world.erasures.approve(erasure, "officer", at_once=True)
        world.relay()
        put_back: list[str] = []

        async def meanwhile() -> None:
            put_back.append(world.state(erasure).step)
            keys.clear()
            keys.update(deepcopy(copy))
            raise Killed

        world.at_access[world.accesses + put_back_at] = meanwhile
        for _ in range(60):
            if put_back or world.state(erasure).step == "destroyed":
                break
            await world.step(40.0)
            world.relay()
        world.at_access.clear()
        if put_back[:1] in ([], ["destroyed"]):
            return False
        await in_the_end(world)
        ends(world)
        named = [one.keys_id for one in world.state(erasure).keys]
        left = [await world.keys.shown(one) for one in named]
        assert [one.fence for one in left if one is not None] == ["destroyed"] * len(named)
        return True

    put_back_at = 1
    while run(lives(put_back_at)):
        put_back_at += 1
    assert put_back_at > 20


@pytest.mark.law("P3")
@pytest.mark.parametrize("at", ["looking", "planned", "fenced", "ordered", "compacted"])
def test_an_erasure_that_was_put_back_after_its_certificate_has_no_other_one(
    tmp_path: Path, at: str
) -> None:
    """Ledger and answers came back from their topics; the document is as it was then."""

    async def program() -> None:
        world = World(tmp_path, Random(1))
        await world.keeps("accounts", PEOPLE[0], 1)
        erasure = await world.ask(PEOPLE[0], "first")
        documents = world.database["erasures"].documents
        copies = {"looking": deepcopy(documents[erasure])}
        for _ in range(60):
            copies.setdefault(world.state(erasure).step, deepcopy(documents[erasure]))
            for order in world.orders():
                for service in world.open_to(order):
                    await world.answer(order, service, blind=False)
            if world.state(erasure).step == "planned":
                await world.erasures.approve(erasure, "officer", at_once=True)
            world.relay()
            await world.step(4_000.0 if world.state(erasure).step == "compacted" else 6.0)
        first, records = world.certificate(erasure), len(world.tree.records)
        documents[erasure] = copies[at]
        world.start()
        await in_the_end(world)
        again = world.certificate(erasure)
        assert (again.statement, again.tree.index) == (first.statement, first.tree.index)
        assert len(world.tree.records) == records

    run(program())
