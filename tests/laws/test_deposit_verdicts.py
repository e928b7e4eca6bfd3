"""Law L1 for records of deposits: one diagnostic each, and the first verdict is the verdict.

The real judging runs here against a store in memory, and hypothesis says after each of its calls
who goes on, who dies, and who wakes up late. Several workers may hold the same submission.
"""

from collections.abc import Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.deposits.crossref.submission import Record
from services.deposits.model import (
    Permission,
    Registration,
    Verdict,
    judge,
    judge_alone,
    key_of,
)
from services.deposits.processing import judging
from services.deposits.processing.judging import Case, Judging, waves
from services.deposits.store import Held
from shared.events import WorkState
from shared.runtime.faults import Transient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOIS = ("10.5555/a", "10.5555/B", "10.5555/b", "10.6666/c")


class Turn:
    """An await at which the scheduler may let somebody else go on, or go no further here."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass(slots=True)
class Store:
    """Works and diagnostics as the store keeps them: conditional writes, first insert wins."""

    works: dict[str, WorkState] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    diagnostics: dict[str, Verdict] = field(default_factory=dict)
    written: list[WorkState] = field(default_factory=list)

    async def load(self, dois: Sequence[str]) -> dict[str, Held]:
        await Turn()
        found = {
            doi: Held(self.works[doi], dict(self.verdicts[doi]))
            for doi in dois
            if doi in self.works
        }
        await Turn()
        return found

    async def save(self, accepted: Mapping[str, Registration]) -> set[str]:
        await Turn()
        lost = set()
        for doi, one in accepted.items():
            held = self.works.get(doi)
            if (held.version if held else 0) != one.state.version - 1:
                lost.add(doi)
                continue
            self.works[doi] = one.state
            self.verdicts.setdefault(doi, {})[one.state.submission] = one.verdict
            self.written.append(one.state)
        await Turn()
        return lost

    async def forget(self, verdicts: Mapping[str, Sequence[str]]) -> None:
        await Turn()
        for doi, names in verdicts.items():
            for name in names:
                assert name in self.diagnostics, "forgotten before its diagnostic was durable"
                self.verdicts[doi].pop(name, None)

    async def known(self, names: Iterable[str]) -> dict[str, Verdict]:
        found = {name: self.diagnostics[name] for name in names if name in self.diagnostics}
        await Turn()
        return found

    async def add(self, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
        await Turn()
        for name, one in verdicts.items():
            self.diagnostics.setdefault(name, one)
        await Turn()
        return {name: self.diagnostics[name] for name in verdicts}


@dataclass(slots=True)
class World:
    """A store, the submissions that came in, and the workers under way."""

    store: Store
    submissions: dict[str, list[Case]]
    workers: list[tuple[str, Coroutine[Any, Any, None]]] = field(default_factory=list)
    claims: dict[str, int] = field(default_factory=dict)
    told: list[tuple[str, Verdict]] = field(default_factory=list)

    def start(self, submission: str, batch: int) -> None:
        """Let a worker begin at the start of a submission, as after a lost lease."""
        again = self.claims.get(submission, 0) > 0
        self.claims[submission] = self.claims.get(submission, 0) + 1
        self.workers.append((submission, self._work(submission, batch, resumed=again)))

    async def _work(self, submission: str, batch: int, *, resumed: bool) -> None:
        worker = Judging(self.store, self.store, lambda: NOW)  # type: ignore[arg-type]
        cases = [
            Case(one.submission, one.record, one.permission, resumed)
            for one in self.submissions[submission]
        ]
        for start in range(0, len(cases), batch):
            while True:
                try:
                    durable = await worker.settle(cases[start : start + batch])
                except Transient:
                    continue
                break
            self.told += durable.items()

    def step(self, number: int, turns: int) -> None:
        """Let one worker go on for some turns."""
        if not self.workers:
            return
        chosen = self.workers[number % len(self.workers)]
        for _ in range(turns):
            try:
                chosen[1].send(None)
            except StopIteration:
                self.workers.remove(chosen)
                return

    def kill(self, number: int) -> None:
        if self.workers:
            self.workers.pop(number % len(self.workers))[1].close()

    def finish(self) -> None:
        """All late workers go on to their end, and a last one sees to each submission."""
        while self.workers:
            self.step(0, 1_000_000)
        for submission in self.submissions:
            self.start(submission, 3)
            self.step(0, 1_000_000)


def record(index: int, doi: str, timestamp: int) -> Record:
    return Record(
        index=index,
        doi=doi,
        timestamp=str(timestamp),
        kind="journal_article",
        work={"DOI": doi, "version": timestamp},
        line=1,
    )


def cases_of(submission: str, said: Sequence[tuple[str, int]], *, granted: bool) -> list[Case]:
    permission = Permission(78, "10.5555", granted)
    return [
        Case(submission, record(index, doi, timestamp), permission)
        for index, (doi, timestamp) in enumerate(said)
    ]


files = st.lists(st.tuples(st.sampled_from(DOIS), st.integers(1, 4)), min_size=1, max_size=5)
names = st.sampled_from(["s1", "s2", "s3"])
turns = st.integers(0, 16)
# A worker begins, goes on for some turns, and then dies, or stands still until it is woken.
moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["dies", "stands"]), names, st.integers(1, 5), turns),
        st.tuples(st.just("wakes"), st.integers(0, 5), st.just(0), turns),
    ),
    min_size=1,
    max_size=25,
)
Program = list[tuple[str, Any, int, int]]


def played(submissions: dict[str, list[Case]], program: Program) -> World:
    """Return the world after a program, all late workers, and one worker more for each file."""
    world = World(Store(), submissions)
    for move, chosen, batch, turns_of_it in program:
        if move == "wakes":
            world.step(chosen, turns_of_it)
            continue
        world.start(chosen, batch)
        under_way = len(world.workers)
        world.step(under_way - 1, turns_of_it)
        if move == "dies" and len(world.workers) == under_way:
            world.kill(under_way - 1)
    world.finish()
    return world


@pytest.mark.law("L1")
@settings(max_examples=400, deadline=None)
@given(st.tuples(files, files, files), st.sets(names), moves)
def test_each_record_has_one_diagnostic_and_every_reprocessing_repeats_it(
    said: tuple[list[tuple[str, int]], ...],
    refused: set[str],
    program: Program,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "MOST_VERDICTS", 2)  # so that few redeposits crowd a work
        submissions = {
            name: cases_of(name, one, granted=name not in refused)
            for name, one in zip(("s1", "s2", "s3"), said, strict=True)
        }
        world = played(submissions, program)
    store = world.store
    everything = {case.name for cases in submissions.values() for case in cases}
    assert set(store.diagnostics) == everything
    for name, verdict in world.told:
        assert (verdict.status, verdict.msg) == (
            store.diagnostics[name].status,
            store.diagnostics[name].msg,
        )
    applied = [state.submission for state in store.written]
    assert len(applied) == len(set(applied)), "a record was applied twice"
    succeeded = {name for name, one in store.diagnostics.items() if one.status == "Success"}
    assert set(applied) == succeeded


@pytest.mark.law("L1")
@settings(max_examples=200, deadline=None)
@given(st.tuples(files, files, files), moves)
def test_a_work_s_versions_count_up_and_its_timestamps_only_grow(
    said: tuple[list[tuple[str, int]], ...], program: Program
) -> None:
    submissions = {
        name: cases_of(name, one, granted=True)
        for name, one in zip(("s1", "s2", "s3"), said, strict=True)
    }
    world = played(submissions, program)
    for doi in {state.doi for state in world.store.written}:
        states = [state for state in world.store.written if state.doi == doi]
        assert [state.version for state in states] == list(range(1, len(states) + 1))
        timestamps = [int(state.timestamp) for state in states]
        assert timestamps == sorted(set(timestamps))
        assert len({state.created for state in states}) == 1


@pytest.mark.law("L1")
@given(files, files)
def test_judging_a_record_again_after_it_was_applied_never_applies_it_again(
    before: list[tuple[str, int]], said: list[tuple[str, int]]
) -> None:
    works: dict[str, WorkState] = {}
    for case in [
        *cases_of("s0", before, granted=True),
        *(twice for one in cases_of("s1", said, granted=True) for twice in (one, one)),
    ]:
        if judge_alone(case.record, case.permission):
            continue
        assert case.permission
        doi = key_of(case.record)
        was = works.get(doi)
        decided = judge(was, case.record, case.permission, name=case.name, now=NOW)
        if isinstance(decided, Registration):
            assert was is None or was.submission != case.name
            works[doi] = decided.state


@given(files)
def test_waves_keep_the_order_of_each_doi_and_lose_nothing(said: list[tuple[str, int]]) -> None:
    cases = cases_of("s", said, granted=True)
    split = waves(cases)
    assert sorted(one.name for wave in split for one in wave) == sorted(one.name for one in cases)
    for wave in split:
        dois = [key_of(one.record) for one in wave]
        assert len(dois) == len(set(dois))
    for doi in {key_of(one.record) for one in cases}:
        order = [one.record.index for wave in split for one in wave if key_of(one.record) == doi]
        assert order == sorted(order)
