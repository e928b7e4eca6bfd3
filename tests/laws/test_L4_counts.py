"""L4: counts follow from what works cite, whatever the settings, the order and the accidents.

So does what other works say of one: relations and updates, told at the other end.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution import claims
from services.distribution.citations import Pace, recount
from services.distribution.projections import TABLE, WORKS
from services.distribution.search import project
from shared.events import (
    Event,
    Meta,
    PrefixAssigned,
    PrefixTransferred,
    Received,
    WorkRegistered,
    WorkUpdated,
)
from shared.mongo import apply_writes
from shared.runtime.clock import ManualClock
from tests.laws.memory_store import Collection, Database
from tests.laws.turns import Turns, run

AT = datetime(2026, 1, 1, tzinfo=UTC)
DOIS = ("10.1000/a", "10.1000/b", "10.2000/c")
TIME = "2026-01-01T00:00:00Z"


INVERSES = {"is-review-of": "has-review", "is-part-of": "has-part", "is-same-as": "is-same-as"}
Says = list[tuple[str, str]]  # a relation's name, or "update-to", and a DOI


def work(
    doi: str,
    version: int,
    cites: list[str] | None,
    title: str | None = None,
    says: Says | None = None,
) -> Event:
    """Return a state of a work; null cites: a deposit took the whole list out (CRR-11)."""
    listed = [{"key": "1", "DOI": cited} for cited in cites or ()]
    relation: dict[str, list[Any]] = {}
    updates = []
    for name, other in says or ():
        if name == "update-to":
            updates.append({"DOI": other, "type": "erratum"})
        else:
            item = {"id-type": "doi", "id": other, "asserted-by": "subject"}
            relation.setdefault(name, []).append(item)
    return (WorkRegistered if version == 1 else WorkUpdated)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        work={"type": "other", "relation": relation, "update-to": updates}
        | ({} if cites is None else {"reference": listed}),
        title=title,
        version=version,
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Works registered and deposited again, citing each other, themselves and the unregistered.

    Whole deposits and those of the references alone (a new list, none any more) make one state.
    """
    cited = st.sampled_from([*DOIS, "10.1000/A", "10.9000/nobody"])
    targets = st.none() | st.lists(cited, max_size=3)
    titles = st.sampled_from([None, "journal:1", "journal:2"])
    names = st.sampled_from([*INVERSES, "references", "cites", "update-to"])
    says = st.lists(st.tuples(names, cited), max_size=2)
    return [
        work(doi, version, draw(targets), draw(titles), draw(says))
        for doi in DOIS
        for version in range(1, draw(st.integers(0, 3)) + 1)
    ]


@st.composite
def settings_events(draw: st.DrawFn) -> list[Event]:
    """Choices of a prefix's owner, and other owners."""
    settings = st.sampled_from(["closed", "limited", "open", None])
    chosen = draw(st.lists(st.tuples(settings, st.integers(1, 2)), max_size=3))
    return [
        (PrefixAssigned if n == 1 else PrefixTransferred)(
            prefix="10.1000", owner=owner, owner_name="", setting=one, assigned_at=AT, version=n
        )
        for n, (one, owner) in enumerate(chosen, 1)
    ]


def newest_of(log: list[Event]) -> dict[str, Any]:
    newest: dict[str, Any] = {}
    for one in log:
        newest[one.key] = max(newest.get(one.key, one), one, key=lambda e: e.aggregate_version or 0)
    return newest


def true_counts(log: list[Event]) -> dict[str, int]:
    newest = newest_of(log)
    return {
        doi: sum(
            any(reference["DOI"].lower() == doi for reference in citing.work.get("reference", ()))
            for citing in newest.values()
        )
        for doi in newest
    }


def truly_told(log: list[Event]) -> dict[str, list[tuple[str, str]]]:
    """Return what others say of each work, sorted: how it is told, and who says it."""
    newest = newest_of(log)
    told: dict[str, set[tuple[str, str]]] = {doi: set() for doi in newest}
    for doi, one in newest.items():
        said = [(n, item["id"]) for n, some in one.work["relation"].items() for item in some]
        said += [("update-to", update["DOI"]) for update in one.work["update-to"]]
        for name, other in said:
            shown = {**INVERSES, "update-to": "updated-by"}.get(name)
            if shown and other.lower() in told and (other.lower() != doi or shown == "updated-by"):
                told[other.lower()].add((shown, doi))
    return {doi: sorted(pairs) for doi, pairs in told.items()}


def told(database: Database) -> dict[str, list[tuple[str, str]]]:
    documents = database[WORKS].documents
    return {key: [(t["as"], t["by"]) for t in one["told"]] for key, one in documents.items()}


def counts(database: Database) -> dict[str, int]:
    return {key: one.get("cited_by", 0) for key, one in database[WORKS].documents.items()}


async def project_all(database: Database, batches: list[list[Event]]) -> None:
    for batch in batches:
        writes = [
            write
            for one in batch
            for write in TABLE[type(one)](one, Received(one, Meta("1", "/", TIME)))
        ]
        await apply_writes(database, writes)  # type: ignore[arg-type]


async def at_once(_seconds: float) -> None:
    return


def pace() -> Pace:
    """Slices of one, two, four works and so on: a kill falls between any of them."""
    return Pace(ManualClock(), size=1, rest=at_once)


async def settle(database: Database) -> None:
    while await recount(database, pace()):  # type: ignore[arg-type]
        pass


@st.composite
def deliveries(draw: st.DrawFn, log: list[Event], others: list[Event]) -> list[list[Event]]:
    again = draw(st.lists(st.sampled_from(log), max_size=4)) if log else []
    order = draw(st.permutations([*log, *again, *others]))
    batches = []
    while order:
        size = draw(st.integers(1, len(order)))
        batches.append(list(order[:size]))
        order = order[size:]
    return batches


@pytest.mark.law("L4")
@pytest.mark.clause("CRR-12")
@given(st.data())
def test_counts_follow_from_what_works_cite_in_any_order_with_workers_interleaved_at_every_await(
    data: st.DataObject,
) -> None:
    log = data.draw(logs(), label="log")
    batches = data.draw(deliveries(log, data.draw(settings_events())), label="batches")
    turns = Turns(lambda below: data.draw(st.integers(0, below - 1)))
    database = Database(turns.pause)

    async def count_some() -> None:
        for _ in range(3):
            await recount(database, pace())  # type: ignore[arg-type]

    async def together() -> None:
        actors = [project_all(database, batches), count_some(), count_some()]
        await turns.play([asyncio.ensure_future(one) for one in actors])
        turns.free = True
        await settle(database)

    run(together())
    assert counts(database) == true_counts(log)
    assert told(database) == truly_told(log)
    assert not any("recount_shelf" in one for one in database[WORKS].documents.values())


@pytest.mark.law("L4")
@given(st.data())
def test_workers_killed_anywhere_leave_no_count_behind_that_nobody_mends(
    data: st.DataObject,
) -> None:
    log = data.draw(logs(), label="log")
    batches = data.draw(deliveries(log, []), label="batches")
    turns = Turns(lambda below: data.draw(st.integers(0, below - 1)))
    database = Database(turns.pause)

    async def lives() -> None:
        actors = [project_all(database, batches), *(settle(database) for _ in range(3))]
        await turns.play([asyncio.ensure_future(one) for one in actors], kill=True)
        turns.free = True
        await project_all(database, batches)  # from the last commit, if it was the projector
        await settle(database)

    run(lives())
    assert counts(database) == true_counts(log)
    assert told(database) == truly_told(log)


@pytest.mark.law("L4")
@given(logs(), settings_events(), settings_events(), st.data())
def test_counts_and_has_references_are_the_same_under_any_two_settings(
    log: list[Event], some: list[Event], others: list[Event], data: st.DataObject
) -> None:
    seen = []
    for chosen in (some, others):
        database = Database()
        run(project_all(database, data.draw(deliveries(log, chosen))))
        run(settle(database))
        flags = {
            key: "references"
            in project(
                {**one, "doi": key, "version": one["v"]},
                indexed=TIME,
                owner=data.draw(st.sampled_from(["10.1000", "10.2000"])),
            ).has
            for key, one in database[WORKS].documents.items()
        }
        seen.append((counts(database), flags))
    assert seen[0] == seen[1]


@dataclass(slots=True)
class Late(Collection):
    """A worker's way to the store: it sleeps before its first write, and may die right after it."""

    dies: bool = True
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def bulk_write(self, operations: Any, *, ordered: bool) -> Any:
        self.reached.set()
        await self.go.wait()
        done = await Collection.bulk_write(self, operations, ordered=ordered)
        if self.dies:
            raise asyncio.CancelledError
        return done


@pytest.mark.law("L4")
def test_a_work_that_many_speak_of_is_told_the_first_of_them_however_they_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub, speakers = "10.1000/hub", [f"10.2000/{n:02}" for n in range(12)]
    log = [work(hub, 1, []), *(work(doi, 1, [], says=[("is-part-of", hub)]) for doi in speakers)]
    monkeypatch.setattr(claims, "MOST_TOLD", 5)
    monkeypatch.setattr(claims, "KEYS", 2)
    seen = []
    for most in (12, 13):  # each looked at alone, all together
        monkeypatch.setattr(claims, "MOST_LOOKED", most)
        database = Database()
        run(project_all(database, [log[::-1]]))
        run(settle(database))
        seen.append(told(database)[hub])
    assert seen == [[("has-part", doi) for doi in speakers[:5]]] * 2


@pytest.mark.law("L4")
def test_a_worker_that_wakes_up_late_writes_its_old_count_and_dies_leaves_the_newer_count() -> None:
    citing, cited = work(DOIS[0], 1, [DOIS[2]]), work(DOIS[2], 1, [])
    uncited = work(DOIS[0], 2, [])
    database, delayed = Database(), Database()

    async def story() -> None:
        await project_all(database, [[citing, cited]])
        late = Late(WORKS, database.pause, database[WORKS].documents)
        delayed[WORKS] = late
        worker = asyncio.ensure_future(settle(delayed))
        await late.reached.wait()
        await project_all(database, [[uncited]])
        await settle(database)
        late.go.set()
        await asyncio.wait([worker])
        assert worker.cancelled()
        await settle(database)

    run(story())
    assert counts(database) == {DOIS[0]: 0, DOIS[2]: 0}


@pytest.mark.law("L4")
def test_a_count_that_another_worker_settled_meanwhile_is_made_again_for_who_cites_it_now() -> None:
    """One counted before the citation and writes after it, while the other one is counting."""
    cited, citing = work(DOIS[2], 1, []), work(DOIS[0], 1, [DOIS[2]])
    database = Database()

    def late() -> tuple[Late, Database]:
        store = Database()
        way = Late(WORKS, database.pause, database[WORKS].documents, dies=False)
        store[WORKS] = way
        return way, store

    async def story() -> None:
        (early, first), (later, second) = late(), late()
        await project_all(database, [[cited]])
        slow = asyncio.ensure_future(recount(first, pace()))  # type: ignore[arg-type]
        await early.reached.wait()
        await project_all(database, [[citing]])
        other = asyncio.ensure_future(recount(second, pace()))  # type: ignore[arg-type]
        await later.reached.wait()
        early.go.set()
        await slow
        later.go.set()
        await other
        await settle(database)

    run(story())
    assert counts(database) == {DOIS[0]: 0, DOIS[2]: 1}
