"""From a query string to an answer, over a real index: filters, facets, cursors, envelopes."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest

from services.distribution.rest.envelope import success, work_list
from services.distribution.rest.facets import facets_message
from services.distribution.rest.params import WorksQuery, parse_works
from services.distribution.rest.plan import (
    CursorInvalid,
    Scope,
    next_cursor,
    of_member,
    of_prefix,
    search_request,
)
from services.distribution.rest.publishers import ranked
from services.distribution.search import SearchIndex, open_index
from tests.unit.distribution.search_samples import doc, put

KEY = b"secret of this registry"


@dataclass
class KnownOwners:
    """Owners as a reader knows them; changed without any re-indexing."""

    members: Mapping[int, Collection[str]] = field(
        default_factory=lambda: {78: ["10.1001", "10.1002"], 98: ["10.1003"]}
    )
    settings: dict[str, str] = field(
        default_factory=lambda: {"10.1001": "open", "10.1002": "closed", "10.1003": "limited"}
    )
    names: dict[str, str] = field(
        default_factory=lambda: {"10.1001": "Elm", "10.1002": "Elm", "10.1003": "Hind"}
    )

    def prefixes_of_member(self, member: int) -> Collection[str]:
        return self.members.get(member, ())

    def prefixes_with_visibility(self, setting: str) -> Collection[str]:
        return [prefix for prefix, own in self.settings.items() if own == setting]

    def publisher_names(self) -> Collection[tuple[str, str]]:
        return self.names.items()

    def publisher_name(self, prefix: str) -> str | None:
        return self.names.get(prefix)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    put(
        opened,
        (
            doc(
                f"10.{1001 + n % 4}/{n}",
                deposited=n * 86_400,
                created=n,
                published=[1960 + n, 6],
                type=["journal-article", "posted-content"][n % 2],
                title=["fish" if n % 3 else "fowl"],
                ISSN=[f"000{n % 5}-0000"],
                references=n % 3,
            )
            for n in range(40)
        ),
    )
    yield opened
    opened.close()


def answer(
    index: SearchIndex,
    query: str,
    owners: KnownOwners | None = None,
    scope: Scope | None = None,
) -> dict[str, Any]:
    owners = owners or KnownOwners()
    asked = parse_works(parse_qsl(query, keep_blank_values=True))
    assert isinstance(asked, WorksQuery), asked
    request = search_request(asked, owners, scope=scope, cursor_key=KEY)
    if isinstance(request, CursorInvalid):
        return {"refused": request.value}
    page = index.search(request)
    message = work_list(
        [{"DOI": hit.doi} for hit in page.hits],
        total=page.total,
        rows=asked.rows,
        offset=asked.offset,
        terms=asked.query,
        facets=facets_message(asked, page.facets, owners),
        cursor=next_cursor(asked, page, scope=scope, cursor_key=KEY),
    )
    whole: dict[str, Any] = json.loads(success("work-list", message).body)
    assert list(whole) == ["status", "message-type", "message-version", "message"]
    body: dict[str, Any] = whole["message"]
    return body


def numbers(message: dict[str, Any]) -> list[int]:
    return [int(item["DOI"].split("/")[1]) for item in message["items"]]


@pytest.mark.clause("CRR-12")
def test_the_policy_texts_own_query_counts_publishers_of_works_with_references(
    index: SearchIndex,
) -> None:
    message = answer(index, "filter=has-references:true&facet=publisher-name:*&rows=0")
    having = [n for n in range(40) if n % 3]
    elm, hind, nobody = (sum(n % 4 in rest for n in having) for rest in ({0, 1}, {2}, {3}))
    assert message["facets"]["publisher-name"] == {
        "value-count": 3,
        "values": {"Elm": elm, "10.1004": nobody, "Hind": hind},
    }
    assert list(message["facets"]["publisher-name"]["values"].values()) == sorted(
        (elm, hind, nobody), reverse=True
    )
    assert (message["total-results"], message["items"]) == (len(having), [])


@pytest.mark.clause("CRR-12")
@pytest.mark.law("L4")
def test_the_counts_are_the_same_whatever_the_settings(index: SearchIndex) -> None:
    query = "filter=has-references:true&facet=*&rows=0"
    answers = [
        answer(index, query, KnownOwners(settings=dict.fromkeys(KnownOwners().names, setting)))
        for setting in ("open", "limited", "closed")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_a_flip_or_a_rename_shows_without_re_indexing(index: SearchIndex) -> None:
    owners = KnownOwners()
    query = "filter=reference-visibility:open&rows=0&facet=publisher-name:*"
    before = answer(index, query, owners)
    owners.settings["10.1002"] = "open"
    owners.names["10.1002"] = "Oak"
    after = answer(index, query, owners)
    assert before["facets"]["publisher-name"]["values"] == {"Elm": 10}
    assert after["facets"]["publisher-name"]["values"] == {"Elm": 10, "Oak": 10}


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        ("member:78", lambda n: n % 4 in {0, 1}),
        ("member:78,member:98", lambda n: n % 4 in {0, 1, 2}),
        ("member:5", lambda _: False),
        ("prefix:10.1002", lambda n: n % 4 == 1),
        ("doi:10.1001/4", lambda n: n == 4),
        ("doi:https://doi.org/10.1001/4,doi:10.1002/1", lambda n: n in {4, 1}),
        ("type:posted-content", lambda n: n % 2 == 1),
        ("type-name:Posted Content", lambda n: n % 2 == 1),
        ("issn:0003-0000", lambda n: n % 5 == 3),
        ("has-references:false", lambda n: n % 3 == 0),
        ("has-references:t,has-references:0", lambda _: True),
        ("reference-visibility:open", lambda n: n % 4 == 0),
        ("reference-visibility:limited,reference-visibility:closed", lambda n: n % 4 in {1, 2}),
        ("from-pub-date:1969", lambda n: n >= 9),
        ("from-pub-date:1969-07", lambda n: n >= 10),
        ("until-pub-date:1970", lambda n: n <= 10),
        ("from-pub-date:1965-06-01,until-pub-date:1968-06", lambda n: 5 <= n <= 8),
        ("until-issued-date:1960-06-01", lambda n: n == 0),
        ("from-deposit-date:2024-01-03,until-deposit-date:2024-01-05", lambda n: 2 <= n <= 4),
        ("from-update-date:2024-02", lambda n: n >= 31),
        ("until-index-date:2024-01", lambda n: n <= 30),
        ("from-created-date:2024-01-01,until-created-date:2024-01-01", lambda _: True),
        ("from-created-date:2024-01-02", lambda _: False),
        ("from-online-pub-date:1000", lambda _: False),
        ("until-print-pub-date:9999", lambda _: False),
        ("type:journal-article,has-references:1,member:78", lambda n: n % 4 == 0 and n % 3),
    ],
)
def test_a_filter_keeps_exactly_what_it_says(index: SearchIndex, filters: str, keeps: Any) -> None:
    message = answer(index, f"filter={filters}&rows=100&sort=created&order=asc")
    expected = [n for n in range(40) if keeps(n)]
    assert numbers(message) == expected
    assert message["total-results"] == len(expected)


def test_without_a_query_the_newest_deposit_comes_first(index: SearchIndex) -> None:
    assert numbers(answer(index, "rows=3")) == [39, 38, 37]
    assert numbers(answer(index, "rows=3&offset=2&sort=relevance")) == [37, 36, 35]


def test_the_works_of_a_path_are_narrowed_by_filters_of_the_same_name(index: SearchIndex) -> None:
    owners = KnownOwners()
    path = of_member(78, owners)
    assert answer(index, "rows=0", owners, path)["total-results"] == 20
    assert answer(index, "rows=0&filter=member:98", owners, path)["total-results"] == 0
    assert answer(index, "rows=0&filter=prefix:10.1002", owners, path)["total-results"] == 10


def test_envelopes_have_five_keys_and_a_sixth_with_a_cursor(index: SearchIndex) -> None:
    plain = answer(index, "query=fish&rows=2&offset=1")
    assert set(plain) == {"facets", "total-results", "items", "items-per-page", "query"}
    assert plain["query"] == {"start-index": 1, "search-terms": "fish"}
    assert (plain["facets"], plain["items-per-page"]) == ({}, 2)
    assert answer(index, "")["query"] == {"start-index": 0, "search-terms": None}
    assert set(answer(index, "cursor=*")) == {*plain, "next-cursor"}


def walk(index: SearchIndex, query: str) -> list[int]:
    seen: list[int] = []
    cursor = "*"
    while True:
        message = answer(index, f"{query}&cursor={cursor}")
        if not message["items"]:
            assert message["next-cursor"]  # stays present at the end, and goes on saying nothing
            return seen
        seen += numbers(message)
        assert len(seen) <= 40, "the walk does not end"
        cursor = message["next-cursor"]


@pytest.mark.parametrize(
    "query", ["rows=7", "rows=6&query=fish", "rows=1&filter=type:posted-content&sort=published"]
)
def test_a_walk_by_cursor_meets_every_work_once(index: SearchIndex, query: str) -> None:
    total = answer(index, f"{query}&rows=0".replace("rows=0", ""))["total-results"]
    seen = walk(index, query)
    assert len(seen) == len(set(seen)) == total


def test_a_cursor_is_good_for_another_number_of_rows_or_a_facet(index: SearchIndex) -> None:
    cursor = answer(index, "rows=5&cursor=*&filter=type:posted-content")["next-cursor"]
    more = answer(index, f"rows=9&cursor={cursor}&filter=type:posted-content&facet=*&select=DOI")
    assert len(more["items"]) == 9


@pytest.mark.parametrize(
    "other", ["", "filter=type:journal", "query=fish", "sort=published", "order=asc"]
)
def test_a_cursor_with_another_question_is_refused(index: SearchIndex, other: str) -> None:
    cursor = answer(index, "rows=5&cursor=*&filter=type:posted-content")["next-cursor"]
    base = "filter=type:posted-content&" if other and not other.startswith("filter") else ""
    assert answer(index, f"{base}{other}&cursor={cursor}") == {"refused": cursor}
    assert answer(index, "cursor=thing") == {"refused": "thing"}


def test_a_cursor_of_another_path_is_refused(index: SearchIndex) -> None:
    owners = KnownOwners()
    scope = of_member(78, owners)
    cursor = answer(index, "rows=5&cursor=*", owners, scope)["next-cursor"]
    assert answer(index, f"cursor={cursor}", owners, of_prefix("10.1001")) == {"refused": cursor}
    owners.members = {78: ["10.1001", "10.1002", "10.1003"]}  # the walk goes on nevertheless
    assert answer(index, f"cursor={cursor}", owners, of_member(78, owners))["items"]


def test_facets_are_labelled_capped_and_ordered_by_count(index: SearchIndex) -> None:
    facets = answer(index, "rows=0&facet=type-name:*,issn:2,published:1,publisher-name:1")["facets"]
    assert facets["type-name"]["values"] == {"Journal Article": 20, "Posted Content": 20}
    assert facets["issn"] == {
        "value-count": 2,
        "values": {
            "https://id.crossref.org/issn/0000-0000": 8,
            "https://id.crossref.org/issn/0001-0000": 8,
        },
    }
    assert facets["published"] == {"value-count": 1, "values": {"1960": 1}}
    assert facets["publisher-name"]["values"] == {"Elm": 20}


def test_works_whose_owner_bears_the_whole_name_come_before_those_that_share_a_common_word(
    index: SearchIndex,
) -> None:
    """As the wire ranks them: a rare word says more, and a name says more the shorter it is."""
    names = {
        "10.1001": "House of Elm",
        "10.1002": "Oak and Elm of the House of Ash",
        "10.1003": "Ash",
        "10.1004": "Nobody of Note",
    }
    message = answer(index, "query.publisher-name=House+of+Elm&rows=40", KnownOwners(names=names))
    owners = [(number % 4) + 1001 for number in numbers(message)]
    assert owners == [1001] * 10 + [1002] * 10 + [1004] * 10


def test_an_owner_s_name_counts_once_however_many_prefixes_it_has() -> None:
    publishers = [("10.1", "Elm"), ("10.2", "Elm"), ("10.3", "Elm House"), ("10.4", "Ash House")]
    (best, of_elm), (_, of_both), (least, of_house) = ranked("elm, House", publishers)
    assert (of_both, of_elm, of_house) == ({"10.1", "10.2"}, {"10.3"}, {"10.4"})
    assert best > least > 0
    assert ranked("elm", publishers[:2])[0][1] == {"10.1", "10.2"}
    assert ranked("oak", publishers) == ranked("elm", []) == ()
