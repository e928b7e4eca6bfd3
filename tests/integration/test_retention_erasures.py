"""Erasures on the real broker and store, by a real retention; the other services are spoken for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import aiohttp
import pytest

from shared.events.decisions import Refused
from shared.privacy.personal import Personal, PersonalData
from shared.runtime.ids import new_id, new_pseudonym
from tests.consenting import a_place
from tests.erasing import ASKED, Holder, World, hasty, world
from tests.platform import Platform
from tests.processes import service, until

# Each step of an erasure, in its order, at which a process is killed.
POINTS: Final = (
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
)
# With its evidence an erasure goes on: to its certificate where there was nothing to be cleaned.
DONE: Final = ("evidenced", "compacted", "irrecoverable", "scanned", "certified", "closed")
REVIEW: Final = "2030-01-01T00:00:00Z"


class Details(PersonalData, schema="test.erased-details.v1"):
    """What a test keeps of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


SOMEBODY: Final = Details(name="cnry-4b1d22e9a07f")


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Run retention for all tests of this module; each has people of its own."""
    place = await a_place(platform, tmp_path_factory.mktemp("erasures"))
    policies = hasty(place.folder / "policies")
    async with (
        service("retention", place, POLICIES_DIR=str(policies)) as running,
        world(place, running) as found,
    ):
        yield found


def having(person: str) -> Holder:
    """Return a service that has one record of a person."""
    return Holder({f"{person}.account": ["u"]})


@pytest.mark.law("P3")
@pytest.mark.clause("DOAJ-8b")
async def test_an_erasure_goes_from_the_plan_to_the_evidence_of_every_service(here: World) -> None:
    person, other = new_pseudonym(), new_pseudonym()
    mine, theirs = await here.kept(SOMEBODY, person), await here.kept(SOMEBODY, other)
    here.answering.fresh = {"accounts": having(person)}
    key = {"Idempotency-Key": new_id()}
    body = {"email": "somebody@example.org", "requester": "officer"}
    erasure = (await here.ok("POST", "/erasures", body, **key))["erasure"]
    assert (await here.ok("POST", "/erasures", body, **key))["erasure"] == erasure
    shown = await here.at(erasure, "planned")
    assert [one["found"]["matched"] for one in shown["services"]] == [1, 0, 0]
    assert await here.reads(mine)  # a plan erases nothing
    wrong = {"approver": "officer", "plan": "0" * 64}
    assert (await here("POST", f"/erasures/{erasure}/approve", wrong))[0] == 409

    await here.ok(
        "POST", f"/erasures/{erasure}/approve", {"approver": "officer", "plan": shown["plan"]}
    )
    shown = await here.at(erasure, *DONE)

    assert not await here.reads(mine)
    assert await here.reads(theirs)
    assert {one["service"]: one["done"]["outcome"] for one in shown["services"]} == {
        "accounts": "erased",
        "consent": "nothing-found",
        "deposits": "nothing-found",
    }
    times = [shown["times"][step] for step in ("approved", "fenced", "destroying", "destroyed")]
    assert times == sorted(times)
    entry: Any = await here.database["ledger"].find_one({"_id": erasure})
    assert f"{person}.account" in entry["state"]
    told = await here.keys.shown(f"{person}.account")
    assert told is not None
    assert (told.fence, told.cause) == ("destroyed", erasure)
    found = await here.ok("GET", f"/erasures?state={shown['state']}")
    assert erasure in [one["erasure"] for one in found["erasures"]]
    assert (await here("POST", f"/erasures/{erasure}/take-back", {"requester": "o"}))[0] == 409


async def test_taken_back_before_anything_is_destroyed_all_of_it_can_be_read_again(
    here: World,
) -> None:
    person, held = new_pseudonym(), new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    await here.kept(SOMEBODY, held)
    both = Holder({f"{person}.account": ["u"], f"{held}.account": ["u"]})
    here.answering.fresh = {"accounts": both}
    erasure = await here.planned(email="second@example.org")
    # One is fenced by another, so that the erasure stands still with the fence of mine set.
    last = max(person, held)
    first = min(person, held)
    await here.keys.fence(f"{last}.account", "of-another")
    await here.approve(erasure)
    await here.waits(erasure, "other-erasure")
    fenced = await here.keys.shown(f"{first}.account")
    assert fenced is not None
    assert fenced.cause == erasure

    await here.ok("POST", f"/erasures/{erasure}/take-back", {"requester": "officer"})
    await here.at(erasure, "taken-back")
    await here.keys.take_back(f"{last}.account", "of-another")

    async def again() -> bool:
        return await here.reads(mine)

    await until(again, what="the record readable")
    assert await here.database["ledger"].find_one({"_id": erasure}) is None


@pytest.mark.law("P4")
async def test_a_hold_keeps_an_erasure_from_its_keys_until_it_is_released(here: World) -> None:
    person = new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    here.answering.fresh = {"deposits": having(person)}
    erasure = await here.planned(email="third@example.org")
    assert (await here.ok("GET", f"/erasures/{erasure}"))["holds"] == []
    await here.keys.restrict(f"{person}.account", "case-7")
    shown = await here.ok("GET", f"/erasures/{erasure}")
    assert (shown["state"], shown["holds"]) == ("planned", ["case-7"])
    levels = ("begins", "fenced", "unreadable", "gone", "irrecoverable")
    times = [shown["expected"][one] for one in levels]
    assert None not in times
    assert times == sorted(times)
    await here.approve(erasure)
    shown = await here.waits(erasure, "holds")
    assert shown["waits"][0]["who"] == ["case-7"]
    assert shown["state"] == "collected"
    await here.keys.release(f"{person}.account", "case-7")
    assert await here.reads(mine)
    assert (await here.at(erasure, *DONE))["holds"] == []
    assert not await here.reads(mine)


@pytest.mark.law("P3")
async def test_who_is_silent_or_could_not_look_keeps_an_erasure_from_its_evidence(
    here: World,
) -> None:
    person = new_pseudonym()
    await here.kept(SOMEBODY, person)
    here.answering.fresh = {"accounts": having(person)}
    erasure = await here.planned(email="fourth@example.org")
    services = here.answering.of(erasure)
    services["consent"].silent, services["deposits"].blind = True, True
    await here.approve(erasure)
    await here.at(erasure, "ordered")

    async def said() -> Any:
        shown = await here.ok("GET", f"/erasures/{erasure}")
        done = {one["service"]: one["done"] for one in shown["services"]}
        return shown if done["accounts"] and done["deposits"] else None

    await until(said, what="the answers of two services")
    assert (await here.waits(erasure, "evidence"))["state"] == "ordered"
    services["consent"].silent = False

    async def left() -> bool:
        shown = await here.ok("GET", f"/erasures/{erasure}")
        return [one["who"] for one in shown["waits"]] == [["deposits"]]

    await until(left, what="only deposits to be waited for")
    assert (await here.ok("GET", f"/erasures/{erasure}"))["state"] == "ordered"
    services["deposits"].blind = False
    await here.answering.again(erasure)
    await here.at(erasure, *DONE)


@pytest.mark.law("P2")
async def test_what_turns_up_after_the_plan_goes_too_in_another_round(here: World) -> None:
    person, late = new_pseudonym(), new_pseudonym()
    await here.kept(SOMEBODY, person)
    more = await here.kept(SOMEBODY, late)
    here.answering.fresh = {"accounts": having(person)}
    erasure = await here.planned(email="fifth@example.org")
    here.answering.of(erasure)["consent"].turns_up = {f"{late}.account": ["u"]}
    await here.approve(erasure)
    shown = await here.at(erasure, *DONE)
    assert shown["rounds"] == 3  # a look and two orders
    assert not await here.reads(more)
    entry: Any = await here.database["ledger"].find_one({"_id": erasure})
    assert f"{late}.account" in entry["state"]


@pytest.mark.clause("DOAJ-8a2")
async def test_journals_that_hang_on_an_account_are_waited_for(here: World) -> None:
    person = new_pseudonym()
    await here.kept(SOMEBODY, person)
    here.answering.fresh = {"accounts": having(person)}
    here.answering.fresh["accounts"].blockers = 2
    erasure = await here.planned(email="sixth@example.org")
    await here.approve(erasure)
    shown = await here.waits(erasure, "blockers")
    assert shown["blockers"] == [{"what": "journals", "count": 2}]
    here.answering.of(erasure)["accounts"].blockers = 0
    await here.at(erasure, *DONE)


@pytest.mark.clause("DOAJ-8b")
async def test_a_processor_is_listed_and_counts_as_told_when_staff_attest_it(here: World) -> None:
    person = new_pseudonym()
    await here.kept(SOMEBODY, person)
    here.answering.fresh = {"consent": having(person)}
    here.answering.fresh["consent"].processors = ("act-on",)
    erasure = await here.planned(email="listed@example.org")
    (one,) = (await here.ok("GET", f"/erasures/{erasure}"))["processors"]
    assert (one["processor"], one["listed-at"]) == ("act-on", None)
    path, when = f"/erasures/{erasure}/processors", "2026-01-20T10:00:00Z"
    said = {"what": "told", "at": when, "attester": "officer"}
    assert (await here("POST", f"{path}/act-on", said))[0] == 404  # nobody is listed yet
    await here.approve(erasure)
    (one,) = (await here.at(erasure, *DONE))["processors"]
    assert (one["processor"], one["told-at"], one["overdue"]) == ("act-on", None, False)

    async def untold() -> bool:
        found = await here.ok("GET", "/erasures?untold=true")
        return erasure in [each["erasure"] for each in found["erasures"]]

    assert await untold()
    assert (await here("POST", f"{path}/act-on", said | {"at": REVIEW}))[0] == 422
    (one,) = (await here.ok("POST", f"{path}/act-on", said))["processors"]
    assert (one["told-at"], one["told-by"], one["completed-at"]) == (when, "officer", None)
    assert not await untold()
    assert (await here("POST", f"{path}/act-on", said | {"at": "2026-01-19T10:00:00Z"}))[0] == 409
    (one,) = (await here.ok("POST", f"{path}/act-on", said | {"what": "completed"}))["processors"]
    assert one["completed-at"] == when


@pytest.mark.clause("DOAJ-6a4")
async def test_what_was_decided_to_be_kept_stays_and_nothing_else(here: World) -> None:
    person = new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    here.answering.fresh = {"accounts": having(person)}
    here.answering.fresh["accounts"].keeps = ("account",)
    kept = {"class": "account", "reason": "archiving-research", "review-at": REVIEW}
    erasure = await here.planned(email="seventh@example.org", exempt=[kept])
    await here.approve(erasure)
    shown = await here.at(erasure, *DONE)
    assert shown["services"][0]["done"]["outcome"] == "exempt"
    assert await here.reads(mine)


async def test_two_requests_at_once_for_one_person_both_come_to_their_evidence(
    here: World,
) -> None:
    person = new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    both = {"accounts": having(person)}
    here.answering.fresh = both
    first = await here.planned(email="eighth@example.org")
    here.answering.fresh = here.answering.of(first)  # the same services, the same records
    second = await here.planned(email="eighth@example.org")
    await asyncio.gather(here.approve(first), here.approve(second))
    shown = await asyncio.gather(*(here.at(one, *DONE) for one in (first, second)))
    assert not await here.reads(mine)
    told = await here.keys.shown(f"{person}.account")
    assert told is not None
    assert told.cause in (first, second)
    done = sorted(one["services"][0]["done"]["outcome"] for one in shown)
    assert done == ["erased", "nothing-found"]


@pytest.mark.law("P5")
async def test_of_a_person_nobody_knows_a_certificate_says_that_everybody_looked(
    here: World,
) -> None:
    erasure = await here.planned(email="ninth@example.org")
    await here.approve(erasure)
    shown = await here.at(erasure, "closed", within=60)
    assert {one["done"]["outcome"] for one in shown["services"]} == {"nothing-found"}
    assert shown["keys"] == []
    said = await here.ok("GET", shown["certificate"])
    results = {one["service"]: one["result"] for one in said["statement"]["evidence"]}
    assert results == dict.fromkeys(ASKED, "nothing-found")
    page = await here.ok("GET", shown["certificate"] + ".html")
    assert said["statement"]["certificate"] in page
    own = next(one.subjects for one in here.answering.orders.values() if one.erasure == erasure)
    assert own is not None
    gone = await here.keys.shown(f"{own.person}.{own.cls}")
    assert gone is not None
    assert gone.fence == "destroyed"


@pytest.mark.clause("DOAJ-6a4")
async def test_one_record_goes_and_the_others_of_its_person_stay(here: World) -> None:
    person = new_pseudonym()
    old = await here.kept(SOMEBODY, person, "old")
    new = await here.kept(SOMEBODY, person, "new")
    keys = f"{person}.account"
    here.answering.fresh = {"accounts": Holder({keys: ["old", "new"]})}
    record = {"keys_id": keys, "units": ["old"]}
    erasure = await here.planned(records=[record])
    await here.approve(erasure)
    await here.at(erasure, *DONE)
    assert not await here.reads(old)
    assert await here.reads(new)
    assert await here.kept(SOMEBODY, person, "later")


async def test_a_refused_erasure_ends_and_its_orders_with_it(here: World) -> None:
    person = new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    here.answering.fresh = {"accounts": having(person)}
    erasure = await here.planned(email="tenth@example.org")
    refusal = {"approver": "officer", "reason": "not-verified"}
    await here.ok("POST", f"/erasures/{erasure}/refuse", refusal)
    await here.at(erasure, "refused")
    assert await here.reads(mine)
    mine_alone = [one for one in here.answering.orders.values() if one.erasure == erasure]
    assert mine_alone

    async def ended() -> bool:
        found = [one for one in here.answering.orders.values() if one.erasure == erasure]
        return all(one.ended_at is not None for one in found)

    await until(ended, what="the orders ended")
    own = next(one.subjects for one in mine_alone)
    assert own is not None
    assert isinstance(await here.keys.take_back(f"{own.person}.{own.cls}", erasure), Refused)
    assert (await here("POST", f"/erasures/{erasure}/approve", {"approver": "o"}))[0] == 409
    assert (await here("GET", f"/erasures/{new_id()}"))[0] == 404
    assert (await here("POST", "/erasures", {"requester": "o"}))[0] == 422
    assert (await here("GET", f"/erasures/{erasure}/certificate"))[0] == 404


# The law of P3 strikes each of them thousands of times, over a store in memory.
IN_SHORT: Final = ("saga.key-destroyed",)


@pytest.mark.law("P2")
@pytest.mark.law("P3")
@pytest.mark.parametrize(
    "points", [IN_SHORT, pytest.param(POINTS, marks=pytest.mark.soak)], ids=["some", "every"]
)
async def test_killed_at_its_steps_an_erasure_comes_to_the_same_end(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, points: tuple[str, ...]
) -> None:
    place = await a_place(platform, tmp_path_factory.mktemp("killed"))
    settings = {"POLICIES_DIR": str(hasty(place.folder / "policies")), "REPLICA": "one"}
    person, other = new_pseudonym(), new_pseudonym()
    async with world(place) as here:
        mine, theirs = await here.kept(SOMEBODY, person), await here.kept(SOMEBODY, other)
        here.answering.fresh = {"accounts": having(person)}
        key, body = new_id(), {"email": "killed@example.org", "requester": "officer"}
        found: dict[str, str] = {}

        async def pushed() -> bool:
            """Ask and approve, as one does who hears nothing, until the process is dead."""
            assert here.retention is not None
            with contextlib.suppress(aiohttp.ClientError, AssertionError):
                said = await here.ok("POST", "/erasures", body, **{"Idempotency-Key": key})
                found[said["erasure"]] = said["state"]
                if said["state"] == "planned":
                    await here.approve(said["erasure"])
            return here.retention.process.returncode is not None

        for point in points:
            armed = {**settings, "COLOPHON_CRASH": point}
            async with service("retention", place, ready=False, **armed) as running:
                here.retention = running
                await until(pushed, within=60, pause=0.1, what=f"the death at {point}")
            keys = await here.keys.shown(f"{person}.account")
            assert keys is not None
            destroyed = POINTS.index(point) >= POINTS.index("saga.key-destroyed")
            assert (keys.fence == "destroyed") is destroyed
        (erasure,) = found
        async with service("retention", place, **settings) as running:
            here.retention = running
            shown = await here.at(erasure, *DONE)
        assert shown["services"][0]["done"]["outcome"] == "erased"
        assert not await here.reads(mine)
        assert await here.reads(theirs)
        entries = await here.database["ledger"].find({}).to_list(None)
        assert [one["_id"] for one in entries] == [erasure]
