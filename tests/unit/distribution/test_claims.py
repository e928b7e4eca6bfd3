"""What others say of a work: how it is told at its end, in everything that shows or finds it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.distribution import claims
from services.distribution.citations import Pace
from services.distribution.claims import (
    CITATIONS,
    INVERSES,
    TOLD_AS,
    Claim,
    claimed,
    digest,
    named,
    not_withheld,
    with_claims,
)
from services.distribution.counts import Counts
from services.distribution.host import Seen
from services.distribution.indexer import Indexer
from services.distribution.products.offers import of_document
from services.distribution.projections import WORKS
from services.distribution.rest.render import (
    Ownership,
    RegisteredWork,
    registered,
    render_item,
    render_single,
)
from services.distribution.rest.vocabulary import RELATIONS
from services.distribution.search import (
    Facet,
    Flagged,
    Having,
    OneOf,
    Part,
    SearchRequest,
    Term,
    open_index,
)
from services.distribution.snapshots.forms import FORMS, Told
from services.distribution.store import Works
from services.distribution.transform.unixref import unixref
from services.distribution.transform.unixsd import unixsd
from shared.policy import VISIBLE, Withheld
from shared.policy.rules import load_delivery
from tests.laws.memory_store import Database

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9999) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)

POLICY = load_delivery(Path(__file__).resolve().parents[3] / "deploy" / "policies")
AT = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Ownership("10.5555", 78, "Elm")
ARTICLE, REVIEW, ERRATUM = "10.5555/article", "10.6666/review", "10.6666/erratum"
CORRECTION = {"type": "correction", "label": "Correction", "source": "publisher"}


def item(doi: str, by: str = "subject") -> dict[str, str]:
    return {"id-type": "doi", "id": doi, "asserted-by": by}


def told_of(doi: str, works: Mapping[str, Mapping[str, Any]]) -> list[Claim]:
    """Return what works say of one, through a store."""
    database = Database()
    for key, work in works.items():
        names = named(key, work)
        database[WORKS].documents[key] = {"_id": key, "work": work, "names": names}
    return asyncio.run(claimed(database[WORKS], [doi]))[doi]  # type: ignore[arg-type]


def test_every_relation_has_one_inverse_whose_inverse_it_is() -> None:
    assert set(INVERSES) == {*RELATIONS, "cites", "is-cited-by"}
    assert all(INVERSES[INVERSES[name]] == name for name in INVERSES)
    assert {name for name in INVERSES if INVERSES[name] == name} == {
        "is-same-as",
        "is-identical-to",
    }


@pytest.mark.clause("CRR-2")
def test_citations_are_never_told_from_the_other_end_nor_what_the_policy_withholds() -> None:
    assert set(TOLD_AS) == set(INVERSES) - CITATIONS
    assert {INVERSES[name] for name in CITATIONS} == CITATIONS
    citing = {name: [item(ARTICLE)] for name in CITATIONS}
    assert named("10.6666/closed", {"relation": citing}) == []
    # Whatever else the policy withholds, now or later, is not told at either end.
    for path in POLICY.withheld_fields:
        root, _, name = path.partition(".")
        assert root == "reference" or not not_withheld([{"as": name, "by": REVIEW}], [path])
    told = told_of(
        ARTICLE,
        {REVIEW: {"relation": {"is-review-of": [item(ARTICLE)]}, "update-to": [{"DOI": ARTICLE}]}},
    )
    assert [one["as"] for one in told] == ["has-review", "updated-by"]
    assert not_withheld(told, POLICY.withheld_fields) == told
    for path in ("relation", "relation.has-review", "relation.is-review-of"):
        assert [one["as"] for one in not_withheld(told, [path])] == ["updated-by"]
    for path in ("update-to", "updated-by"):
        assert [one["as"] for one in not_withheld(told, [path])] == ["has-review"]


def test_a_work_names_whom_it_speaks_of_by_doi_once_and_itself_only_where_it_updates_itself() -> (
    None
):
    work = {
        "relation": {
            "is-review-of": [
                item("10.5555/ARTICLE"),
                item("https://doi.org/10.5555/Article"),
                item(REVIEW.upper()),
                item("10.5555/other", by="object"),
                {"id-type": "uri", "id": "10.5555/uri", "asserted-by": "subject"},
            ],
            "unheard-of": [item("10.5555/unheard")],
        },
        "update-to": [{"DOI": ARTICLE, **CORRECTION}, {"DOI": ""}],
    }
    assert named(REVIEW, work) == [ARTICLE]
    new_version = {"update-to": [{"DOI": REVIEW.upper(), "type": "new_version"}]}
    assert named(REVIEW, work | new_version) == [ARTICLE, REVIEW]
    assert with_claims(new_version, told_of(REVIEW, {REVIEW: new_version}))["updated-by"] == [
        {"DOI": REVIEW, "type": "new_version"}
    ]


@given(st.dictionaries(st.sampled_from(["relation", "update-to", "updated-by"]), JSON))
def test_no_shape_of_a_work_stops_what_is_told(work: dict[str, Any]) -> None:
    told = told_of(ARTICLE, {REVIEW: work, ERRATUM: {"update-to": [{"DOI": ARTICLE}]}})
    assert named(REVIEW, work) == [ARTICLE] * bool(len(told) > 1)
    assert with_claims(work, told)["updated-by"]


SAYINGS = st.dictionaries(
    st.sampled_from([REVIEW, ERRATUM, "10.7777/a", "10.7777/b"]),
    st.fixed_dictionaries(
        {
            "relation": st.dictionaries(
                st.sampled_from(sorted(TOLD_AS)),
                st.lists(st.sampled_from([ARTICLE, "10.5555/else"]).map(item), max_size=3),
                max_size=3,
            ),
            "update-to": st.lists(
                st.fixed_dictionaries(
                    {"DOI": st.just(ARTICLE), "type": st.sampled_from(["correction", "erratum"])}
                ),
                max_size=3,
            ),
        }
    ),
)


@pytest.mark.law("L6")
@given(SAYINGS, st.randoms(use_true_random=False))
def test_what_is_told_follows_from_what_is_said_in_whatever_order_it_is_found(
    works: dict[str, Any], order: Any
) -> None:
    shuffled = list(works.items())
    order.shuffle(shuffled)
    told = told_of(ARTICLE, works)
    assert told_of(ARTICLE, dict(shuffled)) == told
    assert digest(told) == digest(told_of(ARTICLE, dict(shuffled)))
    assert bool(digest(told)) == bool(told)
    assert bool(told) == any(ARTICLE in named(doi, work) for doi, work in works.items())
    said = {
        (TOLD_AS[name], doi)
        for doi, work in works.items()
        for name, some in work["relation"].items()
        for one in some
        if one["id"] == ARTICLE
    }
    related = with_claims({}, told).get("relation", {})
    assert {(name, one["id"]) for name, some in related.items() for one in some} == said
    assert sum(map(len, related.values())) == len(said)


def test_what_a_work_says_itself_comes_first_and_is_not_said_twice() -> None:
    works: dict[str, dict[str, Any]] = {
        REVIEW: {"relation": {"is-review-of": [item(ARTICLE)]}},
        "10.6666/second": {"relation": {"is-review-of": [item(ARTICLE)]}},
        ERRATUM: {"update-to": [{"DOI": ARTICLE, **CORRECTION}]},
    }
    own = {"relation": {"has-review": [item("10.5555/own"), item("10.6666/SECOND")]}}
    before = repr(own)
    shown = with_claims(own, told_of(ARTICLE, works))
    assert repr(own) == before
    assert shown["relation"] == {
        "has-review": [item("10.5555/own"), item("10.6666/SECOND"), item(REVIEW, by="object")]
    }
    assert shown["updated-by"] == [{"DOI": ERRATUM, **CORRECTION}]
    assert with_claims(own, []) is own


def test_nobody_can_say_so_much_of_a_work_that_its_record_bursts() -> None:
    many = [{"DOI": ARTICLE, "type": f"t{n}"} for n in range(100)]
    long = [{"DOI": ARTICLE, "type": "x" * claims.LONGEST}]
    assert named(ERRATUM, {"update-to": long}) == []
    works = {f"10.6666/{n:04}": {"update-to": long + many} for n in range(200)}
    told = told_of(ARTICLE, works)
    assert len(told) == claims.MOST_TOLD
    assert [one["says"]["type"] for one in told[: claims.MOST_OF_ONE + 1]] == [
        *(f"t{n}" for n in range(claims.MOST_OF_ONE)),
        "t0",
    ]
    assert told[-1]["by"] == "10.6666/0099"


TOLD: list[Claim] = [
    {"as": "has-review", "by": REVIEW},
    {"as": "updated-by", "by": ERRATUM, "says": {**CORRECTION, "source": "retraction-watch"}},
]
RECORD = RegisteredWork(
    ARTICLE,
    {
        "type": "journal-article",
        "title": ["T"],
        "relation": {"cites": [item("10.7777/cited")]},
        "reference": [{"key": "r"}],
    },
    AT,
    AT,
    AT,
    TOLD,
)


@pytest.mark.clause("CRP-12b")
@pytest.mark.parametrize("visibility", [VISIBLE, Withheld("closed", "closed")])
def test_every_form_shows_what_is_told_whatever_the_works_own_setting(visibility: Any) -> None:
    for render in (render_single, render_item):
        work = render(RECORD, OWNER, cited_by=1, visibility=visibility, policy=POLICY)
        assert work["relation"]["has-review"] == [item(REVIEW, by="object")]
        assert ("cites" in work["relation"]) is (visibility == VISIBLE)
        assert [one["DOI"] for one in work["updated-by"]] == [ERRATUM]
        assert work["sources"][0]["id"] == "retraction-watch"  # of the update, too
        items = [one for one in etree.fromstring(unixsd(work).encode()).iter() if one.get("claim")]
        assert [(one.get("claim"), one.text) for one in items] == [
            ("correction", ERRATUM),
            ("hasReview", REVIEW),
        ]
        assert REVIEW not in unixref(work)
    selected = render_item(
        RECORD,
        OWNER,
        cited_by=1,
        visibility=visibility,
        policy=POLICY,
        select=("updated-by",),
    )
    assert set(selected) == {"updated-by", "sources"}


def test_snapshots_hold_what_is_told_and_topic_products_what_the_work_itself_says() -> None:
    for form, shown in (("json", b'"asserted-by":"object"'), ("xml", b'claim="hasReview"')):
        written = FORMS[form].write(Told(RECORD, OWNER, 1, refers=True), VISIBLE, POLICY)
        assert shown in written
        assert REVIEW.encode() in written
    document = {
        "_id": ARTICLE,
        "v": 1,
        **{name: getattr(RECORD, name) for name in ("work", "created", "deposited", "indexed")},
        "told": TOLD,
    }
    assert registered(document) == RECORD
    assert of_document(document).work == RECORD.work


def test_a_validator_differs_with_what_is_told() -> None:
    def etag(told: list[Claim]) -> str:
        return Seen(replace(RECORD, told=told), OWNER, 1, VISIBLE, 1).etag

    assert len({etag([]), etag(TOLD), etag(TOLD[:1])}) == 3


@pytest.fixture
async def walked(tmp_path: Path) -> AsyncIterator[tuple[Database, Counts]]:
    """A host's lists over a store, of one work that nobody speaks of yet."""
    database = Database()
    database[WORKS].documents[ARTICLE] = {
        "_id": ARTICLE,
        "v": 1,
        "prefix": "10.5555",
        "created": AT,
        "deposited": AT,
        "indexed": AT,
        "work": {"type": "journal-article", "title": ["T"]},
    }
    index = open_index(tmp_path, schema_version="1")
    indexer = Indexer(index, "", lambda _: "10.5555", lambda: True)
    counts = Counts(Works(database), indexer, 0.0)  # type: ignore[arg-type]
    yield database, counts
    index.close()


async def at_once(_seconds: float) -> None:
    return


async def test_lists_find_a_work_by_what_is_told_of_it_after_the_next_walk(
    walked: tuple[Database, Counts],
) -> None:
    database, counts = walked
    index, document = counts.indexer.index, database[WORKS].documents[ARTICLE]
    both_ends = (
        OneOf(Term.RELATION_TYPE, frozenset({"has-review"})),
        Flagged("relations", present=True),
        Flagged("updated-by", present=True),
        Having(
            Part.RELATION,
            (
                ("type", frozenset({"has-review"})),
                ("object", frozenset({REVIEW})),
                ("object-type", frozenset({"doi"})),
            ),
        ),
    )

    async def walk() -> int:
        return await counts.walk(Pace(rest=at_once), asyncio.Event())

    def found() -> list[int]:
        return [index.search(SearchRequest(clauses=(one,))).total for one in both_ends]

    def state(version: int) -> dict[str, Any]:
        named = {"doi": ARTICLE, "version": version, "title": None}
        return {name: document[name] for name in document if name != "told"} | named

    assert await counts.indexer.put([state(1)], {}) == 1
    assert (await walk(), found()) == (0, [0] * 4)
    document["told"] = TOLD
    assert (await walk(), found()) == (1, [1] * 4)
    facet = SearchRequest(facets=(Facet.RELATION_TYPE,))
    assert index.search(facet).facets[Facet.RELATION_TYPE] == {"has-review": 1}
    assert await walk() == 0
    # The same state again brings nothing of others and is no news; a newer one waits for a walk.
    assert (await counts.indexer.put([state(1)], {}), found()) == (0, [1] * 4)
    document["v"] = 2
    assert (await counts.indexer.put([state(2)], {}), found()) == (1, [0] * 4)
    assert (await walk(), found()) == (1, [1] * 4)
    counts.indexer.withheld = ("relation.is-review-of",)
    assert (await walk(), found()) == (1, [0, 0, 1, 0])
    counts.indexer.withheld = ()
    document["told"] = []
    assert (await walk(), found()) == (1, [0] * 4)
