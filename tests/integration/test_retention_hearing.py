"""What is due waits until the facts were heard that it rests on: also those that come behind."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.retention.commands.facts import Facts
from services.retention.model.mapping import TOPICS
from services.retention.parts.clocks import GROUP, places
from services.retention.store.hearing import Hearing
from services.retention.store.records import open_records
from services.retention.stream import Stream
from shared.events import Received
from shared.events.owners import OwnerChanged
from shared.mongo import Database, connect
from shared.policy.retention import load_retention
from shared.runtime.clock import SYSTEM, SystemClock
from tests.events import speaking
from tests.processes import ROOT, Place, until
from tests.retaining import moment, owning, pseudonym, registered

SCHEDULE = load_retention(ROOT / "deploy" / "policies" / "retention.toml")


class Asked(SystemClock):
    """How often a worker asked for the time: once a look, and once a batch that it applied."""

    asked = 0

    def now(self) -> datetime:
        self.asked += 1
        return super().now()


def database_of(place: Place) -> str:
    return place.environment("retention")["DATABASE_PREFIX"] + "retention"


async def known(database: Database, number: int) -> Any:
    """Return what is kept of an account."""
    return await database["records"].find_one({"_id": f"account:{pseudonym(number)}"})


@pytest.mark.law("P6")
async def test_who_hears_of_a_beginning_first_and_of_its_end_later_says_when_all_was_heard(
    place: Place,
) -> None:
    """Also while more comes all the time, and a worker has nothing to say before."""
    async with (
        connect(place.mongodb_url, database_of(place)) as database,
        speaking(place, "accounts", "deposits") as (accounts, deposits),
    ):
        await accounts.say(*(registered(n, "2012-02-29") for n in range(1, 20)))
        await deposits.say(owning(1, "1234-5678"), at=moment("2020-01-01"))
        facts = Facts(open_records(database, lambda: SCHEDULE), frozenset())
        in_hand, slow = asyncio.Event(), asyncio.Event()

        async def hear(batch: Sequence[Received]) -> None:
            """Hear of accounts at once, and of what hangs on them only when told to.

            Whatever else waits then is not heard either: which comes first the broker says.
            """
            later = [one for one in batch if isinstance(one.event, OwnerChanged)]
            await facts.hear([one for one in batch if one not in later])
            if later:
                in_hand.set()
                await slow.wait()
                await facts.hear(later)

        hearing = Hearing(database, places(place.name), timedelta(seconds=60), SYSTEM.now)
        clock = Asked()
        stream = Stream(
            GROUP,
            TOPICS,
            "retention",
            hear,
            place.kafka_bootstrap,
            place.name,
            clock=clock,
            tell=hearing.note,
        )
        draining = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.run(draining))
            try:
                async with asyncio.timeout(60):
                    await in_hand.wait()
                seen = clock.asked

                async def looked() -> bool:
                    assert not await hearing.all_heard()
                    return clock.asked >= seen + 3  # two looks of the worker were whole meanwhile

                await until(looked, within=60, what="looks of the worker to go by")
                slow.set()
                number = 20

                async def heard_meanwhile() -> bool:
                    nonlocal number
                    number += 1
                    await accounts.say(registered(number, "2026-01-01"))
                    return await hearing.all_heard()

                await until(heard_meanwhile, within=60, what="all heard while more comes")
                assert "1234-5678" in str((await known(database, 1))["state"])
            finally:
                slow.set()
                draining.set()
