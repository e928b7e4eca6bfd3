"""The topic products: each work as its audience may see it, through flips, transfers, removals."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from services.distribution.products.emission import Job
from services.distribution.products.jobs import Board
from shared.events import Meta, WorkOwnerAssigned, to_record
from shared.mongo import Database
from shared.runtime.clock import ManualClock
from tests.events import speaking
from tests.processes import OPERATOR, Place, service, until
from tests.products import (
    OPEN,
    PLUS,
    SETTINGS,
    assigned,
    everything,
    fold,
    known,
    publishing,
    shows,
    title,
    work,
)


@pytest.mark.law("L4")
@pytest.mark.clause("CRR-1")
@pytest.mark.clause("CRR-2")
@pytest.mark.clause("CRR-5")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-8")
@pytest.mark.clause("CRR-10")
@pytest.mark.clause("CRR-12")
@pytest.mark.clause("CRR-14")
async def test_each_product_holds_each_work_as_its_audience_may_see_it(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(*(work(f"{prefix}/1") for prefix in SETTINGS))
        await deposits.say(*(work(f"{prefix}/none", references=0) for prefix in SETTINGS))
        async with publishing(place):
            for topic, audience in ((OPEN, {"open"}), (PLUS, {"open", "limited", None})):
                may = {f"{prefix}/1": setting in audience for prefix, setting in SETTINGS.items()}
                none = {f"{prefix}/none": False for prefix in SETTINGS}
                await shows(place, topic, may | none)
                held = await fold(place, topic)
                for doi, shown in may.items():
                    setting = SETTINGS[doi.partition("/")[0]] or "limited"
                    said = {"reason": setting, "reference-visibility": setting}
                    assert held[doi].work.get("references-withheld") == (None if shown else said)
                    assert held[doi].work["reference-count"] == 2
                    assert held[doi].work["title"] == ["Version 1"]
                for doi in none:
                    assert "references-withheld" not in held[doi].work
                    assert held[doi].work["reference-count"] == 0


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_a_work_is_published_again_as_it_may_be_seen_now(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        aiohttp.ClientSession(headers=OPERATOR) as session,
    ):
        await known(accounts)
        dois = [f"10.5003/{n}" for n in range(40)]
        await deposits.say(*map(work, dois), work("10.5002/1"))
        async with publishing(place) as running, service("distribution", place, "api") as api:
            await shows(place, OPEN, dict.fromkeys(dois, True))
            nothing_there = [assigned(f"10.6{n:03}", "closed") for n in range(100)]
            await accounts.say(*nothing_there, assigned("10.5003", "closed", version=2))
            await shows(place, OPEN, dict.fromkeys(dois, False))
            await shows(place, PLUS, dict.fromkeys(dois, False) | {"10.5002/1": True})

            async def done() -> Any:
                async with session.get(api.url + "/products/jobs") as answer:
                    assert answer.status == 200, await answer.text()
                    told = await answer.json()
                jobs = [one for one in told["jobs"] if one["name"] == "10.5003"]
                ended = sum(one["done"] for one in jobs if one["state"] == "done")
                # A change that touches nothing published is no job, in no partition.
                assert not [one for one in told["jobs"] if one["name"].startswith("10.6")]
                return ended == len(dois) and told["left"] == 0

            await until(done, what=f"the jobs of the flip done; {running.log}")


async def test_whoever_takes_a_partition_over_ends_what_its_predecessor_left(
    database: Database,
) -> None:
    clock = ManualClock()
    board = Board(database, clock)
    await board.prepare()
    running = Job("prefix", "10.5003", clock.now(), clock.monotonic(), total=9, left=4, done=5)
    done = Job("prefix", "10.5002", clock.now(), clock.monotonic(), total=9, state="done")
    await board.write("one", [(3, running), (3, done), (4, running)])
    await board.take_over(3)
    stand = {one["_id"]: one["state"] for one in await board.read(None)}
    assert stand == {
        "3/prefix/10.5003": "superseded",
        "3/prefix/10.5002": "done",
        "4/prefix/10.5003": "running",
    }


@pytest.mark.law("L3")
async def test_works_follow_their_title_and_their_own_owner(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(title("10.5003", 1))
        dois = [f"10.5003/{n}" for n in range(5)]
        await deposits.say(*(work(doi, title="journal:1234-5679") for doi in dois))
        async with publishing(place):
            await shows(place, OPEN, dict.fromkeys(dois, True))
            await deposits.say(title("10.5002", 2))
            await shows(place, OPEN, dict.fromkeys(dois, False))
            await shows(place, PLUS, dict.fromkeys(dois, True))
            await deposits.say(
                WorkOwnerAssigned(subject=dois[0], owner_prefix="10.5003", version=1)
            )
            await shows(place, OPEN, dict.fromkeys(dois, False) | {dois[0]: True})


@pytest.mark.clause("CRR-11")
async def test_references_removed_by_a_redeposit_are_not_in_the_new_record(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(work("10.5003/1"))
        async with publishing(place):
            await shows(place, OPEN, {"10.5003/1": True})
            await deposits.say(work("10.5003/1", version=2, references=0))
            await shows(place, OPEN, {"10.5003/1": False}, version=2)
            newest = (await fold(place, PLUS))["10.5003/1"].work
            assert "references-withheld" not in newest
            assert newest["reference-count"] == 0


@pytest.mark.law("L3")
async def test_the_products_pause_while_knowledge_is_stale(place: Place) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        async with publishing(place) as running, aiohttp.ClientSession() as session:
            await deposits.say(work("10.5003/1"))
            await shows(place, OPEN, {"10.5003/1": True})
            accounts.marking = False

            async def stale() -> bool:
                async with session.get(running.url + "/readyz") as answer:
                    return "stale" in await answer.text()

            await until(stale, what="knowledge stale")
            await deposits.say(work("10.5003/2"))
            await deposits.say(work("10.5003/1", version=2))

            async def waits() -> bool:
                async with session.get(running.url + "/readyz") as answer:
                    return "the products pause" in await answer.text()

            await until(waits, what="the products say that they pause")
            assert {one.doi for one in await everything(place)} == {"10.5003/1"}
            accounts.marking = True
            await shows(place, OPEN, {"10.5003/1": True, "10.5003/2": True})
            await shows(place, OPEN, {"10.5003/1": True}, version=2)


@pytest.mark.law("L3")
async def test_an_unreadable_preference_takes_the_references_out_of_the_products(
    place: Place,
) -> None:
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        await known(accounts)
        await deposits.say(work("10.5003/1"))
        async with publishing(place):
            await shows(place, OPEN, {"10.5003/1": True})
            whole = to_record(assigned("10.5003", "open", version=2), Meta("x", "/x", "2026"))
            await accounts.send([replace(whole, value=b"{}")])
            await shows(place, OPEN, {"10.5003/1": False})
            await accounts.say(assigned("10.5003", "open", version=3))
            await shows(place, OPEN, {"10.5003/1": True})
