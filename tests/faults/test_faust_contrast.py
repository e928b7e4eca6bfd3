"""What Faust loses as its guides use it, beside what is left of that under the guard: numbers.

`make soak ARGS="-k contrast"`. The same 20,000 messages, sent in transactions; the worker is killed
(SIGKILL) every few seconds, and one message in 2,000 cannot be handled the first time it is tried.
"""

import contextlib
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from shared.events import Meta, Outgoing
from shared.events.records import headers_of
from shared.kafka.topics import declared
from tests import nursery
from tests.events import speaking
from tests.nursery import Forked
from tests.processes import ROOT, Place, until

TOPIC: Final = "deposits.owners.v1"
PARTS: Final = declared()[TOPIC].partitions
MESSAGES: Final = 20_000
KILLS: Final = 6
SHAPES: Final = ("events", "take", "noack", "guarded")
STILL_SECONDS: Final = 25.0  # without anything new


async def said(place: Place) -> None:
    """Send the messages: each a number."""
    meta = Meta("soak", "/services/deposits", "2026-01-01T00:00:00Z")
    headers = headers_of(kind="soak.counted.v1", meta=meta, subject="soak", version=None)
    async with speaking(place, "deposits") as (deposits,):
        for start in range(0, MESSAGES, 200):
            numbers = range(start, start + 200)
            await deposits.send(
                [Outgoing(TOPIC, b"%d" % n, b"%d" % n, headers, n % PARTS) for n in numbers]
            )


def handled(file: Path) -> Counter[bytes]:
    return Counter(file.read_bytes().split()) if file.exists() else Counter()


async def alive(place: Place, shape: str, file: Path) -> Forked:
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    arguments = (
        shape,
        f"{place.name}{shape}",
        place.name + TOPIC,
        place.kafka_bootstrap,
        str(file),
    )
    return nursery.start(
        "tests.faults.plain_faust", arguments, environment=settings, log=file.with_suffix(".log")
    )


async def more(file: Path, before: int) -> bool:
    return len(handled(file)) >= min(before + MESSAGES // (KILLS + 2), MESSAGES)


async def run(place: Place, shape: str, file: Path) -> tuple[int, int]:
    """Let a worker of this shape handle all there is, through kills; return lost and repeated."""
    for _ in range(KILLS):
        worker = await alive(place, shape, file)
        before = len(handled(file))
        with contextlib.suppress(AssertionError):  # it stands still, or ended by itself
            await until(partial(more, file, before), within=20, pause=0.05)
        worker.kill()
        await worker.wait()
    worker = await alive(place, shape, file)

    async def further(before: int) -> bool:
        nonlocal worker
        if worker.returncode is not None:
            worker = await alive(place, shape, file)
        return len(handled(file)) > before

    with contextlib.suppress(AssertionError):  # it stands still: as done as it will ever be
        while (count := len(handled(file))) < MESSAGES:
            await until(partial(further, count), within=STILL_SECONDS, pause=0.5)
    worker.kill()
    await worker.wait()
    found = handled(file)
    return MESSAGES - len(found), found.total() - len(found)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.law("L5")
async def test_contrast_of_plain_faust_and_the_guard(place: Place, tmp_path: Path) -> None:
    await said(place)
    found: dict[str, int] = {}
    for shape in SHAPES:
        lost, repeated = await run(place, shape, tmp_path / shape)
        found[shape] = lost
        print(f"{shape}: {lost:,} of {MESSAGES:,} lost, {repeated:,} handled again")  # noqa: T201
    assert found["guarded"] == 0
    assert all(found[shape] > 0 for shape in ("events", "take", "noack"))
