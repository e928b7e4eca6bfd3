"""Which form an Accept header gets, and since when a work is what it is shown as."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.transform import dates
from services.distribution.transform.negotiation import choose

OFFERS = ("application/json", "text/plain", "text/turtle", "application/rdf+xml")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("*", "application/json"),
        ("text/turtle", "text/turtle"),
        ("TEXT/Turtle", "text/turtle"),
        ("text/*", "text/plain"),
        ("text/*, text/plain;q=0.1", "text/turtle"),
        ("text/plain;q=0.5, text/turtle", "text/turtle"),
        ("text/turtle, text/plain", "text/turtle"),
        ("text/plain, text/turtle", "text/plain"),
        ("*/*;q=0.1, application/rdf+xml", "application/rdf+xml"),
        ("application/json;q=0, */*", "text/plain"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/json"),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("image/png", None),
        ("text/html;q=1, text/turtle;q=0.001", "text/turtle"),
        ("nonsense", None),
        (", ,", None),
        ("text/turtle;q=nonsense", "text/turtle"),
    ],
)
def test_what_is_wanted_most_is_chosen(accept: str, chosen: str | None) -> None:
    found = choose(accept, OFFERS)
    assert (found and found.media_type) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/plain; style=apa; locale=de-DE",
        "text/plain; style = apa; locale = de-DE",
        'text/plain;style="apa";LOCALE="de-DE";q=1',
    ],
)
def test_parameters_are_read_as_clients_write_them(accept: str) -> None:
    found = choose(accept, OFFERS)
    assert found is not None
    assert (found.media_type, found.parameters) == (
        "text/plain",
        {"style": "apa", "locale": "de-DE"},
    )


@given(st.text(max_size=60) | st.text(alphabet='a/*;,q=0.1" ', max_size=40))
def test_no_header_fails(accept: str) -> None:
    found = choose(accept, OFFERS)
    assert found is None or found.media_type in OFFERS


AT = datetime(2026, 1, 1, 12, 0, 0, 250_000, UTC)
LAG = timedelta(seconds=5)


def test_a_date_is_told_only_when_whoever_read_before_the_change_cannot_have_it() -> None:
    assert dates.settled([AT], AT, lag=LAG) is None
    assert dates.settled([AT], AT + LAG, lag=LAG) is None
    early = dates.settled([AT], AT + timedelta(seconds=6), lag=LAG)
    assert early == datetime(2026, 1, 1, 12, 0, 6, tzinfo=UTC)
    # Whatever was learnt late, up to the lag, was decided before that date.
    assert early > AT + LAG
    later = dates.settled([AT, AT + timedelta(hours=1)], AT + timedelta(hours=2), lag=LAG)
    assert later is not None
    assert later > early


def test_a_date_spares_what_is_not_newer() -> None:
    date = datetime(2026, 1, 1, 12, 0, 6, tzinfo=UTC)
    said = dates.header(date)
    assert said == "Thu, 01 Jan 2026 12:00:06 GMT"
    assert dates.unmodified(said, date)
    assert not dates.unmodified("Thu, 01 Jan 2026 12:00:05 GMT", date)
    assert not dates.unmodified(said, None)
    for wrong in (None, "", "yesterday", "Thu, 01 Jan 2026 12:00:06"):
        assert not dates.unmodified(wrong, date)
