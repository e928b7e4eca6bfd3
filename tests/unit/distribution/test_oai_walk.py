"""A harvest skips nothing, however works change and reach lists and store meanwhile."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.oai.datestamps import Span
from services.distribution.oai.walk import LATE_SECONDS, Behind, Question, deal, page_of
from services.distribution.search import (
    After,
    During,
    FromStart,
    Hit,
    Moment,
    Order,
    SearchPage,
    SearchRequest,
)
from services.distribution.search.keys import seconds_of, sort_key

START = seconds_of("2026-01-01T00:00:00Z")
SETTLING = 5  # steps of the clock that a deposit is on its way at most
ROWS = 2


def moment(second: int) -> str:
    whole = second - START
    return f"2026-01-01T{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}Z"


@dataclass(slots=True)
class World:
    """Deposits, and the two that follow their log, each at its own pace: the lists, the store."""

    now: int = START
    newest: dict[str, int] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    unlisted: deque[tuple[str, int]] = field(default_factory=deque)
    unstored: deque[tuple[str, int]] = field(default_factory=deque)

    def deposit(self, doi: str) -> None:
        self.newest[doi] = self.now
        for way in (self.unlisted, self.unstored):
            way.append((doi, self.now))
        self.log.append((doi, self.now))

    def list_one(self) -> None:
        if self.unlisted:
            self.listed.update([self.unlisted.popleft()])

    def store_one(self) -> None:
        if self.unstored:
            self.stored.update([self.unstored.popleft()])

    def tick(self) -> None:
        """A second passes; nothing is on its way for longer than is said."""
        self.now += 1
        while self.unlisted and self.unlisted[0][1] <= self.now - SETTLING:
            self.list_one()
        while self.unstored and self.unstored[0][1] <= self.now - SETTLING:
            self.store_one()

    def search(self, request: SearchRequest) -> SearchPage:
        """The port: works by key, and of equal keys by DOI."""
        assert request.order == Order(Moment.DEPOSITED, descending=False)
        # Few keys, so that many works share one.
        found = sorted((sort_key(at, doi[0]), doi) for doi, at in self.listed.items())
        for clause in request.clauses:
            assert isinstance(clause, During)
            ((first, last),) = clause.spans
            found = [
                (key, doi)
                for key, doi in found
                if (first or 0) <= self.listed[doi] <= (last or 2**40)
            ]
        total = len(found)
        if isinstance(request.start, After):
            found = [one for one in found if one > (request.start.key, request.start.doi)]
        hits = tuple(Hit(doi, None, key) for key, doi in found[: request.rows])
        return SearchPage(total, hits, {}, None)

    async def many(self, dois: Sequence[str]) -> Mapping[str, Any]:
        return {
            doi: {"_id": doi, "deposited": moment(self.stored[doi])}
            for doi in dois
            if doi in self.stored
        }


@dataclass(slots=True)
class Harvester:
    """Somebody who keeps what is given, the later state of it where it is given again."""

    world: World
    kept: dict[str, int] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    position: After | FromStart | None = None
    span: Span = field(default_factory=Span)
    dated: int = 0  # of the first answer

    def begin(self, span: Span) -> None:
        self.position, self.span, self.dated = FromStart(), span, self.world.now - SETTLING
        self.times = Counter()

    def next_page(self) -> None:
        """Take a page, if there is one and the service has it."""
        if self.position is None:
            return
        question = Question((), self.span)
        try:
            page = asyncio.run(
                page_of(
                    question,
                    self.position,
                    index=self.world,
                    works=self.world,
                    now=self.world.now,
                    rows=ROWS,
                )
            )
        except Behind:
            return
        assert page.works or page.resume is None
        for work in page.works:
            second = seconds_of(work["deposited"])
            assert self.span.holds(second)
            assert second >= self.kept.get(work["_id"], 0)
            self.kept[work["_id"]] = second
            self.times[work["_id"]] += 1
        self.position = page.resume

    def finish(self) -> None:
        for _ in range(200):
            if self.position is None:
                return
            self.next_page()
            self.world.tick()
        raise AssertionError("the list does not end")


DOIS = st.sampled_from([f"{letter}{n}" for letter in "ab" for n in range(5)])
STEPS = st.one_of(
    st.tuples(st.just("deposit"), DOIS),
    st.tuples(st.sampled_from(("list_one", "store_one", "tick", "page")), st.none()),
)


@given(st.lists(DOIS, min_size=1, max_size=12), st.lists(STEPS, max_size=40))
def test_two_harvests_one_from_the_date_of_the_other_have_everything_in_its_newest_state(
    before: list[str], steps: list[tuple[str, str | None]]
) -> None:
    world = World()
    for doi in before:
        world.deposit(doi)
        world.tick()
    harvester = Harvester(world)
    harvester.begin(Span())
    there, began = dict(world.listed), len(world.log)
    for step, named in steps:
        match step:
            case "deposit":
                world.deposit(named or "")
            case "page":
                harvester.next_page()
            case _:
                getattr(world, step)()
    harvester.finish()
    changed = {doi for doi, _ in world.log[began:]} | {
        doi for doi, at in world.newest.items() if there.get(doi) != at
    }
    assert harvester.times.keys() >= there.keys()
    assert {harvester.times[doi] for doi in there.keys() - changed} <= {1}
    for _ in range(SETTLING):
        world.tick()
    harvester.begin(Span(first=harvester.dated))
    harvester.finish()
    assert harvester.kept == world.newest


def hit(doi: str, second: int) -> Hit:
    return Hit(doi, None, sort_key(second, doi))


def held(**seconds: int) -> dict[str, Any]:
    return {doi: {"_id": doi, "deposited": moment(at)} for doi, at in seconds.items()}


EVERYTHING = Question((), Span())


def test_a_page_ends_before_what_the_store_does_not_have_yet() -> None:
    hits = [hit("a", START), hit("b", START + 1), hit("c", START + 2)]
    lot = deal(hits, held(a=START, b=START, c=START + 2), EVERYTHING, overdue=START)
    assert ([one["_id"] for one in lot.works], lot.last, lot.whole) == (["a"], hits[0], False)


def test_what_never_comes_holds_no_list_up() -> None:
    hits = [hit("a", START), hit("b", START + 1)]
    lot = deal(hits, held(b=START + 1), EVERYTHING, overdue=START + 1)
    assert ([one["_id"] for one in lot.works], lot.whole) == (["b"], True)


def test_what_changed_since_is_given_as_it_is_unless_it_left_the_span() -> None:
    hits = [hit("a", START)]
    lot = deal(hits, held(a=START + 9), EVERYTHING, overdue=START)
    assert [one["deposited"] for one in lot.works] == [moment(START + 9)]
    until = Question((), Span(last=START + 8))
    lot = deal(hits, held(a=START + 9), until, overdue=START)
    assert (lot.works, lot.last, lot.whole) == ((), hits[0], True)


async def test_a_page_without_anything_to_give_is_not_given() -> None:
    """All of the first page changed and left the span; the next page follows in its place."""
    world = World(now=START + 100)
    for number, doi in enumerate("abcd"):
        world.listed[doi] = START + number
        world.stored[doi] = START + 99 if doi in "ab" else START + number
    page = await page_of(
        Question((), Span(last=START + 50)),
        FromStart(),
        index=world,
        works=world,
        now=world.now,
        rows=ROWS,
    )
    assert [one["_id"] for one in page.works] == ["c", "d"]
    assert page.resume is None


async def test_a_list_that_waits_for_the_store_says_so() -> None:
    world = World(listed={"a": START})
    with pytest.raises(Behind):
        await page_of(EVERYTHING, FromStart(), index=world, works=world, now=START, rows=ROWS)
    late = START + LATE_SECONDS + 1
    page = await page_of(EVERYTHING, FromStart(), index=world, works=world, now=late, rows=ROWS)
    assert (page.works, page.resume) == ((), None)
