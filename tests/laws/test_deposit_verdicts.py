"""Law L1 for records of deposits: one diagnostic each, and the first verdict is the verdict.

The real judging and the real transfers run here against a store in memory, and hypothesis says
after each of their calls who goes on, who dies, and who wakes up late. Several workers may hold the
same submission, while owners of works and titles change.
"""

from collections.abc import Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import currently_in_test_context, given, settings
from hypothesis import event as hypothesis_event
from hypothesis import strategies as st

from services.deposits.crossref.submission import Record, TitleClaim
from services.deposits.model import Permission, Registration, Verdict, fingerprint, key_of
from services.deposits.processing import judging
from services.deposits.processing.case import Case
from services.deposits.processing.judging import Judging, waves
from services.deposits.processing.standing import Standings
from services.deposits.store import Entry, Held, Owned
from services.deposits.transfers import Transfers
from shared.events import TitleState, WorkState
from shared.mongo import Accepted
from shared.runtime.faults import Transient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOIS = ("a", "B", "b", "a", "b", "elsewhere")  # of the file's prefix, save the last
# Two journals that share an identifier now and then, and one without any.
TITLES = (
    None,
    TitleClaim("journal", "Tests", ("2167-8359",)),
    TitleClaim("journal", "Tests", ("2167-8359", "2049-3630")),
    TitleClaim("journal", "Letters", ("2049-3630",)),
    TitleClaim("journal", "Nameless"),
)
MEMBERS = {78: ("10.5555",), 99: ("10.6666",)}


def event(what: str) -> None:
    if currently_in_test_context():
        hypothesis_event(what)


class Turn:
    """An await at which the scheduler may let somebody else go on, or go no further here."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass(slots=True)
class Document:
    """A work's document."""

    version: int
    state: WorkState | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    forgot: bool = False


@dataclass(slots=True)
class WorksAndDiagnostics:
    """Works and diagnostics as the store keeps them: conditional writes, first insert wins."""

    titles: "Ownership"
    works: dict[str, Document] = field(default_factory=dict)
    diagnostics: dict[str, Verdict] = field(default_factory=dict)
    written: list[WorkState] = field(default_factory=list)

    async def load(self, dois: Sequence[str]) -> dict[str, Held]:
        await Turn()
        found = {
            doi: Held(one.state, dict(one.verdicts), one.version, one.forgot)
            for doi in dois
            if (one := self.works.get(doi))
        }
        await Turn()
        return found

    async def save(self, accepted: Mapping[str, Registration]) -> set[str]:
        await Turn()
        lost = set()
        for doi, one in accepted.items():
            if not self._moves(doi, one.state.version - 1):
                lost.add(doi)
                continue
            title = one.state.title
            assert title is None or title in self.titles.states, "a work before its title"
            self.works[doi].state = one.state
            self.works[doi].verdicts[one.state.submission] = one.verdict
            self.written.append(one.state)
            await Turn()
        return lost

    async def refuse(self, refused: Mapping[str, tuple[int, str, Verdict]]) -> set[str]:
        await Turn()
        lost = set()
        for doi, (version, name, verdict) in refused.items():
            if not self._moves(doi, version):
                lost.add(doi)
                continue
            event("fenced")
            self.works[doi].verdicts[name] = verdict
        await Turn()
        return lost

    def _moves(self, doi: str, version: int) -> bool:
        held = self.works.setdefault(doi, Document(0))
        if held.version != version:
            return False
        held.version += 1
        return True

    async def forget(self, verdicts: Mapping[str, Sequence[str]]) -> None:
        await Turn()
        for doi, names in verdicts.items():
            for name in names:
                assert name in self.diagnostics, "forgotten before its diagnostic was durable"
                self.works[doi].verdicts.pop(name, None)
                self.works[doi].forgot = True

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
class Ownership:
    """Titles and owners of single works: an identifier leads to one title for good."""

    states: dict[str, Owned] = field(default_factory=dict)
    led: dict[str, str] = field(default_factory=dict)

    async def subjects(self, keys: Iterable[str]) -> dict[str, str]:
        found = {key: self.led[key] for key in keys if key in self.led}
        await Turn()
        return found

    async def reserve(self, keys: Mapping[str, str]) -> dict[str, str]:
        for key, subject in keys.items():
            await Turn()
            self.led.setdefault(key, subject)
        return {key: self.led[key] for key in keys}

    async def load(self, subjects: Iterable[str]) -> dict[str, Owned]:
        found = {one: self.states[one] for one in subjects if one in self.states}
        await Turn()
        return found

    async def save(
        self, decided: Mapping[str, Accepted[Any]], **_correlation: str | None
    ) -> set[str]:
        lost = set()
        for subject, one in decided.items():
            await Turn()
            held = self.states.get(subject)
            if (held.version if held else 0) != one.state.version - 1:
                lost.add(subject)
                continue
            self.states[subject] = one.state
        await Turn()
        return lost


@dataclass(slots=True)
class Conflicts:
    """Which DOIs came with a fingerprint."""

    dois: dict[str, list[str]] = field(default_factory=dict)

    async def enter(self, entries: Mapping[str, Entry]) -> dict[str, tuple[str, ...]]:
        await Turn()
        others = {}
        for doi, one in entries.items():
            held = self.dois.setdefault(one.fingerprint, [])
            others[doi] = tuple(other for other in held if other != doi)
            if doi not in held:
                held.append(doi)
        await Turn()
        return {doi: found for doi, found in others.items() if found}

    async def leave(self, old: Mapping[str, str]) -> None:
        await Turn()
        for doi, shared in old.items():
            self.dois[shared] = [one for one in self.dois.get(shared, ()) if one != doi]


@dataclass(slots=True)
class Claimed:
    """A submission's own document."""

    cases: list[Case]
    holder: int = 0
    refused: dict[str, Verdict] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """A store, the submissions that came in, and the workers under way."""

    submissions: dict[str, Claimed]
    titles: Ownership = field(default_factory=Ownership)
    conflicts: Conflicts = field(default_factory=Conflicts)
    store: WorksAndDiagnostics = field(init=False)
    workers: list[tuple[str, Coroutine[Any, Any, None]]] = field(default_factory=list)
    told: list[tuple[str, Verdict]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = WorksAndDiagnostics(self.titles)

    def start(self, submission: str, batch: int) -> None:
        """Let a worker begin at the start of a submission, as after a lost lease."""
        held = self.submissions[submission]
        resumed = held.holder > 0
        held.holder += 1
        work = self._work(submission, batch, held.holder, dict(held.refused), resumed=resumed)
        self.workers.append((submission, work))

    async def _work(
        self, name: str, batch: int, holder: int, refused: dict[str, Verdict], *, resumed: bool
    ) -> None:
        async def bind(said: Mapping[str, Mapping[str, Verdict]]) -> set[str]:
            await Turn()
            held = self.submissions[name]
            ours = held.holder == holder
            if ours:
                held.refused = dict(said[name])
            await Turn()
            event("bound" if ours else "not ours to refuse")
            return {name} if ours else set()

        standings = Standings(self.store, self.titles, self.conflicts)  # type: ignore[arg-type]
        worker = Judging(self.store, self.store, standings, bind, lambda: NOW)  # type: ignore[arg-type]
        cases = [
            replace(case, resumed=resumed, refused=refused) for case in self.submissions[name].cases
        ]
        while cases:
            try:
                durable = await worker.settle(cases[:batch])
            except Transient:
                continue
            self.told += durable.items()
            left = [case for case in cases[:batch] if case.name not in durable]
            if left:
                # Only newer knowledge may judge them, and only for who still holds them.
                await Turn()
                if self.submissions[name].holder != holder:
                    return
                final = {case.name: _final(case) for case in cases}
                left = [final[case.name] for case in left]
                cases = [*cases[:batch], *(final[case.name] for case in cases[batch:])]
            cases = [*left, *cases[batch:]]

    def transfer(self, what: str, to: str) -> None:
        """Let an operator give a work or a title to another owner; it may be slow about it."""
        transfers = Transfers(self.store, self.titles)  # type: ignore[arg-type]

        async def run() -> None:
            if what.startswith("10."):
                await transfers.of_works([what], to=to, correlation=None)
            else:
                await transfers.of_titles([what], to=to, correlation=None)

        self.workers.append(("transfer", run()))

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
            except Transient:
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


def _final(case: Case) -> Case:
    assert case.permission is not None
    return replace(case, permission=replace(case.permission, final=True))


Said = tuple[str, int | None, int, bool]  # DOI, timestamp, title, whether it has an author
File = tuple[list[Said], str, int, bool]  # its prefix, who sends it, whether prefixes are known


def record(index: int, said: Said, prefix: str) -> Record:
    suffix, timestamp, title, authored = said
    doi = "10.7777/c" if suffix == "elsewhere" else f"{prefix}/{suffix}"
    if timestamp is None:
        part = {"reference": [{"key": str(index)}]}
        return Record(index, doi, None, "doi_citations", part, 1, effect="part")
    work = {"DOI": doi, "type": "journal-article", "title": ["One title"], "version": "1"}
    if authored:
        work |= {"author": [{"family": "One"}]}
    claim = TITLES[title]
    return Record(index, doi, str(timestamp), "journal_article", work, 1, title=claim)


def cases_of(submission: str, file: File) -> list[Case]:
    said, prefix, member, final = file
    permission = Permission(member, prefix, MEMBERS[member], final)
    return [
        Case(submission, record(index, one, prefix), permission) for index, one in enumerate(said)
    ]


def submissions_of(files: Sequence[File]) -> dict[str, list[Case]]:
    return {f"s{number}": cases_of(f"s{number}", one) for number, one in enumerate(files, 1)}


records = st.tuples(
    st.sampled_from(DOIS),
    st.one_of(st.integers(1, 4), st.none()),
    st.integers(0, len(TITLES) - 1),
    st.booleans(),
)
_prefixes = st.sampled_from(["10.5555", "10.5555", "10.6666"])
files = st.tuples(
    st.lists(records, min_size=1, max_size=5), _prefixes, st.sampled_from([78, 99]), st.booleans()
)
names = st.sampled_from(["s1", "s2", "s3"])
turns = st.integers(0, 40)
# A worker begins, goes on for some turns, and then dies, or stands still until it is woken.
moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["dies", "stands"]), names, st.integers(1, 5), turns),
        st.tuples(st.just("wakes"), st.integers(0, 5), st.just(0), turns),
        st.tuples(
            st.just("moves"),
            st.sampled_from(["10.5555/a", "10.5555/b", "journal:2167-8359", "journal:2049-3630"]),
            st.sampled_from(["10.5555", "10.6666"]),
            turns,
        ),
    ),
    min_size=1,
    max_size=25,
)
Program = list[tuple[str, Any, Any, int]]


def played(submissions: dict[str, list[Case]], program: Program) -> World:
    """Return the world after a program, all late workers, and one worker more for each file."""
    world = World({name: Claimed(cases) for name, cases in submissions.items()})
    for move, chosen, how, turns_of_it in program:
        match move:
            case "wakes":
                world.step(chosen, turns_of_it)
                continue
            case "moves":
                world.transfer(chosen, how)
            case _:
                world.start(chosen, how)
        under_way = len(world.workers)
        world.step(under_way - 1, turns_of_it)
        if move == "dies" and len(world.workers) == under_way:
            world.kill(under_way - 1)
    world.finish()
    return world


@pytest.mark.law("L1")
@settings(max_examples=400, deadline=None)
@given(st.tuples(files, files, files), moves)
def test_each_record_has_one_diagnostic_and_every_reprocessing_repeats_it(
    said: tuple[File, ...], program: Program
) -> None:
    submissions = submissions_of(said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "MOST_VERDICTS", 2)  # so that few redeposits crowd a work
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
    succeeded = {name for name, one in store.diagnostics.items() if one.status != "Failure"}
    assert set(applied) == succeeded
    for rule in {one.rule for one in store.diagnostics.values()}:
        event(f"rule {rule}")


@pytest.mark.law("L1")
@settings(max_examples=150, deadline=None)
@given(st.tuples(files, files, files), moves)
def test_a_work_s_versions_count_up_and_its_timestamps_never_go_down(
    said: tuple[File, ...], program: Program
) -> None:
    world = played(submissions_of(said), program)
    for doi in {state.doi for state in world.store.written}:
        states = [state for state in world.store.written if state.doi == doi]
        versions = [state.version for state in states]
        assert versions == sorted(set(versions))
        timestamps = [int(state.timestamp) for state in states]
        assert timestamps == sorted(timestamps)
        assert len({state.created for state in states}) == 1
        for before, after in pairwise(states):
            # What takes the same timestamp is a part: it leaves the rest of the work.
            if before.timestamp == after.timestamp:
                assert after.work["title"] == before.work["title"]


@pytest.mark.law("L1")
@settings(max_examples=150, deadline=None)
@given(st.tuples(files, files, files), moves)
def test_an_identifier_has_one_title_whoever_comes_at_once(
    said: tuple[File, ...], program: Program
) -> None:
    world = played(submissions_of(said), program)
    titles = [one for one in world.titles.states.values() if isinstance(one, TitleState)]
    held = [issn for title in titles for issn in title.issns]
    assert len(held) == len(set(held))
    for title in titles:
        for issn in title.issns:
            assert world.titles.led[f"issn:{issn}"] == title.subject
    for document in world.store.works.values():
        if document.state and document.state.title:
            assert document.state.title in world.titles.states


@given(files, files)
def test_works_of_one_fingerprint_are_all_in_the_report_and_the_later_one_is_warned(
    first: File, second: File
) -> None:
    world = played(
        submissions_of([first, second]),
        [("stands", "s1", 5, 10_000), ("stands", "s2", 5, 10_000)],
    )
    alike: dict[str, set[str]] = {}
    for doi, document in world.store.works.items():
        if document.state and (said := fingerprint(document.state.work)):
            alike.setdefault(said, set()).add(doi)
    for said, dois in alike.items():
        assert dois <= set(world.conflicts.dois[said])
    warnings = [one for one in world.store.diagnostics.values() if one.status == "Warning"]
    if any(len(dois) > 1 for dois in alike.values()):
        assert warnings
    for one in warnings:
        assert one.msg == "Added with conflict"
        assert one.details["dois_in_conflict"]
        assert one.doi.lower() not in one.details["dois_in_conflict"]


@given(files)
def test_waves_keep_the_order_of_each_doi_and_lose_nothing(said: File) -> None:
    cases = cases_of("s", said)
    split = waves(cases)
    assert sorted(one.name for wave in split for one in wave) == sorted(one.name for one in cases)
    for wave in split:
        dois = [key_of(one.record) for one in wave]
        assert len(dois) == len(set(dois))
    for doi in {key_of(one.record) for one in cases}:
        order = [one.record.index for wave in split for one in wave if key_of(one.record) == doi]
        assert order == sorted(order)


@pytest.mark.law("L1")
@pytest.mark.parametrize(
    ("between", "contested"),
    [
        # The work is given away: the first worker may grant what the second refuses.
        (("moves", "10.5555/a", "10.6666", 10_000), ("a", 2, 0, False)),
        # The DOI comes to be: the first may refuse what the second grants.
        (("stands", "s3", 1, 10_000), ("b", None, 0, False)),
        # The title is given away before the work in it is registered.
        (("moves", "journal:2167-8359", "10.6666", 10_000), ("b", 2, 1, False)),
    ],
)
def test_two_workers_that_judge_by_different_facts_agree_wherever_both_stand_still(
    between: tuple[str, Any, Any, int], contested: Said
) -> None:
    first: File = ([("a", 1, 1, False)], "10.5555", 78, True)
    said: File = ([contested], "10.5555", 78, True)
    later: File = ([("b", 1, 1, False)], "10.5555", 78, True)
    rules = set()
    for early, late in product(range(28), range(0, 34, 2)):
        world = played(
            submissions_of([first, said, later]),
            [
                ("stands", "s1", 1, 10_000),
                ("stands", "s2", 1, early),
                between,
                ("stands", "s2", 1, late),
                ("wakes", 0, 0, 10_000),
                ("wakes", 0, 0, 10_000),
            ],
        )
        verdict = world.store.diagnostics["s2#0"]
        applied = [state.submission for state in world.store.written]
        assert applied.count("s2#0") == (verdict.status != "Failure"), (early, late)
        assert {one.status for name, one in world.told if name == "s2#0"} == {verdict.status}
        rules.add(verdict.rule)
    assert len(rules) == 2, "both verdicts are possible, or nothing is contested"


@pytest.mark.law("L1")
def test_a_part_is_applied_once_though_its_work_forgot_its_verdict() -> None:
    """A part without a timestamp has nothing that grows, so the diagnostics must be asked."""
    whole: File = ([("a", 1, 0, False)], "10.5555", 78, True)
    part: File = ([("a", None, 0, False)], "10.5555", 78, True)
    more: File = ([("a", None, 0, False)] * 3, "10.5555", 78, True)
    for frozen_after in range(20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judging, "MOST_VERDICTS", 2)
            world = played(
                submissions_of([whole, part, more]),
                [
                    ("stands", "s1", 1, 10_000),
                    ("stands", "s2", 1, frozen_after),
                    ("stands", "s2", 1, 10_000),
                    ("stands", "s3", 1, 10_000),
                    ("wakes", 0, 0, 10_000),
                ],
            )
        assert world.store.works["10.5555/a"].forgot
        applied = [state.submission for state in world.store.written]
        assert sorted(applied) == sorted(set(applied)), frozen_after
        assert applied.count("s2#0") == 1, frozen_after
