"""Works are found by what they hold, value by value and sub-record by sub-record."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.search import (
    RELEVANCE,
    After,
    Amount,
    Between,
    Clause,
    During,
    Facet,
    FromStart,
    Having,
    Moment,
    OneOf,
    Order,
    Part,
    SearchIndex,
    SearchRequest,
    Term,
    Text,
    Words,
    date_bounds,
    funder_id,
    isbn,
    open_index,
    orcid,
    owning_publisher,
    project,
    said_publisher,
)
from services.distribution.search.query import _at_most
from services.distribution.search.terms import part_terms
from tests.unit.distribution.search_samples import doc, put
from tests.unit.distribution.told_works import NSF, RELATED, WELLCOME, WORKS


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    put(opened, (doc(f"10.5555/{name}", **work) for name, work in WORKS.items()))
    yield opened
    opened.close()


def found(index: SearchIndex, *clauses: Clause) -> set[str]:
    page = index.search(SearchRequest(clauses=clauses, rows=100))
    return {hit.doi.partition("/")[2] for hit in page.hits}


def having(part: Part, within: int | None = None, /, **named: str | set[str]) -> Having:
    pairs = (
        (name.replace("_", "-"), frozenset({value} if isinstance(value, str) else value))
        for name, value in named.items()
    )
    return Having(part, tuple(pairs), within)


@pytest.mark.parametrize(
    ("clause", "works"),
    [
        (OneOf(Term.FUNDER, frozenset({NSF})), {"funded", "grant"}),
        (OneOf(Term.FUNDER, frozenset({WELLCOME})), {"funded"}),
        (OneOf(Term.FUNDER_ASSERTED_BY, frozenset({"crossref"})), {"funded"}),
        (OneOf(Term.ORCID, frozenset({"0000-0001-5109-370X"})), {"placed"}),
        (OneOf(Term.ROR, frozenset({"05gq02987"})), {"placed"}),
        (OneOf(Term.ISBN, frozenset({"9780306406157"})), {"placed"}),
        (OneOf(Term.AFFILIATION, frozenset({"A Place"})), {"placed"}),
        (OneOf(Term.PUBLISHER, frozenset({said_publisher("A House")})), {"placed"}),
        (OneOf(Term.PUBLISHER, frozenset({owning_publisher("10.5555")})), {*WORKS} - {"placed"}),
        (OneOf(Term.PREFIX, frozenset({"10.5555"})), {*WORKS}),
        (OneOf(Term.UPDATES, frozenset({"10.9999/old"})), {"placed"}),
        (OneOf(Term.RELATION_TYPE, frozenset({"has-part"})), {"related"}),
        (OneOf(Term.RELATION_TYPE, frozenset({"cites"})), set()),
        (Between(Amount.AWARD, 5000, 5000), {"grant"}),
        (Between(Amount.AWARD, 5001, None), set()),
        (During(Moment.AWARDED, (date_bounds("2021-05") or (0, 0),)), {"grant"}),
        (During(Moment.EVENT_START, (date_bounds("2020") or (0, 0),)), {"grant"}),
        (having(Part.AWARD, number="cbet0756451", funder=NSF), {"funded"}),
        (having(Part.AWARD, number="cbet0756451", funder=WELLCOME), set()),
        (having(Part.AWARD, number="g1", funder=NSF), {"grant"}),
        (having(Part.AWARD, funder=WELLCOME), {"funded"}),
        (having(Part.LICENSE, url="https://b.example/tdm", version="tdm"), {"licensed"}),
        (having(Part.LICENSE, url="https://b.example/tdm", version="vor"), set()),
        (having(Part.LICENSE, url="https://b.example/tdm", version={"vor", "tdm"}), {"licensed"}),
        (having(Part.LICENSE, 365, url="https://a.example/by?v=(1)"), {"licensed"}),
        (having(Part.LICENSE, 364, url="https://a.example/by?v=(1)"), set()),
        (having(Part.LICENSE, 0), {"licensed"}),
        (having(Part.LICENSE, 364, version="vor"), set()),
        (having(Part.LICENSE, 10**9, version={"vor", "am"}), {"licensed"}),
        (having(Part.FULL_TEXT, type="text/xml", version="vor", application="a"), {"linked"}),
        (having(Part.FULL_TEXT, type="text/xml", application="b"), set()),
        (having(Part.RELATION, object="10.9999/x", type="is-preprint-of"), {"related"}),
        (having(Part.RELATION, object="10.9999/x", type="has-part"), set()),
        (having(Part.RELATION, object_type="issn", type="has-part"), {"related"}),
        (having(Part.RELATION, object="10.9999/secret"), set()),
    ],
)
def test_a_work_is_found_by_its_own_values_and_by_parts_of_one_sub_record(
    index: SearchIndex, clause: Clause, works: set[str]
) -> None:
    assert found(index, clause) == works


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_a_delay_is_within_what_is_asked_exactly_when_it_is_not_longer(a: int, b: int) -> None:
    assert bool(re.fullmatch(_at_most(f"{a:08}"), f"{b:08}")) is (b <= a)


def test_a_title_is_a_scope_by_the_subject_a_work_stands_in(tmp_path: Path) -> None:
    index = open_index(tmp_path / "i", schema_version="1")
    state = {"doi": "10.5555/a", "prefix": "10.5555", "version": 1, "title": "t1", "work": {}}
    dates = dict.fromkeys(("created", "deposited"), "2024-01-01T00:00:00Z")
    put(index, [project({**state, **dates}, indexed="2024-01-01T00:00:00Z")])
    assert found(index, OneOf(Term.TITLE, frozenset({"t1"}))) == {"a"}
    assert found(index, OneOf(Term.TITLE, frozenset({"t2"}))) == set()
    index.close()


@pytest.mark.parametrize("moment", [Moment.DEPOSITED, Moment.INDEXED])
def test_all_works_since_a_date_are_walked_upwards_by_position(
    tmp_path: Path, moment: Moment
) -> None:
    index = open_index(tmp_path / "i", schema_version="1")
    put(index, (doc(f"10.5555/{n}", deposited=n * 40_000) for n in range(12)))
    since = date_bounds("2024-01-03")
    assert since
    walked: list[str] = []
    start: FromStart | After = FromStart()
    while True:
        asked = SearchRequest(
            clauses=(During(moment, ((since[0], None),)),),
            order=Order(moment, descending=False),
            start=start,
            rows=3,
        )
        page = index.search(asked)
        if not page.hits:
            break
        walked += [hit.doi for hit in page.hits]
        assert page.position
        start = page.position
    assert walked == [f"10.5555/{n}" for n in range(5, 12)]
    index.close()


def test_words_find_a_work_also_by_what_was_looked_up_elsewhere(index: SearchIndex) -> None:
    funded = OneOf(Term.FUNDER, frozenset({NSF}))
    below, above = ((funded, 0.01),), ((funded, 99.0),)
    for alternatives, place in ((below, 0), (above, -1)):
        words = Words(Text.PUBLISHER_NAME, "house", alternatives)
        page = index.search(SearchRequest(texts=(words,), order=Order(RELEVANCE), rows=9))
        found = [hit.doi for hit in page.hits]
        assert found[place] == "10.5555/placed"
        assert set(found) == {"10.5555/placed", "10.5555/funded", "10.5555/grant"}
        assert alternatives[0][1] in {round(hit.score or 0, 3) for hit in page.hits}


def test_an_award_is_a_word_of_a_work(index: SearchIndex) -> None:
    page = index.search(SearchRequest(texts=(Words(Text.FREE, "CBET"),), rows=9))
    assert [hit.doi for hit in page.hits] == ["10.5555/funded"]


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-5")
def test_the_relation_that_repeats_the_references_is_no_part_of_the_index(
    index: SearchIndex,
) -> None:
    assert not [term for term in part_terms(RELATED) if "secret" in term or "cites" in term]
    assert set(index.count((), Facet.RELATION_TYPE)) == {"is-preprint-of", "has-part"}


@pytest.mark.parametrize("number", ["0-306-40615-2", "978-0-306-40615-7", "urn:/9780306406157"])
def test_an_isbn_is_thirteen_digits_however_it_is_written(number: str) -> None:
    assert isbn(number) == "9780306406157"


def test_identifiers_are_bare_however_they_are_addressed() -> None:
    assert orcid("http://orcid.org/0000-0001-5109-370x") == "0000-0001-5109-370X"
    assert {funder_id(f) for f in ("10.13039/1", "http://dx.doi.org/10.13039/1", "1")} == {"1"}
