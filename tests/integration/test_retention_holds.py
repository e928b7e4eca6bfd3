"""Holds on the real service: keys are restricted, new records join, the last one frees them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events.decisions import Refused
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.keeping import Kept, a_hold, keeping
from tests.platform import Platform
from tests.processes import Place, until

pytestmark = [pytest.mark.law("P4"), pytest.mark.clause("DOAJ-6a4")]


@pytest.fixture(scope="module")
async def kept(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("holds")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with keeping(place) as made:
        yield made


async def released(kept: Kept, hold: str) -> Any:
    body = {"by": "operator-2", "why": "settled"}
    return await kept.ok("POST", f"/holds/{hold}/release", body)


async def test_what_is_held_cannot_be_fenced_until_the_last_hold_on_it_is_released(
    kept: Kept,
) -> None:
    keys = await kept.some_keys()
    await kept.record("account", "twice", ("registered", "2012-01-01"), keys=[keys])
    named = {"records": [{"kind": "account", "record": "twice"}]}
    first = await kept.ok("POST", "/holds", a_hold(**named))
    second = await kept.ok("POST", "/holds", a_hold(keys=[{"keys_id": keys.keys_id}]))
    assert [one["on"][0]["outcome"] for one in (*first["on"], *second["on"])] == ["held"] * 2
    assert set((await kept.document(keys)).holds) == {first["hold"], second["hold"]}
    assert isinstance(await kept.keys.fence(keys.keys_id, "erasure-1"), Refused)
    await released(kept, first["hold"])
    assert isinstance(await kept.keys.fence(keys.keys_id, "erasure-1"), Refused)
    said = await released(kept, second["hold"])
    assert (said["standing"], said["settled"], said["released"]["by"]) == (
        False,
        True,
        "operator-2",
    )
    done = await kept.keys.fence(keys.keys_id, "erasure-1")
    assert not isinstance(done, Refused)


async def test_what_was_fenced_or_destroyed_before_a_hold_is_said_with_its_erasure(
    kept: Kept,
) -> None:
    keys, left = await kept.some_keys(), await kept.some_keys()
    await kept.keys.fence(keys.keys_id, "erasure-9")
    status, said = await kept("POST", "/holds", a_hold(keys=[{"keys_id": keys.keys_id}]))
    assert (status, said["type"][-13:]) == (409, "hold-too-late")
    assert "fenced" in said["detail"]
    assert "erasure-9" in said["detail"]
    await kept.keys.confirm(keys.keys_id)
    await kept.keys.destroy(keys.keys_id)
    both = [{"keys_id": one.keys_id} for one in (keys, left)]
    hold = await kept.ok("POST", "/holds", a_hold(keys=both))
    on = {one["on"][0]["keys-id"]: one["on"][0] for one in hold["on"]}
    assert on[left.keys_id]["outcome"] == "held"
    gone = on[keys.keys_id]
    assert (gone["outcome"], gone["cause"], bool(gone["at"])) == ("destroyed", "erasure-9", True)


async def test_records_that_come_later_join_a_hold_by_its_scope(kept: Kept) -> None:
    before, after = await kept.some_keys(), await kept.some_keys()
    about = ("applied", "2020-01-01", "journal:77")
    await kept.record("application", "s1", about, keys=[before])
    scope = {"kind": "application", "about": "journal:77"}
    hold = (await kept.ok("POST", "/holds", a_hold(scope=scope)))["hold"]
    await kept.record("application", "s2", about, keys=[after])
    other = await kept.some_keys()
    await kept.record("application", "s3", ("applied", "2020-01-01", "journal:78"), keys=[other])

    async def both() -> bool:
        return all([hold in (await kept.document(one)).holds for one in (before, after)])

    await until(both, within=20, what="both under the hold")
    found = await kept.ok("GET", f"/holds/{hold}/records")
    assert [one["record"] for one in found["records"]] == ["s1", "s2"]
    assert (await kept.document(other)).holds == ()
    await released(kept, hold)

    async def free() -> bool:
        return not any([(await kept.document(one)).holds for one in (before, after)])

    await until(free, what="both free")
    shown = await kept.ok("GET", f"/holds/{hold}")
    assert (shown["standing"], shown["settled"]) == (False, True)


@pytest.mark.clause("DOAJ-6a5")
@pytest.mark.parametrize("reason", ["history", "notes"])
async def test_what_history_needs_stays_by_two_people_and_without_them_goes(
    kept: Kept, reason: str
) -> None:
    keys = await kept.some_keys()
    named = {"keys": [{"keys_id": keys.keys_id}], "reason": reason}
    asked = await kept.ok("POST", "/holds", a_hold(**named))
    assert (asked["standing"], asked["needs"], asked["on"]) == (False, 1, [])
    assert (await kept.document(keys)).holds == ()  # the default is to delete
    path = f"/holds/{asked['hold']}"
    status, said = await kept("POST", path + "/approve", {"by": "operator-1"})
    assert (status, said["type"][-14:]) == (403, "approver-asked")
    agreed = await kept.ok("POST", path + "/approve", {"by": "operator-2"})
    assert (agreed["standing"], agreed["approvals"][0]["by"]) == (True, "operator-2")
    assert (await kept.document(keys)).holds == (asked["hold"],)
    late = (datetime.now(UTC) + timedelta(days=1_000)).date().isoformat()
    status, said = await kept("POST", "/holds", a_hold(**named) | {"review-on": late})
    assert (status, said["type"][-19:]) == (422, "review-date-invalid")


async def test_one_idempotency_key_is_one_hold_and_pages_find_all(kept: Kept) -> None:
    keys = await kept.some_keys()
    body = a_hold(keys=[{"keys_id": keys.keys_id}], matter="case-once")
    again = {"Idempotency-Key": new_id()}
    first = await kept.ok("POST", "/holds", body, **again)
    assert (await kept.ok("POST", "/holds", body, **again))["hold"] == first["hold"]
    status, _ = await kept("POST", "/holds", body | {"matter": "case-other"}, **again)
    assert status == 409
    for _ in range(2):
        await kept.ok("POST", "/holds", body)
    found: list[str] = []
    cursor = ""
    while True:
        said = await kept.ok("GET", f"/holds?matter=case-once&rows=2&cursor={cursor}")
        found += [one["hold"] for one in said["holds"]]
        cursor = said["cursor"]
        if not cursor:
            break
    assert len(found) == len(set(found)) == 3
    assert first["hold"] in found


async def test_an_overdue_clock_waits_for_the_last_hold_and_fires_when_it_goes(kept: Kept) -> None:
    keys = await kept.some_keys(cls="contact-role")
    scope = {"kind": "application", "about": "journal:99"}
    hold = (await kept.ok("POST", "/holds", a_hold(scope=scope)))["hold"]
    overdue = ("rejected", "2015-01-01", "journal:99")
    record = await kept.record("application", "overdue", overdue, keys=[keys])

    async def settled() -> Any:
        found = await kept.records.load(record.name)
        return found.settled if found else ()

    async def joined() -> bool:
        return hold in (await kept.document(keys)).holds

    await until(joined, within=20, what="the record under the hold")
    held = await kept.ok("GET", "/clocks?kind=application&standing=held")
    assert [one["held"] for one in held["clocks"] if one["record"] == "overdue"] == [[hold]]
    assert await settled() == ()
    await released(kept, hold)
    (done,) = await until(settled, within=20, what="the clock to fire")
    assert done.rule == "rejected-application"
