"""Group commit: nobody waits for company, nobody is lost, and faults reach whom they concern."""

import asyncio
from collections.abc import Sequence

import pytest

from services.deposits.store.together import Together


class Work:
    """Doubles numbers, one batch at a time, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.begun.set()
        await self.gate.wait()
        if 13 in items:
            raise ValueError("thirteen")
        return [2 * item for item in items]


async def test_what_waits_during_a_round_trip_goes_together_in_the_next() -> None:
    work = Work()
    together = Together(work, most=3)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(together.do(number)) for number in range(6)]
        await work.begun.wait()
        assert work.batches == [[0]]
        work.gate.set()
    assert [task.result() for task in tasks] == [0, 2, 4, 6, 8, 10]
    assert [0] in work.batches
    assert sorted(one for batch in work.batches for one in batch) == list(range(6))
    assert max(map(len, work.batches)) == 3


async def test_a_fault_reaches_all_of_its_batch_and_nobody_else() -> None:
    work = Work()
    together = Together(work, most=2)
    tasks = [asyncio.ensure_future(together.do(number)) for number in (1, 13, 2, 3)]
    await asyncio.sleep(0)
    work.gate.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    failed = next(batch for batch in work.batches if 13 in batch)
    for number, outcome in zip((1, 13, 2, 3), done, strict=True):
        assert isinstance(outcome, ValueError) == (number in failed)


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_a_caller_that_is_cancelled_stops_nobody_else(cancelled: int) -> None:
    work = Work()
    together = Together(work, most=2)
    tasks = [asyncio.ensure_future(together.do(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[cancelled].cancel()
    await asyncio.sleep(0)
    work.gate.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for number, outcome in enumerate(done):
        if number == cancelled:
            assert isinstance(outcome, asyncio.CancelledError)
        else:
            assert outcome == 2 * number
