"""Search: a three-word query with two filters, against the engine called directly.

Both ask the same index, in one process: ours from the parameters of the request to the page of hits
(read and checked, turned into a search, cut into words, exact total), the engine with a query of
its own objects, made by hand. Figures are questions a second at the median. SCALE= multiplies the
100,000 works; KEEP= names a folder that keeps the index, for list and harvest too.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import tantivy

from services.distribution.rest.params import WorksQuery, parse_works
from services.distribution.rest.plan import search_request
from services.distribution.search import SearchIndex, SearchRequest, date_bounds
from services.distribution.search.keys import key_span
from tests.bench import library
from tests.bench.rig import close, console, describe_machine, kept_folder, say_held, sized
from tests.unit.distribution.test_rest_lists import KnownOwners

QUESTIONS: Final = 300


async def main(*, rounds: int = 7) -> None:
    """Print the ratio of both rates."""
    describe_machine()
    works = sized(100_000)
    with tempfile.TemporaryDirectory(prefix="colophon-bench-") as folder:
        place = kept_folder() or Path(folder)
        index = library.filled(place / library.INDEX, works)
        console.print(f"{works:,} works, {QUESTIONS} questions a round, {rounds} rounds")
        questions = [library.question(number) for number in range(QUESTIONS)]
        check(index, questions)
        engine = Bare(index)
        mine: list[list[Taken]] = []
        plain: list[list[Taken]] = []
        for number in range(rounds + 1):  # the first one warms
            ours, bare = by_question(index, engine, questions)
            if number:
                mine.append(ours)
                plain.append(bare)
                console.print(f"round {number}: {middle(bare) / middle(ours):.2f}")
        for name, spent in (("ours", mine), ("bare", plain)):
            walls = [one.wall for round_ in spent for one in round_]
            cuts = statistics.quantiles(walls, n=100)
            own = statistics.median(one.processor for round_ in spent for one in round_)
            console.print(
                f"{name}: p50 {cuts[49] * 1e3:.2f} ms, p95 {cuts[94] * 1e3:.2f} ms;"
                f" of the processor {own * 1e3:.2f} ms"
            )
        say_held(place)
        rates = [[1 / middle(one) for one in spent] for spent in (mine, plain)]
        close("search", rates[0], rates[1], "questions/s")
        index.close()


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds by the clock, which other work on the machine lengthens, and of the processor."""

    wall: float
    processor: float


def middle(spent: Sequence[Taken]) -> float:
    """Return the median by the clock."""
    return statistics.median(one.wall for one in spent)


def by_question(
    index: SearchIndex, engine: "Bare", questions: list[tuple[str, str]]
) -> tuple[list[Taken], list[Taken]]:
    """Ask each question of both, in turns; return what each took."""
    ours: list[Taken] = []
    bare: list[Taken] = []
    for number, asked in enumerate(questions):
        for turn in range(2):
            if (number + turn) % 2:
                ours.append(taken(lambda: asked_of(index, *asked)))  # noqa: B023  (called at once)
            else:
                bare.append(taken(lambda: engine.ask(*asked)))  # noqa: B023  (called at once)
    return ours, bare


def taken(ask: Callable[[], object]) -> Taken:
    """Return what a question took."""
    began = (time.perf_counter(), time.thread_time())
    ask()
    return Taken(time.perf_counter() - began[0], time.thread_time() - began[1])


def asked_of(index: SearchIndex, words: str, filters: str) -> list[str]:
    """Ask as a request does."""
    pairs = parse_qsl(urlencode({"query": words, "filter": filters}))
    query = parse_works(pairs)
    assert isinstance(query, WorksQuery)
    request = search_request(query, KnownOwners(), cursor_key=b"")
    assert isinstance(request, SearchRequest)
    return [hit.doi for hit in index.search(request).hits]


class Bare:
    """The engine, called with its own objects."""

    def __init__(self, index: SearchIndex) -> None:
        """Look at the same index."""
        self.schema, self.searcher = index._schema, index._index.searcher()

    def ask(self, words: str, filters: str) -> list[str]:
        """Ask with the same terms, the same filters and the same count."""
        query = tantivy.Query
        since = date_bounds(filters.rpartition(":")[2])
        assert since
        must, should = tantivy.Occur.Must, tantivy.Occur.Should
        terms = [
            (should, query.term_query(self.schema, "text-free", word, index_option="freq"))
            for word in words.split()
        ]
        kind = query.term_query(self.schema, "type", "journal-article", index_option="basic")
        dates = query.range_query(
            self.schema,
            "by-published",
            tantivy.FieldType.Unsigned,
            lower_bound=key_span(since[0], None)[0],
        )
        narrowed = query.const_score_query(kind, 0.0), query.const_score_query(dates, 0.0)
        whole = query.boolean_query(
            [(must, query.boolean_query(terms)), *((must, one) for one in narrowed)]
        )
        found: Any = self.searcher.search(whole, limit=20, count=True)
        return [str(self.searcher.doc(address)["doi"][0]) for _, address in found.hits]


def check(index: SearchIndex, questions: list[tuple[str, str]]) -> None:
    """See that both find the same."""
    engine = Bare(index)
    found = [(asked_of(index, *asked), engine.ask(*asked)) for asked in questions[:20]]
    assert all(ours == bare for ours, bare in found), found
    assert any(ours for ours, _ in found)
