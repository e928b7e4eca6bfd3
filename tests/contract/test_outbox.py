"""Outboxes on the real store: what a document holds of its events, and what a relay finds of them.

How they are found without a mark on each document is said in shared/mongo/docket.py.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.events import PrefixAssigned, PrefixState, ReferencePreferenceSet
from shared.mongo import Accepted, Aggregates, Database, Outbox, Saved, connect, outbox
from shared.mongo.aggregates import outbox_entry
from shared.mongo.docket import MOST_KEYS, docket_of
from shared.mongo.docketed import ASIDE_SECONDS, PATIENCE, DocketedOutbox, Struck
from shared.runtime.clock import ManualClock, rfc3339
from shared.runtime.faults import Transient
from tests.events import AT
from tests.platform import Platform

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:motor.*")
KEYS = [f"10.{5000 + n}" for n in range(7)]


@pytest.fixture(params=["pymongo", "motor"])
async def database(
    request: pytest.FixtureRequest, platform: Platform, name: str
) -> AsyncIterator[Database]:
    if request.param == "motor":
        pytest.importorskip("motor", reason="the optional driver is not installed")
    async with connect(platform.mongodb_url, name.replace(".", "_"), request.param) as found:
        yield found


def prefixes_in(database: Database, *, docketed: bool = True) -> Aggregates[PrefixState]:
    collection = database["prefixes"]
    return Aggregates(
        collection,
        PrefixState.model_validate_json,
        "/s",
        clock=ManualClock(AT),
        docket=docket_of(collection) if docketed else None,
    )


async def box_in(database: Database, clock: ManualClock | None = None) -> DocketedOutbox:
    collection = database["prefixes"]
    box = DocketedOutbox(Outbox(collection, "/s"), docket_of(collection), clock or ManualClock())
    await box.prepare()
    return box


def next_of(held: PrefixState | None, key: str, owner_name: str = "Press") -> Accepted[PrefixState]:
    if held is None:
        made = PrefixAssigned(
            prefix=key, owner=78, owner_name=owner_name, assigned_at=AT, version=1
        )
        return Accepted(PrefixState(**dict(made)), (made,))
    changed = held.model_copy(update={"version": held.version + 1, "owner_name": owner_name})
    return Accepted(changed, (ReferencePreferenceSet(**dict(changed)),))


async def change(prefixes: Aggregates[PrefixState], *keys: str, **more: str) -> dict[str, Any]:
    """Save the next version of each, all in one call."""
    held = await prefixes.load_many(keys)
    return await prefixes.save_many({key: next_of(held.get(key), key, **more) for key in keys})


def told(page: Any) -> list[tuple[str, int]]:
    """Return what is on a page: key and version of each event, as their texts say them."""
    states = [
        PrefixState.model_validate_json(record.value) for one in page for record in one.records
    ]
    return [(one.prefix, one.version) for one in states]


async def publish(box: Any) -> list[tuple[str, int]]:
    page = await box.page(100)
    await box.take_out(page)
    return told(page)


async def test_the_text_of_an_event_stands_once_in_its_document_as_the_state(
    database: Database,
) -> None:
    prefixes = prefixes_in(database)
    saved = (await change(prefixes, KEYS[0]))[KEYS[0]]
    document: Any = await database["prefixes"].find_one({"_id": KEYS[0]})
    docket: Any = await database["prefixes.docket"].find_one({})
    # The form of documents that a later build must be able to read (ADR 2).
    assert document == {
        "_id": KEYS[0],
        "version": 1,
        "state": saved.state.model_dump_json(),
        "outbox": [
            {
                "id": saved.event_ids[0],
                "type": "accounts.prefix-assigned.v1",
                "topic": "accounts.prefixes.v1",
                "key": KEYS[0],
                "time": rfc3339(AT),
                "version": 1,
                "docket": docket["_id"],
            }
        ],
    }
    size = len(document["state"])
    assert docket == {
        "_id": docket["_id"],
        "due": True,
        "documents": [{"key": KEYS[0], "version": 1}],
        "size": size,
    }
    box = await box_in(database)
    pending, struck = await box.page(10)
    (record,) = pending.records
    assert record.value == document["state"].encode()
    named = dict(record.headers)
    assert named["ce_id"].decode() == saved.event_ids[0]
    assert named["ce_time"].decode() == rfc3339(AT)
    assert not await prefixes.published(KEYS[0], saved)
    await box.take_out([pending, struck])
    assert await prefixes.published(KEYS[0], saved)
    assert await box.page(10) == []
    assert await database["prefixes"].find_one({"_id": KEYS[0]}) == document


@pytest.mark.law("L1")
@pytest.mark.parametrize("together", [True, False], ids=["together", "alone"])
async def test_an_event_that_waits_gets_its_own_text_when_the_state_changes(
    database: Database,
    together: bool,  # noqa: FBT001
) -> None:
    prefixes, box = prefixes_in(database), await box_in(database)

    async def change_all(**more: str) -> None:
        for keys in [KEYS] if together else [[key] for key in KEYS]:
            assert all((await change(prefixes, *keys, **more)).values())

    await change_all(owner_name="$first")
    await change_all(owner_name="second")
    await change_all(owner_name="$$third")
    page = await box.page(100)
    assert sorted(told(page)) == [(key, n) for key in KEYS for n in (1, 2, 3)]
    names = [
        PrefixState.model_validate_json(record.value).owner_name
        for one in page
        for record in one.records
    ]
    assert names == ["$first", "second", "$$third"] * len(KEYS)
    await box.take_out(page)
    documents = await database["prefixes"].find({}).to_list(None)
    assert [one["outbox"] for one in documents] == [[]] * len(KEYS), "texts do not stay"
    await change_all()
    assert sorted(await publish(box)) == [(key, 4) for key in KEYS]
    await change_all()
    for document in await database["prefixes"].find({}).to_list(None):
        (entry,) = document["outbox"]  # what was published is not carried along
        assert "data" not in entry
    assert sorted(await publish(box)) == [(key, 5) for key in KEYS]
    assert await database["prefixes.docket"].find({}).to_list(None) == []


async def test_of_many_changes_in_one_write_it_is_known_which_were_too_late(
    database: Database,
) -> None:
    prefixes = prefixes_in(database)
    held = {one.prefix: one for one in [next_of(None, key).state for key in KEYS]}
    await change(prefixes, *KEYS)
    await change(prefixes, KEYS[1], KEYS[4])
    saved = await prefixes.save_many({key: next_of(one, key, "late") for key, one in held.items()})
    assert {key for key, one in saved.items() if one is None} == {KEYS[1], KEYS[4]}
    found = await prefixes.load_many(KEYS)
    late = {key for key, one in found.items() if one.owner_name == "late"}
    assert late == set(KEYS) - {KEYS[1], KEYS[4]}
    assert {one.version for one in found.values()} == {2}
    new = await prefixes.save_many({key: next_of(None, key) for key in (KEYS[0], "10.6000")})
    assert new[KEYS[0]] is None
    assert new["10.6000"] is not None
    one = await prefixes.save_many({KEYS[0]: next_of(held[KEYS[0]], KEYS[0])})
    assert one == {KEYS[0]: None}
    box = await box_in(database)
    assert sorted(await publish(box)) == sorted(
        [*((key, n) for key in KEYS for n in (1, 2)), ("10.6000", 1)]
    )
    assert await box.page(100) == []


@pytest.mark.law("L1")
async def test_what_was_marked_before_there_were_dockets_is_published_too(
    database: Database,
) -> None:
    before = prefixes_in(database, docketed=False)
    await Outbox(database["prefixes"], "/s").prepare()
    await change(before, *KEYS[:3])
    await change(before, KEYS[0])
    entry = outbox_entry(next_of(None, KEYS[3]).events[0], at="2025", correlation="r")
    prefixes, box = prefixes_in(database), await box_in(database)
    await change(prefixes, KEYS[0], KEYS[1], KEYS[3])
    assert await database["prefixes"].find_one({"_id": KEYS[2]}, {"outbox.data": 1})
    assert set(entry) == {"id", "type", "topic", "key", "time", "version", "data", "correlation"}
    page = await box.page(100)
    found: dict[str, list[int]] = {}
    for key, version in told(page):
        found.setdefault(key, []).append(version)
    # A document that is marked and on a docket is met twice.
    assert list(dict.fromkeys(found[KEYS[0]])) == [1, 2, 3]
    assert list(dict.fromkeys(found[KEYS[1]])) == [1, 2]
    assert (found[KEYS[2]], found[KEYS[3]]) == ([1], [1])
    await box.take_out(page)
    assert await box.page(100) == []
    assert await database["prefixes"].find_one({"dirty": True}) is None


async def test_an_outbox_without_marks_is_not_searched_for_them(database: Database) -> None:
    prefixes, box = prefixes_in(database), await box_in(database)
    await database["prefixes"].insert_one({"_id": KEYS[1], "version": 1, "dirty": True})
    await change(prefixes, KEYS[0])
    assert await publish(box) == [(KEYS[0], 1)]
    assert "dirty" not in await database["prefixes"].index_information()


@pytest.mark.law("L1")
async def test_a_docket_whose_documents_do_not_come_waits_for_them_and_holds_up_nobody(
    database: Database,
) -> None:
    clock = ManualClock()
    prefixes, box = prefixes_in(database), await box_in(database, clock)
    here, late = (
        prefixes.change(key, next_of(None, key), at="2025", correlation=None) for key in KEYS[:2]
    )
    await prefixes.announce([here, late])
    await database["prefixes"].insert_one({"_id": here.key, **here.shown, **here.pushed})
    await change(prefixes, KEYS[2])
    assert await publish(box) == [(KEYS[2], 1)], "it may be under way"
    clock.advance(PATIENCE)
    assert await publish(box) == [(KEYS[0], 1)]
    assert await box.page(100) == []
    await database["prefixes"].insert_one({"_id": late.key, **late.shown, **late.pushed})
    assert await box.page(100) == []
    clock.advance(ASIDE_SECONDS)
    assert await publish(box) == [(KEYS[1], 1)]
    clock.advance(ASIDE_SECONDS)
    assert await box.page(100) == []
    assert await database["prefixes.docket"].find({}).to_list(None) == []


@pytest.mark.law("L1")
async def test_what_is_struck_off_in_part_is_never_published_behind_what_came_later(
    database: Database,
) -> None:
    prefixes, box = prefixes_in(database), await box_in(database)
    await change(prefixes, KEYS[0])
    await change(prefixes, KEYS[0])
    page = await box.page(100)
    first, second = (one for one in page if isinstance(one, Struck))
    await box.docket.strike({second.docket: {}})  # and then the relay was killed
    held = await prefixes.load(KEYS[0])
    assert held is not None
    silent = held.model_copy(update={"version": 3, "owner_name": "nobody is told"})
    assert (await prefixes.save_many({KEYS[0]: Accepted(silent, ())}))[KEYS[0]]
    again = await box.page(100)
    assert told(again) == [(KEYS[0], 1), (KEYS[0], 2)]
    assert [one.docket for one in again if isinstance(one, Struck)] == [first.docket]
    await box.take_out(again)
    assert await box.page(100) == []


async def test_a_page_is_bounded_by_its_bytes_and_says_that_there_is_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_BYTES", 5_000_000)
    big = "x" * 2_000_000
    marked = prefixes_in(database, docketed=False)
    plain = Outbox(database["prefixes"], "/s")
    await plain.prepare()
    await change(marked, *KEYS, owner_name=big)
    sizes, more = [], True
    while more:
        page = await plain.page(100)
        more = page[-1].more
        sizes.append(len(page))
        await plain.take_out(page)
    assert sizes == [3, 3, 1]
    assert [one.more for one in await plain.page(100)] == []
    await change(marked, *KEYS)
    assert [one.more for one in await plain.page(3)] == [False, False, True]


async def test_a_docket_is_bounded_by_its_documents_and_by_their_bytes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.mongo.docketed.MOST_BYTES", 5_000_000)
    prefixes, box = prefixes_in(database), await box_in(database)
    await change(prefixes, *KEYS, owner_name="x" * 2_000_000)
    sizes, more = [], True
    while more:
        page = await box.page(100)
        more = page[-1].more
        sizes.append(len(told(page)))
        await box.take_out(page)
    assert sizes == [3, 3, 1]
    many = [f"10.{n}" for n in range(100_000, 100_000 + 2 * MOST_KEYS)]
    await change(prefixes, *many)
    page = await box.page(MOST_KEYS)
    assert len(told(page)) == MOST_KEYS
    assert page[-1].more


async def test_one_of_many_writers_at_once_wins_and_the_others_decide_again(
    database: Database,
) -> None:
    prefixes, box = prefixes_in(database), await box_in(database)

    async def insist() -> None:
        while True:
            try:
                done: Any = await prefixes.update(KEYS[0], lambda held: next_of(held, KEYS[0]))
            except Transient:
                continue
            assert isinstance(done, Saved)
            return

    await asyncio.gather(*(insist() for _ in range(8)))
    assert await publish(box) == [(KEYS[0], n) for n in range(1, 9)]
