"""Recorded exchanges of the wire that clients speak, replayed (crossref.md 1).

Each request is sent as it was; status, headers, envelope, keys, types and values are compared.
What differs must stand in the table of docs/interfaces/differences.md, and what stands there must
differ.
Counts are of the registry's own works: they are compared with what the samples alone say.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests import funding
from tests.comparing import Difference, differences, headers, rows, undocumented
from tests.conftest import SAMPLES
from tests.platform import Platform
from tests.processes import ROOT
from tests.sampled import Answer, Exchange, Facts, Sampled, Work, exchanges, in_thread, opened

TABLE: Final = rows(ROOT / "docs" / "interfaces" / "differences.md")
RECORDED: Final = exchanges(SAMPLES) if SAMPLES.is_dir() else ()
LISTS: Final = (
    "work-list",
    "member-list",
    "journal-list",
    "funder-list",
    "license-list",
    "type-list",
)


@pytest.fixture(scope="module")
def registry(
    platform: Platform, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sampled]:
    def opening() -> AbstractAsyncContextManager[Sampled]:
        return opened(platform, tmp_path_factory.mktemp("exchanges"), samples)

    yield from in_thread(opening)


@pytest.fixture(scope="module")
def seen() -> set[tuple[str, str, Difference]]:
    """Every difference of the replays so far: exchange, kind, difference."""
    return set()


def replayed(registry: Sampled, one: Exchange) -> tuple[Exchange, Answer]:
    """Send a request as it was recorded; a cursor of theirs is replaced by ours of that page."""
    asked = parse_qs(urlsplit(one.target).query, keep_blank_values=True)
    cursor = asked.get("cursor", ["*"])[0]
    target = one.target
    if cursor != "*":
        before = target.replace(quote(cursor, safe=""), quote("*", safe=""))
        given = registry.ask(before).json()["message"]["next-cursor"]
        target = target.replace(quote(cursor, safe=""), quote(given, safe=""))
    asked_for = replace(one, target=target)
    return asked_for, registry.ask(target, one.method, **one.headers)


def widened(target: str) -> str:
    """Return the request for all that a request asks for a page of."""
    parts = urlsplit(target)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    kept = {name: value for name, value in asked.items() if name not in ("cursor", "sample")}
    return f"{parts.path}?{urlencode(kept | {'rows': '1000'})}"


def key_of(kind: str, item: Mapping[str, Any]) -> Any:
    """Return what an item of a list is known by."""
    if kind == "work-list":
        return item["DOI"]
    if kind == "journal-list":
        return tuple(sorted(item["ISSN"]))
    return item["URL"] if kind == "license-list" else item["id"]


def compared(registry: Sampled, one: Exchange, answer: Answer) -> Iterator[Difference]:
    """Yield every difference of an answer."""
    if answer.status != one.status:
        yield Difference("value", "status")
    yield from headers(one.said, answer.headers)
    if isinstance(one.body, str):
        if answer.body.decode() != one.body:
            yield Difference("value", "body")
        return
    if "json" not in answer.headers.get("content-type", "json"):
        yield Difference("type", "body")
        return
    ours = answer.json()
    if one.kind not in LISTS or not isinstance(ours.get("message"), dict):
        yield from differences(one.body, ours)
        return
    yield from differences(_bare(one.body), _bare(ours))
    yield from _items(registry, one, ours["message"])


def _bare(body: Mapping[str, Any]) -> Any:
    """Return an answer without what depends on the registry's works: those are looked at alone."""
    held = dict(body["message"])
    for name in ("items", "total-results", "facets", "next-cursor"):
        if name in held:
            held[name] = type(held[name]).__name__
    return {**body, "message": held}


def _items(registry: Sampled, one: Exchange, message: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare each recorded item with ours: what was found by a question is found by it here."""
    known = _keys(registry, one)
    for item in message["items"]:
        yield from (Difference("extra", f"message.items[].{name}") for name in set(item) - known)
    if "sample" in one.target:
        return
    answer = registry.ask(widened(one.target))
    ours = {key_of(one.kind, item): item for item in answer.json()["message"]["items"]}
    for item in one.items:
        found = ours.get(key_of(one.kind, item))
        if found is None and one.kind == "work-list" and item["DOI"] not in registry.held.works:
            continue  # recorded with few fields, so that the registry cannot hold it
        if found is None:
            yield Difference("missing", "message.items[]")
        else:
            yield from differences(item, found, "message.items[]")


def _keys(registry: Sampled, one: Exchange) -> set[str]:
    """Return the keys that items of such an answer may have: of those selected, else of any."""
    alike = [one] if "select=" in one.target else [o for o in RECORDED if o.kind == one.kind]
    items = [item for other in alike for item in other.items]
    if one.kind == "work-list" and len(alike) > 1:
        items += registry.held.works.values()
    return {name for item in items for name in item}


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one.name)
def test_a_recorded_request_is_answered_as_it_was_but_for_what_the_table_says(
    registry: Sampled, seen: set[tuple[str, str, Difference]], one: Exchange
) -> None:
    asked, answer = replayed(registry, one)
    found = set(compared(registry, asked, answer))
    left = undocumented([one.name, one.kind], found, TABLE)
    seen.update((one.name, one.kind, difference) for difference in found)
    assert left == [], (asked.target, answer.status, answer.body[:300])


def test_what_the_table_says_differs_does(
    registry: Sampled, seen: set[tuple[str, str, Difference]]
) -> None:
    """Of those exchanges that were replayed before, in this run."""
    if not {one.name for one in RECORDED} <= {name for name, _, _ in seen}:
        pytest.skip("only some exchanges were replayed")
    idle = [
        row
        for row in TABLE
        if not any(row.covers([name, kind], found) for name, kind, found in seen)
    ]
    assert idle == []


# -- counts, from the samples alone --------------------------------------------------------------

Holds = Callable[[Work], bool]
SCOPES: Final[Mapping[str, Callable[[str], Holds]]] = {
    r"/prefixes/([^/]+)/works": lambda given: lambda work: work["prefix"] == given,
    r"/journals/([^/]+)/works": lambda given: lambda work: given in work.get("ISSN", ()),
    r"/types/([^/]+)/works": lambda given: lambda work: work["type"] == given,
    r"/works()": lambda _given: lambda _work: True,
}
FILTERS: Final[Mapping[str, Callable[[str], Holds]]] = {
    "has-assertion": lambda given: lambda work: bool(work.get("assertion")) is (given == "true"),
    "type": lambda given: lambda work: work["type"] == given,
}


def owned_by(member: int, held: Facts) -> Holds:
    """Say whether a work is a member's: its owner prefix is, whatever the record says of it."""
    return lambda work: held.prefixes[work["prefix"]][0] == member


def paid_by(funder: str, held: Facts) -> Holds:
    """Say whether a work names a funder or a part of it."""
    dois = {f"10.13039/{one}" for one in funding.within(funder, held.funders)}
    return lambda work: any(one.get("DOI") in dois for one in work.get("funder", ()))


def holding(one: Exchange, held: Facts) -> list[Work] | None:
    """Return the works that a request without a query asks for; None if that is not told here."""
    scopes = {
        **SCOPES,
        r"/members/([0-9]+)/works": lambda given: owned_by(int(given), held),
        r"/funders/10\.13039/([0-9]+)/works": lambda given: paid_by(given, held),
    }
    parts = urlsplit(one.target)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    scope = next((s for s in scopes if re.fullmatch(s, parts.path)), None)
    if scope is None or any(name.startswith(("query", "sample")) for name in asked):
        return None
    given = re.fullmatch(scope, parts.path)
    assert given is not None
    wanted = [scopes[scope](given.group(1))]
    for part in asked.get("filter", "").split(","):
        name, _, value = part.partition(":")
        wanted += [FILTERS[name](value)] if name else []
    return [work for work in held.works.values() if all(holds(work) for holds in wanted)]


LISTED: Final = [one for one in RECORDED if one.kind == "work-list"]


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.name)
def test_a_list_s_count_is_that_of_the_samples(registry: Sampled, one: Exchange) -> None:
    asked, answer = replayed(registry, one)
    message = answer.json()["message"]
    total, items = message["total-results"], message["items"]
    works = holding(asked, registry.held)
    parameters = parse_qs(urlsplit(asked.target).query)
    if works is not None:
        assert total == len(works)
    elif "sample" in parameters:
        assert total == len(items) == int(parameters["sample"][0])
    else:
        assert len(one.items) <= total <= len(registry.held.works)
    if "cursor" not in parameters:
        assert len(items) == min(message["items-per-page"], total)


def test_facets_and_a_member_s_counts_are_those_of_the_samples(registry: Sampled) -> None:
    owns = owned_by(78, registry.held)
    owned = [work for work in registry.held.works.values() if owns(work)]
    assert len(owned) > 10
    issns = Counter(
        f"https://id.crossref.org/issn/{issn}" for work in owned for issn in work.get("ISSN", ())
    )
    answer = registry.ask("/members/78/works?rows=0&facet=issn:*").json()["message"]
    assert answer["facets"]["issn"] == {"value-count": len(issns), "values": dict(issns)}
    member = registry.ask("/members/78").json()["message"]
    assert member["counts"]["total-dois"] == len(owned)
    types = Counter(work["type"] for work in owned)
    assert member["counts-type"]["all"] == dict(types)
    years = Counter(work["issued"]["date-parts"][0][0] for work in owned)
    assert dict(member["breakdowns"]["dois-by-issued-year"]) == dict(years)
