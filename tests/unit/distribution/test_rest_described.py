"""What the OpenAPI document promises of parameters is what their readers read, and no more."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.rest.checks import check
from services.distribution.rest.described import described
from services.distribution.rest.failure import Failure
from services.distribution.rest.routes import (
    FUNDERS,
    JOURNALS,
    LICENSES,
    MEMBERS,
    SINGLE,
    TYPES,
    WORKS,
    Route,
)

ROUTES = [WORKS, MEMBERS, JOURNALS, FUNDERS, LICENSES, TYPES, SINGLE]


def schemas(route: Route) -> dict[str, Any]:
    return {one["name"]: one["schema"] for one in described(route).values()}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_s_description_names_what_it_takes_and_nothing_else(route: Route) -> None:
    fields = {f"query.{name}" for name in route.fields}
    assert schemas(route).keys() == route.parameters | fields


def test_routes_that_share_the_name_of_a_description_share_it() -> None:
    shared: dict[str, Any] = {}
    for route in ROUTES:
        for name, one in described(route).items():
            assert shared.setdefault(name, one) == one


@given(data=st.data())
@pytest.mark.parametrize(
    "name", {one.pattern: name for name, one in WORKS.filters.items()}.values()
)
def test_every_value_of_a_filter_that_is_promised_is_read(name: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(WORKS.filters[name].pattern, fullmatch=True))
    assert "," not in text
    assert not isinstance(WORKS.filters[name](text), Failure)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@given(data=st.data())
def test_every_text_that_is_promised_is_taken(route: Route, data: st.DataObject) -> None:
    patterns = {name: s["pattern"] for name, s in schemas(route).items() if "pattern" in s}
    for name, pattern in patterns.items():
        text = data.draw(st.from_regex(pattern, fullmatch=True))
        _, failures = check(route, [(name, text)])
        assert failures == [], urlencode({name: text})


@pytest.mark.parametrize("text", ["", "type", "type:book,none-such:1", "has-orcid:maybe"])
def test_what_no_reader_takes_is_not_promised(text: str) -> None:
    _, failures = check(WORKS, [("filter", text)])
    assert failures
    assert not re.search(schemas(WORKS)["filter"]["pattern"], text)
