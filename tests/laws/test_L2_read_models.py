"""L2: a read model equals the fold of the log per key, whatever happens on the way."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from services.distribution.projections import TABLE
from shared.events import Meta, Received
from shared.mongo import Erase, Put, Write, apply_writes
from tests.laws.events import accounts_events, works_events
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, run

KEYS = ("a", "b", "c")
FIELDS = ("x", "y")


@st.composite
def logs(draw: st.DrawFn) -> list[Write]:
    """For each key its versions from 1 on, each the whole state after it, or a removal."""
    log: list[Write] = []
    for key in KEYS:
        for version in range(1, draw(st.integers(1, 5)) + 1):
            if draw(st.integers(0, 4)):
                fields = {name: draw(st.integers(0, 9)) for name in FIELDS}
                log.append(Put("model", key, version, fields))
            else:
                log.append(Erase("model", key, version, "asked for", FIELDS))
    return log


def fold(log: Sequence[Write]) -> dict[str, dict[str, Any]]:
    model: dict[str, dict[str, Any]] = {}
    for write in sorted(log, key=lambda one: one.version):
        kept = write.fields if isinstance(write, Put) else {"erased": write.reason}
        model[write.key] = {"_id": write.key, "v": write.version, **kept}
    return model


@st.composite
def deliveries(draw: st.DrawFn, log: list[Write]) -> list[list[Write]]:
    """All of the log at least once, in any order, some of it again, in batches of any size."""
    again = draw(st.lists(st.sampled_from(log), max_size=8))
    order = draw(st.permutations([*log, *again]))
    batches = []
    while order:
        size = draw(st.integers(1, len(order)))
        batches.append(list(order[:size]))
        order = order[size:]
    return batches


@pytest.mark.law("L2")
@given(st.data())
def test_a_read_model_is_the_fold_of_the_log_under_any_order_duplication_and_replay(
    data: st.DataObject,
) -> None:
    log = data.draw(logs(), label="log")
    batches = data.draw(deliveries(log), label="batches")

    async def deliver() -> Database:
        database = Database()
        for batch in batches:
            await apply_writes(database, batch)  # type: ignore[arg-type]
        return database

    assert run(deliver())["model"].documents == fold(log)


@pytest.mark.law("L2")
@given(st.data())
def test_projectors_that_overtake_each_other_at_every_await_never_take_a_version_back(
    data: st.DataObject,
) -> None:
    log = data.draw(logs(), label="log")
    halves = [data.draw(deliveries(log), label=f"projector {n}") for n in range(2)]
    turns = Turns(lambda below: data.draw(st.integers(0, below - 1)))
    database = Database(turns.pause)

    def forward(key: Any, old: Any, new: Any) -> None:
        assert old is None or old["v"] < new["v"], (key, old, new)

    database["model"].watch = forward

    async def project(batches: list[list[Write]]) -> None:
        for batch in batches:
            await apply_writes(database, batch)  # type: ignore[arg-type]

    async def both() -> None:
        await turns.play([asyncio.ensure_future(project(one)) for one in halves])

    run(both())
    assert database["model"].documents == fold(log)


@pytest.mark.law("L2")
@given(st.data())
def test_a_projector_killed_anywhere_and_started_over_ends_in_the_same_model(
    data: st.DataObject,
) -> None:
    log = data.draw(logs(), label="log")
    batches = data.draw(deliveries(log), label="batches")
    turns = Turns(lambda below: data.draw(st.integers(0, below - 1)))
    database = Database(turns.pause)

    async def project() -> None:
        for batch in batches:
            await apply_writes(database, batch)  # type: ignore[arg-type]

    async def lives() -> None:
        await turns.play([asyncio.ensure_future(project())], kill=True)
        turns.free = True
        await project()

    run(lives())
    assert database["model"].documents == fold(log)


@pytest.mark.law("L2")
@pytest.mark.law("L4")
@given(st.lists(accounts_events() | works_events(), min_size=1, max_size=8))
def test_every_write_of_a_collection_names_the_same_fields_so_that_none_outlives_its_time(
    events: list[Any],
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    named: dict[str, set[frozenset[str]]] = {}
    for event in events:
        note(repr(event))
        for write in TABLE[type(event)](event, Received(event, Meta("1", "/", at))):
            assert isinstance(write, Put)
            assert write.version == event.version
            named.setdefault(write.collection, set()).add(frozenset(write.fields))
    assert all(len(shapes) == 1 for shapes in named.values()), named
