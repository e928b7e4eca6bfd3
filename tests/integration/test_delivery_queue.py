"""The delivery queue on the real store: asked once, tried by one, noted by whoever has it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.deposits.model import Verdict
from services.deposits.store import Diagnostics, Filters
from shared.mongo import Database
from shared.mongo.deliveries import Deliveries, New, Settled
from shared.mongo.delivering import Delivering, Failed, Outcome, Patience, Sent
from shared.runtime.clock import ManualClock
from tests.processes import until


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def queue(database: Database, clock: ManualClock) -> Deliveries:
    made = Deliveries(database["deliveries"], timedelta(days=30), clock)
    await made.prepare()
    await made.prepare()
    return made


def new(name: str, share: str = "s") -> New:
    return New(name, "test", {"about": name}, share)


async def test_asking_twice_is_asking_once_even_when_it_is_done(
    queue: Deliveries, clock: ManualClock
) -> None:
    assert await queue.enqueue([new("a"), new("b")]) == 2
    assert await queue.enqueue([new("b"), new("c")]) == 1
    assert await queue.enqueue([]) == 0
    assert [one.id for one in await queue.due(most=10)] == ["a", "b", "c"]
    (tried,) = await queue.claim(
        [one for one in await queue.due(most=10) if one.id == "a"], holder="h", seconds=5
    )
    assert await queue.settle(tried, Settled("done", "200"))
    assert await queue.enqueue([new("a")]) == 0
    assert await queue.waiting(most=10) == 2
    done = await queue.one("a")
    assert done is not None
    assert (done.state, done.said, done.tries, done.payload) == ("done", "200", 1, {"about": "a"})
    assert done.ended_at == clock.now()


async def test_of_many_that_would_try_a_delivery_one_does(queue: Deliveries) -> None:
    await queue.enqueue([new(str(number)) for number in range(20)])
    seen = await queue.due(most=20)
    claims = await asyncio.gather(
        *(queue.claim(seen, holder=f"h{number}", seconds=5) for number in range(5))
    )
    won = [one.id for claimed in claims for one in claimed]
    assert sorted(won) == sorted(one.id for one in seen)
    assert await queue.due(most=20) == []


@pytest.mark.clause("DOAJ-6b1")
async def test_what_is_forgotten_says_nothing_is_tried_no_more_and_leaves_others_be(
    queue: Deliveries,
) -> None:
    await queue.enqueue([New(one, "test", {"sealed": one}, "s") for one in ("a", "b", "c", "d")])
    dead, trying, *_ = await queue.claim(await queue.due(most=2), holder="h", seconds=5)
    await queue.settle(dead, Settled("dead", "500"))
    assert sorted(one.id for one in await queue.sealed()) == ["a", "b", "c", "d"]
    await queue.forget([dead.id, trying.id, "c"], "erased")
    assert [one.id for one in await queue.sealed()] == ["d"]
    assert not await queue.settle(trying, Settled("waiting", "500"))
    assert [one.id for one in await queue.due(most=10)] == ["d"]
    assert await queue.listed("dead", after="", most=10) == []
    left = [await queue.one(one) for one in (dead.id, trying.id, "c")]
    assert [(one.state, one.payload) for one in left if one] == [("done", {})] * 3


async def test_a_try_that_came_too_late_says_nothing_and_the_next_one_counts(
    queue: Deliveries, clock: ManualClock
) -> None:
    await queue.enqueue([new("a")])
    (late,) = await queue.claim(await queue.due(most=1), holder="first", seconds=5)
    assert await queue.due(most=1) == []
    clock.advance(6)
    (second,) = await queue.claim(await queue.due(most=1), holder="second", seconds=5)
    assert (late.tries, second.tries) == (1, 2)
    assert not await queue.settle(late, Settled("dead", "500"))
    assert await queue.settle(second, Settled("waiting", "500", clock.now() + timedelta(hours=1)))
    assert await queue.due(most=1) == []
    clock.advance(3601)
    (again,) = await queue.due(most=1)
    assert (again.tries, again.said) == (2, "500")


async def test_what_was_given_up_is_listed_page_by_page_and_begins_anew_when_asked(
    queue: Deliveries, clock: ManualClock
) -> None:
    await queue.enqueue([new(name) for name in "abcd"])
    claimed = await queue.claim(await queue.due(most=4), holder="h", seconds=5)
    for one in claimed:
        await queue.settle(one, Settled("dead" if one.id != "d" else "done", "500"))
    assert [one.id for one in await queue.listed("dead", after="", most=2)] == ["a", "b"]
    assert [one.id for one in await queue.listed("dead", after="b", most=2)] == ["c"]
    clock.advance(86_400)
    assert await queue.again("b")
    for not_dead in ("b", "d", "nowhere"):
        assert not await queue.again(not_dead)
    (again,) = await queue.due(most=9)
    assert (again.id, again.tries, again.since) == ("b", 0, clock.now())
    assert [one.id for one in await queue.listed("waiting", after="", most=9)] == ["b"]
    assert [one.id for one in await queue.listed("dead", after="", most=9)] == ["a", "c"]


async def test_the_loop_insists_where_a_sender_fails_or_breaks_and_leaves_out_full_shares(
    queue: Deliveries, clock: ManualClock
) -> None:
    tries: dict[str, int] = {}

    async def send(one: object) -> Outcome:
        name: str = one.id  # type: ignore[attr-defined]
        tries[name] = tries.get(name, 0) + 1
        match name:
            case "breaks" if tries[name] == 1:
                raise ZeroDivisionError
            case "fails" if tries[name] < 3:
                return Failed("503")
            case "hopeless":
                return Failed("500")
        return Sent("200")

    quick = Patience(first=0.001, most=0.001, span=1_000)
    loop = Delivering(queue, {"test": send}, quick, seconds=1, clock=clock)
    await queue.enqueue([new(name) for name in ("breaks", "fails", "good")])
    await queue.enqueue([new("hopeless", "t"), New("strange", "unknown", {}, "u")])
    draining = asyncio.Event()

    def stands(name: str, state: str, step: float) -> Callable[[], object]:
        async def there() -> bool:
            clock.advance(step)
            loop.wake.set()
            found = await queue.one(name)
            return found is not None and found.state == state

        return there

    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run(draining))
        for name in ("breaks", "fails", "good"):
            await until(stands(name, "done", 0.01), what=name)  # type: ignore[arg-type]
        for name in ("hopeless", "strange"):
            await until(stands(name, "dead", 600), what=name)  # type: ignore[arg-type]
        draining.set()
    assert (tries["breaks"], tries["fails"], tries["good"]) == (2, 3, 1)
    assert tries["hopeless"] > 1
    assert "strange" not in tries


@pytest.mark.parametrize("records", [0, 1, 16, 17, 300])
async def test_how_many_records_are_judged_is_found_by_a_few_looks(
    database: Database, records: int
) -> None:
    diagnostics = Diagnostics(database)
    verdicts = {
        f"7#{index}": Verdict("Failure" if index % 7 == 3 else "Success", f"10.5555/{index}", "m")
        for index in range(records)
    }
    await diagnostics.add({f"70#{index}": Verdict("Success", "", "m") for index in range(40)})
    for start in range(0, records, 250):
        await diagnostics.add(dict(list(verdicts.items())[start : start + 250]))
        assert await diagnostics.judged("7") == min(start + 250, records)
    assert await diagnostics.judged("7") == records
    assert await Diagnostics(database).judged("7") == records
    failed = [index for index in range(records) if index % 7 == 3]
    found, start = [], 0
    while True:
        page, start, full = await diagnostics.matching(
            "7", Filters(status="Failure"), start=start, rows=20
        )
        found += [one.index for one in page]
        if not full:
            break
    assert found == failed
