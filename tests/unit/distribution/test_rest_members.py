"""Members and prefixes: found by their names and settings, summarised from their own works."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.distribution.rest.envelope import name_list, success
from services.distribution.rest.members import (
    Member,
    OwnedPrefix,
    Works,
    list_members,
    render_member,
    render_prefix,
)
from services.distribution.rest.names import Page
from services.distribution.rest.params import ListQuery, parse_list
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.routes import MEMBERS as ROUTE
from services.distribution.rest.summary import summarise
from services.distribution.search import Facet, OneOf, SearchIndex, Term, open_index
from tests.unit.distribution.search_samples import doc, put

KEY = b"secret"
CHECKED = 1_700_000_000_000


def member(number: int, name: str, **prefixes: str) -> Member:
    owned = tuple(
        OwnedPrefix(f"10.{value[1:]}", f"{name} {value}", setting)
        for value, setting in prefixes.items()
    )
    return Member(number, name, (name,), "Oslo, Norway", owned)


MEMBERS = [
    member(98, "Hindawi Limited", p1155="open", p1100="limited"),
    member(1, "Annals of Family Medicine", p1370="closed"),
    member(4302, "Immediate Science Ecology", p7332="limited"),
    member(6933, "Knowledge Ecology International", p17534="open"),
]
WORKS = {98: Works(0, 1372), 1: Works(3, 7), 6933: Works(3, 0)}


def page(*pairs: tuple[str, str]) -> Page[Member]:
    asked = parse_list(ROUTE, pairs)
    assert isinstance(asked, ListQuery), asked
    found = list_members(MEMBERS, asked, works=WORKS, cursor_key=KEY)
    assert isinstance(found, Page), found
    return found


def ids(found: Page[Member]) -> list[int]:
    return [one.id for one in found.items]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ecology", [4302, 6933]),
        ("ECO inter", [6933]),
        ("family ann", [1]),
        ("logy", []),
        ("hindawi ecology", []),
    ],
)
def test_every_word_must_begin_a_word_of_the_name(query: str, expected: list[int]) -> None:
    assert ids(page(("query", query))) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("has-public-references:true", [98, 6933]),
        ("has-public-references:0", [1, 4302]),
        ("reference-visibility:limited", [98, 4302]),
        ("reference-visibility:closed,reference-visibility:open", [1, 98, 6933]),
        ("prefix:10.1100", [98]),
        ("prefix:10.1100,has-public-references:false", []),
        ("current-doi-count:3", [1, 6933]),
        ("current-doi-count:0", [98, 4302]),
        ("current-doi-count:3,backfile-doi-count:0", [6933]),
        ("backfile-doi-count:7,backfile-doi-count:1372", [1, 98]),
    ],
)
def test_members_are_filtered_by_what_their_prefixes_say_now(
    filters: str, expected: list[int]
) -> None:
    found = page(("filter", filters))
    assert ids(found) == expected
    assert found.total == len(expected)


def test_members_are_walked_by_cursor_each_once() -> None:
    seen: list[int] = []
    cursor = "*"
    while found := page(("rows", "3"), ("cursor", cursor)):
        if not found.items:
            break
        seen += ids(found)
        assert len(seen) <= len(MEMBERS), "the walk does not end"
        assert found.next_cursor
        cursor = found.next_cursor
    assert seen == [1, 98, 4302, 6933]


@pytest.mark.parametrize("cursor", ["5", "thing"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    asked = ListQuery(cursor=cursor)
    assert list_members(MEMBERS, asked, cursor_key=KEY) == CursorInvalid(cursor)


def test_the_list_has_the_keys_of_the_wire() -> None:
    message = name_list([], page=Page(0, (), None), query=ListQuery())
    body = json.loads(success("member-list", message).body)
    assert len(body) == 4
    assert set(body["message"]) == {"items-per-page", "query", "total-results", "items"}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path / "i", schema_version="1")
    link = [{"URL": "https://x", "intended-application": "similarity-checking"}]
    put(
        opened,
        [
            doc("10.1155/a", published=[2024], abstract="x", references=3),
            doc("10.1155/b", published=[2022, 5], link=link, references=1),
            doc("10.1100/c", published=[2010], type="monograph"),
            doc("10.1100/d"),
            doc("10.9999/e", published=[2024]),
        ],
    )
    yield opened
    opened.close()


def summary(index: SearchIndex, of: Member) -> Any:
    owned = frozenset(prefix.value for prefix in of.prefixes)
    counted = index.count((OneOf(Term.OWNER, owned),), Facet.PROFILE)
    return summarise(counted, this_year=2024, checked=CHECKED)


def test_a_member_is_summarised_from_its_own_works(index: SearchIndex) -> None:
    shown = render_member(MEMBERS[0], summary(index, MEMBERS[0]), checked=CHECKED)
    assert shown["counts"] == {"current-dois": 2, "backfile-dois": 1, "total-dois": 4}
    assert shown["breakdowns"] == {"dois-by-issued-year": [[2024, 1], [2022, 1], [2010, 1]]}
    assert shown["counts-type"] == {
        "all": {"journal-article": 3, "monograph": 1},
        "current": {"journal-article": 2},
        "backfile": {"monograph": 1},
    }
    assert shown["coverage"]["references-current"] == 1.0
    assert shown["coverage"]["abstracts-current"] == 0.5
    assert shown["coverage"]["references-backfile"] == 0.0
    assert shown["coverage-type"]["all"]["journal-article"]["references"] == pytest.approx(2 / 3)
    assert shown["flags"]["deposits-references-current"]
    assert not shown["flags"]["deposits-references-backfile"]
    assert shown["tokens"] == ("hindawi", "limited")


@pytest.mark.clause("CRR-13")
def test_prefixes_of_a_member_say_who_may_see_their_references(index: SearchIndex) -> None:
    shown = render_member(MEMBERS[0], summary(index, MEMBERS[0]), checked=CHECKED)
    assert shown["prefix"] == [
        {
            "value": "10.1155",
            "name": "Hindawi Limited p1155",
            "public-references": True,
            "reference-visibility": "open",
        },
        {
            "value": "10.1100",
            "name": "Hindawi Limited p1100",
            "public-references": False,
            "reference-visibility": "limited",
        },
    ]


def test_a_member_without_works_deposits_nothing(index: SearchIndex) -> None:
    shown = render_member(MEMBERS[1], summary(index, MEMBERS[1]), checked=CHECKED)
    assert shown["counts"]["total-dois"] == 0
    assert not any(shown["flags"].values())
    assert not any(shown["coverage"].values())


def test_a_member_has_the_keys_and_types_of_the_real_service(
    index: SearchIndex, samples: Path
) -> None:
    file = samples / "crossref" / "exchanges" / "200_members_98.json"
    if not file.is_file():
        pytest.skip(f"the sample {file.name} is absent")
    real = json.loads(file.read_text())["response"]["body"]["message"]
    shown = json.loads(json.dumps(render_member(MEMBERS[0], summary(index, MEMBERS[0]), checked=1)))
    assert shown.keys() == real.keys()
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in real.items()
    }
    for name in ("counts", "coverage", "flags", "coverage-type", "counts-type", "breakdowns"):
        assert shown[name].keys() == real[name].keys()
    for kinds in (shown["coverage-type"], real["coverage-type"]):
        (ratios, *_) = [frozenset(kind) for kind in kinds["all"].values()]
        assert ratios == frozenset(real["coverage-type"]["all"]["journal-article"])


def test_a_prefix_has_exactly_three_keys() -> None:
    assert render_prefix("10.1016", member=78, name="Elm") == {
        "member": "https://id.crossref.org/member/78",
        "name": "Elm",
        "prefix": "https://id.crossref.org/prefix/10.1016",
    }
