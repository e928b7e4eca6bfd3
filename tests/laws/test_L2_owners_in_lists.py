"""L2 for lists: each work is listed under the owner it has, whatever came in which order.

The index, the gate and what joins them are real; what comes from the topics is said to them by
hand, the store is in memory, and a death is a new process that knows what the index says.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from services.distribution import transfers
from services.distribution.gate import OWNERSHIP, TOPICS, Gate, Subject
from services.distribution.indexer import Indexer
from services.distribution.projections import TABLE
from services.distribution.search import SearchIndex, open_index
from services.distribution.store import Works
from services.distribution.transfers import Transfers
from shared import policy
from shared.events import (
    Event,
    Meta,
    Received,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
    to_record,
)
from shared.kafka.knowledge import Knowledge
from shared.mongo import apply_writes
from tests.laws.memory_store import Database
from tests.laws.turns import run

AT = datetime(2026, 1, 1, tzinfo=UTC)
TIME = "2026-01-01T00:00:00Z"
RULES = Path(__file__).resolve().parents[2] / "deploy" / "policies" / "references.toml"
PREFIXES = ("10.1000", "10.2000", "10.3000")
_CORNERS = count()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAGE", 2)


@dataclass(frozen=True, slots=True)
class Arrived:
    key: bytes
    value: bytes | None
    headers: Any
    offset: int = 0


class Ends(asyncio.Event):
    """A word to drain that comes when it was asked for so often."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@dataclass(slots=True)
class Host:
    """One process of distribution over an index and a store; ``corner`` keeps examples apart."""

    index: SearchIndex
    database: Database = field(default_factory=Database)
    corner: int = field(default_factory=lambda: next(_CORNERS))
    said: dict[str, Event] = field(default_factory=dict)
    newest: dict[str, WorkRegistered] = field(default_factory=dict)
    gate: Gate = field(init=False)
    indexer: Indexer = field(init=False)
    transfers: Transfers = field(init=False)

    def __post_init__(self) -> None:
        """Start as a process does: with what the topics hold."""
        knowledge = Knowledge(TOPICS, "", timedelta(seconds=5))
        self.gate = Gate(knowledge, policy.load(RULES))
        self.indexer = Indexer(self.index, "", self.gate.owner_prefix, lambda: True)
        works = Works(self.database)  # type: ignore[arg-type]
        self.transfers = Transfers(self.gate, works, self.indexer)
        for event in self.said.values():
            self.hear(event)
        knowledge._caught_up = True

    def hear(self, event: Event) -> None:
        sent = to_record(event, Meta("1", "/s", TIME))
        self.gate.knowledge.take(OWNERSHIP, 0, Arrived(sent.key, sent.value, sent.headers))

    def own(self, subject: int | str, owner: str, version: int) -> None:
        key = f"journal:{self.corner}-{subject}" if isinstance(subject, str) else self.doi(subject)
        known = self.said.get(key)
        if known is None or (known.aggregate_version or 0) < version:
            self.said[key] = (
                TitleTransferred(subject=key, name="T", owner_prefix=owner, version=version)
                if isinstance(subject, str)
                else WorkOwnerAssigned(subject=key, owner_prefix=owner, version=version)
            )
        self.hear(self.said[key])

    def doi(self, number: int) -> str:
        return f"10.1000/{self.corner}.{number}"

    def work(self, number: int, version: int, title: str | None) -> WorkRegistered:
        event = WorkRegistered(
            doi=self.doi(number),
            prefix="10.1000",
            timestamp="1",
            created=AT,
            deposited=AT,
            submission="1#0",
            work={"type": "other"},
            title=title and f"journal:{self.corner}-{title}",
            version=version,
        )
        known = self.newest.get(event.doi)
        if known is None or known.version < version:
            self.newest[event.doi] = event
        return self.newest[event.doi]

    async def store(self, event: WorkRegistered) -> None:
        writes = TABLE[WorkRegistered](event, Received(event, Meta("1", "/", TIME)))
        await apply_writes(self.database, writes)  # type: ignore[arg-type]

    async def put(self, event: WorkRegistered) -> None:
        await self.indexer.put([{**event.model_dump(), "indexed": TIME}], {})

    async def again(self) -> None:
        """Die and start over."""
        self.__post_init__()
        self.transfers._due |= dict.fromkeys(await self.transfers._moved())

    def wrong(self) -> dict[str, Any]:
        """Return the works that are held under another owner than they have."""
        held = self.index.held(self.newest)
        owners = {
            doi: self.gate.owner_prefix(Subject(doi, event.title))
            for doi, event in self.newest.items()
        }
        return {
            doi: (held.get(doi), owner)
            for doi, owner in owners.items()
            if owner is not None and (doi not in held or held[doi].owner != owner)
        }


NUMBERS, VERSIONS = st.integers(0, 4), st.integers(1, 4)
TITLES = st.sampled_from(["a", "b"])
OWN = st.tuples(st.just("own"), TITLES | st.integers(0, 1), st.sampled_from(PREFIXES), VERSIONS)
WORK = st.tuples(st.sampled_from(["both", "index", "store"]), NUMBERS, VERSIONS, st.none() | TITLES)
STEPS = st.one_of(
    WORK,
    OWN,
    OWN,
    st.tuples(st.just("settle"), st.integers(0, 6)),
    st.tuples(st.just("meanwhile"), WORK, OWN),
    st.just(("die",)),
)


async def play(host: Host, step: tuple[Any, ...]) -> None:
    match step:
        case ("own", subject, owner, version):
            host.own(subject, owner, version)
        case ("settle", after):
            await host.transfers.settle(Ends(after))
        case ("die",):
            await host.again()
        case ("meanwhile", (_, number, version, title), (_, subject, owner, age)):
            event = host.work(number, version, title)
            writing = asyncio.ensure_future(host.put(event))
            await asyncio.sleep(0)  # it has looked its owner up, and is writing
            host.own(subject, owner, age)
            await host.transfers.settle(asyncio.Event())
            await writing
        case (where, number, version, title):
            event = host.work(number, version, title)
            if where != "index":
                await host.store(event)
            if where != "store":
                await host.put(event)


@pytest.mark.law("L2")
@settings(max_examples=60)
@given(st.lists(STEPS, min_size=3, max_size=12))
def test_every_work_ends_up_listed_under_the_owner_it_has_whatever_dies_or_comes_late(
    index: SearchIndex, steps: list[tuple[Any, ...]]
) -> None:
    host = Host(index)

    async def program() -> None:
        for step in steps:
            note(repr(step))
            await play(host, step)
        for event in host.newest.values():  # the projector and the indexer come to the end
            await host.store(event)
            held = index.held([event.doi]).get(event.doi)
            if held is None or held.version < event.version:
                await host.put(event)
        for _ in range(2):  # at most once more, for what the store did not have
            await host.transfers.settle(asyncio.Event())
        assert not host.transfers._due

    run(program())
    assert host.wrong() == {}


@pytest.mark.law("L2")
def test_what_a_transfer_left_undone_stands_in_the_index_and_is_done_after_a_restart(
    index: SearchIndex,
) -> None:
    host = Host(index)

    async def program() -> None:
        host.own("a", "10.1000", 1)
        for number in range(9):
            event = host.work(number, 1, "a")
            await host.store(event)
            await host.put(event)
        host.own("a", "10.2000", 2)
        await host.transfers.settle(Ends(2))  # two pages of two, then it is told to end
        assert len(host.wrong()) == 5
        await host.again()
        assert await host.transfers.settle(asyncio.Event()) == 5
        assert host.wrong() == {}
        await host.again()
        assert not host.transfers._due

    run(program())


@pytest.mark.law("L2")
def test_works_that_are_being_indexed_while_their_title_moves_are_listed_under_the_new_owner(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "PAGE", 1_000)
    host = Host(index)

    async def program() -> None:
        host.own("a", "10.1000", 1)
        events = [host.work(number, 1, "a") for number in range(300)]
        states = [{**event.model_dump(), "indexed": TIME} for event in events]
        writing = asyncio.ensure_future(host.indexer.put(states, {}))
        await asyncio.sleep(0)  # their owner has been looked up; the commit takes a while
        host.own("a", "10.2000", 2)
        settling = asyncio.ensure_future(host.transfers.settle(asyncio.Event()))
        for event in events:
            await host.store(event)
        await writing
        await settling
        await host.transfers.settle(asyncio.Event())
        assert host.wrong() == {}

    run(program())
