"""Several things in hand: a slow one holds up no other, and what is left at the end is cut."""

import asyncio

import pytest

from shared.runtime.hands import Hands
from shared.runtime.loops import ask_until


async def test_a_slow_thing_holds_up_no_other_and_is_not_begun_twice() -> None:
    hands, slow, done = Hands(2), asyncio.Event(), list[str]()

    async def work(name: str, may: asyncio.Event | None = None) -> None:
        if may is not None:
            await may.wait()
        done.append(name)

    async with hands.open():
        hands.take("slow", work("slow", slow))
        for name in ("first", "second"):
            hands.take(name, work(name))
            assert hands.free == 0
            while name in hands:  # noqa: ASYNC110  (nothing tells of it, and the loop ends it)
                await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="slow"):
            hands.take("slow", work("slow"))
        slow.set()
    assert done == ["first", "second", "slow"]
    assert hands.free == 2


async def test_what_does_not_end_in_its_time_is_cut() -> None:
    hands, cut = Hands(1), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    async with hands.open(0.01):
        hands.take("endless", work())
    assert cut.is_set()


async def test_nothing_is_taken_in_hand_where_nobody_would_wait_for_it() -> None:
    hands = Hands(1)
    with pytest.raises(RuntimeError):
        hands.take("late", asyncio.sleep(0))
    assert "late" not in hands


async def test_work_that_fails_is_heard_of() -> None:
    async def work() -> None:
        raise ValueError

    hands = Hands(1)
    with pytest.raises(ExceptionGroup):
        async with hands.open():
            hands.take("broken", work())
    assert hands.free == 1


@pytest.mark.parametrize(
    ("answers", "within", "said"), [(3, 9.0, True), (1, 0.0, True), (2, 0.0, False)]
)
async def test_one_asks_until_the_answer_is_yes_or_the_time_is_up(
    answers: int, within: float, *, said: bool
) -> None:
    asked = 0

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        return asked == answers

    assert await ask_until(ask, within) is said
    assert asked == (answers if said else 1)
