"""Law L1 with the real process killed or frozen at each place that could lose something."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shared.events import SubmissionCompleted, WorkState
from shared.mongo import Database, connect
from shared.runtime.clock import SYSTEM
from tests.depositing import (
    OWNED,
    Client,
    article,
    assigned,
    client,
    deposit,
    members,
    published,
)
from tests.processes import Place, Running, service, until
from tests.striking import some_of

# Two of one work, one that is not newer, and one of a foreign prefix, among fifteen more.
CONTENT = deposit(
    *(article(f"10.5555/k{number}") for number in range(15)),
    article("10.5555/k0", timestamp=2),
    article("10.5555/K0", timestamp=1),
    article("10.6666/foreign"),
)
VERDICTS = ["Success"] * 16 + ["Failure"] * 2
QUICK = {"LEASE_SECONDS": "1"}


def database_of(place: Place) -> contextlib.AbstractAsyncContextManager[Database]:
    return connect(place.mongodb_url, f"{place.name.replace('.', '_')}deposits")


async def try_to_deposit(site: Client, content: bytes = CONTENT) -> str | None:
    """Deposit; return the number if the process lived to tell it."""
    try:
        return await site.later(content, file_name="killed.xml")
    except aiohttp.ClientError:
        return None


async def the_only_submission(site: Client) -> dict[str, Any]:
    _, listed = await site.get("/submissions")
    assert len(listed["items"]) == 1
    return await site.ended(listed["items"][0]["id"])


async def assert_whole(place: Place, site: Client, told: str | None) -> None:
    """Exactly one diagnostic a record, one registration a work, and the log agrees."""
    view = await the_only_submission(site)
    assert told in (None, view["id"])
    assert [one["status"] for one in view["records"]] == VERDICTS
    assert (view["success_count"], view["failure_count"]) == (16, 2)
    async with database_of(place) as database:
        assert await database["diagnostics"].count_documents({}) == len(VERDICTS)
        assert await database["works"].count_documents({}) == 15
    states = [
        one
        for one in await published(place, "deposits.works.v1", at_least=16)
        if isinstance(one, WorkState)
    ]
    versions = Counter((one.doi, one.version) for one in states)
    assert set(versions) == {(f"10.5555/k{n}", 1) for n in range(15)} | {("10.5555/k0", 2)}
    records = {(one.doi, one.version): one.submission for one in states}
    assert records["10.5555/k0", 2] == f"{view['id']}#15"
    ends = [
        one
        for one in await published(place, "deposits.submissions.v1", at_least=2)
        if isinstance(one, SubmissionCompleted)
    ]
    assert {one.version for one in ends} == {2}


@pytest.mark.law("L1")
@pytest.mark.clause("CRR-1")
@pytest.mark.parametrize(
    "place_of_death", some_of(["deposits.work-written:2", "deposits.diagnostics-written"])
)  # in the midst of it; tests/faults/test_spine.py has each point once
async def test_a_submission_that_was_durable_ends_whole_wherever_the_process_is_killed(
    place: Place, place_of_death: str
) -> None:
    async with members(place):
        async with (
            service("deposits", place, COLOPHON_CRASH=place_of_death, **QUICK) as dying,
            client(dying) as site,
        ):
            told = await try_to_deposit(site)
            assert await dying.ended() == -9
        async with service("deposits", place, **QUICK) as running, client(running) as site:
            await assert_whole(place, site, told)


@pytest.mark.soak
@pytest.mark.law("L1")
async def test_chunks_without_a_submission_are_no_deposit_and_are_swept(place: Place) -> None:
    async with members(place):
        async with (
            service("deposits", place, COLOPHON_CRASH="deposits.chunks-written") as dying,
            client(dying) as site,
        ):
            assert await try_to_deposit(site) is None
            assert await dying.ended() == -9
        async with database_of(place) as database:
            chunk = await database["raw"].find_one({"first": True})
            assert chunk is not None
            earlier = (SYSTEM.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H")
            await database["raw"].update_one({"_id": chunk["_id"]}, {"$set": {"hour": earlier}})
            async with service("deposits", place) as running, client(running) as site:
                assert (await site.log(file_name="killed.xml")).status == "unknown_submission"
                kept = await site.later(CONTENT)
                await site.ended(kept)

                async def left() -> bool:
                    found = await database["raw"].find({}, {"submission": 1}).to_list(None)
                    return [one["submission"] for one in found] == [kept]

                await until(left, what="the orphan swept and the other kept")


@pytest.mark.law("L1")
async def test_a_worker_frozen_past_its_lease_and_thawed_changes_nothing(place: Place) -> None:
    async with (
        members(place) as accounts,
        service(
            "deposits", place, COLOPHON_CRASH="deposits.work-written:1:stop", **QUICK
        ) as frozen,
        service("deposits", place, "api", "relay", **QUICK) as front,
        client(front) as site,
    ):
        number = await site.later(CONTENT)
        await until(lambda: stopped(frozen), what="the worker frozen")
        # The prefix changes hands meanwhile: the first verdicts stay.
        await accounts.say(assigned("10.5555", OWNED["10.6666"], version=2))
        async with service("deposits", place, "worker", ready=False, **QUICK):
            await site.ended(number)
            frozen.thaw()
            # It goes on with what it had in hand; then all is as it was.
            later = await site.later(deposit(article("10.5555/after")))
            view = await site.ended(later)
            assert [one["rule"] for one in view["records"]] == ["prefix-not-yours"]
            view = await site.ended(number)
            assert [one["status"] for one in view["records"]] == VERDICTS
            async with database_of(place) as database:
                assert await database["works"].count_documents({}) == 15
                written = await database["works"].find({}, {"version": 1}).to_list(None)
                assert sorted(one["version"] for one in written) == [1] * 14 + [2]


async def stopped(running: Running) -> bool:
    def state() -> str:
        said = Path(f"/proc/{running.process.pid}/stat").read_text()
        return said.rpartition(")")[2].split()[0]

    return await asyncio.to_thread(state) == "T"
