"""Counts of page views: days and values, never enough to tell a person by."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consent.model.analytics import (
    OTHER,
    KeptCount,
    PageView,
    count,
    countable,
    seen,
    totals,
)
from shared.policy.registers import load_analytics
from tests.unit.consent.given import POLICIES, accepted

POLICY = load_analytics(POLICIES / "analytics.toml")
RULE = POLICY.counting
DAY = date(2026, 11, 1)


def counted(counts: Mapping[str, int], day: date = DAY, known: KeptCount | None = None) -> Any:
    return accepted(count(known, day=day, dimension="page-view", more=counts, rule=RULE))


def told(*days: KeptCount) -> dict[str, int]:
    return totals(POLICY, days, POLICY.dimensions)["page-view"]


@pytest.mark.clause("CRP-2a")
def test_a_view_adds_to_four_dimensions_at_most() -> None:
    whole = PageView(page="/works/1", referrer="a.example", country="DK", exit_page="/works/1")
    assert seen(POLICY, whole) == {
        "page-view": "/works/1",
        "referrer": "a.example",
        "geography": "DK",
        "exit-page": "/works/1",
    }
    assert seen(POLICY, PageView(page="/works")) == {"page-view": "/works"}
    assert {row.field for row in POLICY.dimensions} == set(PageView.model_fields)


@pytest.mark.clause("CRP-2b")
@pytest.mark.parametrize(
    "page", ["/preferences/secret", "/unsubscribe/x", "/worksheet", "//", "/x"]
)
def test_a_page_that_is_not_registered_is_counted_without_its_name(page: str) -> None:
    assert countable(RULE, page) == OTHER
    assert seen(POLICY, PageView(page="/", exit_page=page)) == {
        "page-view": "/",
        "exit-page": OTHER,
    }


@pytest.mark.clause("CRP-2c")
def test_what_few_did_on_a_day_is_in_no_total() -> None:
    few, enough = RULE.smallest - 1, RULE.smallest
    day = counted({"/works": enough, "/works/1": few})
    assert told(day) == {"/works": enough}
    later = counted({"/works/1": enough}, DAY + timedelta(days=1))
    assert told(day, later) == {"/works": enough, "/works/1": enough}


@pytest.mark.clause("CRP-2c")
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 30)), max_size=8))
def test_no_two_totals_differ_by_less_than_the_smallest_number(days: list[dict[str, int]]) -> None:
    kept = [counted(more, DAY + timedelta(days=number)) for number, more in enumerate(days)]
    for end in range(len(kept)):
        before, after = told(*kept[:end]), told(*kept[: end + 1])
        for value, times in after.items():
            assert times - before.get(value, 0) not in range(1, RULE.smallest)


def test_counts_add_up_and_too_many_values_become_others() -> None:
    known = counted({"/works": 2})
    assert counted({"/works": 3, "/": 1}, known=known).counts == {"/works": 5, "/": 1}
    many = counted({f"/works/{number}": 1 for number in range(RULE.most_values + 5)})
    assert len(many.counts) == RULE.most_values + 1
    assert many.counts[OTHER] == 5
    assert counted({"/works/0": 1}, known=many).counts["/works/0"] == 2


@pytest.mark.clause("CRP-2b")
def test_counts_have_an_end() -> None:
    assert counted({"/": 1}).forget_at == datetime(2026, 11, 1, tzinfo=UTC) + RULE.kept
