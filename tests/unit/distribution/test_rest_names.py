"""Lists of what has a name, journals, and the fifteen checks: as the real service has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.distribution.rest.journals import (
    issn_kinds,
    journal_of,
    list_journals,
    render_journal,
)
from services.distribution.rest.names import Page, answers, tokens
from services.distribution.rest.params import ListQuery, parse_list
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.quality import CHECKS, judge
from services.distribution.rest.routes import JOURNALS
from services.distribution.rest.summary import summarise
from services.distribution.search.schema import encode_profile
from shared.events import TitleState
from tests.unit.distribution.search_samples import doc

KEY = b"secret"


def title(issn: str, name: str, **more: Any) -> TitleState:
    said: dict[str, Any] = {
        "subject": f"journal:{issn}",
        "name": name,
        "issns": (issn,),
        "owner_prefix": "10.5555",
        "version": 1,
    }
    return TitleState(**said | more)


TITLES = [
    title("2222-2222", "Population Ecology"),
    title("1111-1111", "Ecology", issns=("1111-1111", "1939-9170")),
    title("3333-3333", "Journal of Fish", names=("Revista de peces",)),
]


def listed(**query: Any) -> Page[TitleState]:
    found = list_journals(TITLES, ListQuery(**query), cursor_key=KEY)
    assert isinstance(found, Page), found
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("U.S. National Science Foundation", ("us", "national", "science", "foundation")),
        ("AAPG/Datapages", ("aapg/datapages",)),
        ("Boeing Co.", ("boeing", "co")),
        ("Public Library of Science (PLoS)", ("public", "library", "of", "science", "plos")),
        ("Max-Planck 'x'", ("max", "planck", "x")),
        ("  ", ()),
    ],
)
def test_names_are_cut_into_the_words_of_the_wire(name: str, expected: tuple[str, ...]) -> None:
    assert tokens(name) == expected


def test_every_word_must_begin_a_word_of_some_name() -> None:
    assert answers(("sci", "nsf"), ("National Science Foundation", "NSF"))
    assert not answers(("science", "wellcome"), ("National Science Foundation", "NSF"))
    assert answers((), ("anything",))


def test_a_journal_is_found_by_any_of_its_names_and_the_shortest_name_comes_first() -> None:
    assert [one.name for one in listed(terms="ecology").items] == ["Ecology", "Population Ecology"]
    assert [one.name for one in listed(terms="revista").items] == ["Journal of Fish"]
    assert listed(terms="fish ecology").total == 0


def test_journals_are_walked_by_cursor_each_once() -> None:
    seen: list[str] = []
    page = listed(rows=2, cursor="*")
    while page.items:
        seen += [one.name for one in page.items]
        assert len(seen) <= len(TITLES), "the walk does not end"
        page = listed(rows=2, cursor=page.next_cursor)
    assert seen == ["Ecology", "Population Ecology", "Journal of Fish"]
    refused = list_journals(TITLES, ListQuery(terms="x", cursor=page.next_cursor), cursor_key=KEY)
    assert refused == CursorInvalid(str(page.next_cursor)), "a cursor holds for its question"


def test_a_journal_has_the_keys_and_types_of_the_real_service(samples: Path) -> None:
    file = samples / "crossref" / "exchanges" / "200_journals_query_ecology_rows_2.json"
    if not file.is_file():
        pytest.skip(f"the sample {file.name} is absent")
    real = json.loads(file.read_text())["response"]["body"]["message"]["items"][0]
    counted = {encode_profile(doc("10.5555/a", published=[2020], references=1)): 3}
    made = summarise(counted, this_year=2026, checked=1)
    work = {"issn-type": [{"type": "electronic", "value": "1939-9170"}]}
    shown = json.loads(
        json.dumps(
            render_journal(
                journal_of(TITLES[1], "Elm Press"), made, kinds=issn_kinds(work), checked=1
            )
        )
    )
    assert shown.keys() == real.keys()
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in real.items()
    }
    for name in ("counts", "coverage", "flags", "coverage-type", "breakdowns"):
        assert shown[name].keys() == real[name].keys()
    assert shown["coverage-type"]["all"].keys() == real["coverage-type"]["all"].keys()
    assert shown["issn-type"] == [
        {"type": "print", "value": "1111-1111"},
        {"type": "electronic", "value": "1939-9170"},
    ]
    assert shown["counts"] == {"current-dois": 0, "backfile-dois": 3, "total-dois": 3}


@pytest.mark.parametrize(
    "query", ["filter=a:b", "sort=x", "sample=2", "facet=x:*", "query.title=x"]
)
def test_lists_of_journals_take_a_query_and_nothing_else(query: str) -> None:
    name, _, value = query.partition("=")
    (failure,) = parse_list(JOURNALS, [(name, value)])  # type: ignore[misc]
    assert failure.type == "parameter-not-allowed"


GOOD = {
    "type": "journal-article",
    "title": ["On Fish"],
    "ISSN": ["1111-1111"],
    "volume": "1",
    "issue": "2",
    "page": "5-17",
    "references-count": 3,
    "funder": [{"name": "NSF", "DOI": "10.13039/100000001", "award": ["1"]}],
    "author": [
        {
            "given": "Ada",
            "family": "Elm",
            "ORCID": "https://orcid.org/0000-0000-0000-0000",
            "affiliation": [{"name": "Elm"}],
        }
    ],
    "published-print": {"date-parts": [[2020, 1, 2]]},
}


def test_a_work_told_well_passes_all_fifteen_checks() -> None:
    assert len(CHECKS) == 15
    assert [one["id"] for one in judge(GOOD) if not one["pass"]] == []
    assert all(set(one) == {"id", "description", "pass"} for one in judge(GOOD))


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"title": ["ON FISH"]}, {"misc.standard-case-titles"}),
        ({"page": "17"}, {"article.has-pages"}),
        ({"page": "5-17-20"}, {"article.has-separate-pages"}),
        ({"references-count": 0}, {"misc.citations"}),
        ({"funder": []}, {"misc.funding-information"}),
        ({"funder": [{"name": "NSF"}]}, {"funder.has-doi", "funder.has-award"}),
        ({"ISSN": []}, {"journal.has-issn"}),
        ({"published-print": {"date-parts": [[2020]]}}, {"misc.full-publication-dates"}),
        (
            {"author": [{"family": "E<lm"}]},
            {
                "contributor.has-full-name",
                "contributor.has-orcid",
                "contributor.has-affiliation",
                "contributor.no-punctuation",
            },
        ),
        ({"author": [{"name": "Elm Group"}]}, set()),
    ],
)
def test_what_a_work_lacks_fails_its_check(change: dict[str, Any], failed: set[str]) -> None:
    assert {one["id"] for one in judge({**GOOD, **change}) if not one["pass"]} == failed


def test_a_report_is_not_asked_for_pages_or_an_issue() -> None:
    failed = {one["id"] for one in judge({"type": "report", "title": ["A"]}) if not one["pass"]}
    assert not any(name.startswith(("article.", "journal.")) for name in failed)
