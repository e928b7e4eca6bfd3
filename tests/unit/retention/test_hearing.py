"""How far all facts were heard, by what workers say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.model.hearing import Heard, heard_before

PLACES = ("a/0", "a/1", "b/0")
AT = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = st.builds(
    Heard,
    st.frozensets(st.sampled_from(PLACES), min_size=1),
    st.integers(0, 1_000).map(lambda seconds: AT + timedelta(seconds=seconds)),
)


@pytest.mark.law("P6")
@given(said=st.lists(WORDS, max_size=8))
def test_all_was_heard_up_to_where_somebody_heard_each_place(said: list[Heard]) -> None:
    found = heard_before(said, PLACES)
    assert (found is None) is any(all(place not in one.places for one in said) for place in PLACES)
    if found is not None:
        for place in PLACES:
            assert any(place in one.places and one.before >= found for one in said)
        assert found in {one.before for one in said}
        later = found + timedelta(seconds=1)
        assert not all(
            any(place in one.places and one.before >= later for one in said) for place in PLACES
        )


def test_nothing_was_heard_where_nobody_said_anything() -> None:
    assert heard_before((), PLACES) is None
