"""What a relay publishes together."""

import itertools
from datetime import UTC, datetime
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from shared.events import Outgoing
from shared.kafka.relay import MOST_BYTES, PAGE, Page, Source, lots
from shared.mongo import Pending

AT = datetime(2026, 1, 1, tzinfo=UTC)
pages = st.lists(st.tuples(st.integers(1, PAGE), st.sampled_from([0, 10, MOST_BYTES // 3])))


def page(documents: int, size: int) -> Page:
    """Make a page of documents, the first of which has so many bytes."""
    record = Outgoing("deposits.works.v1", b"key", b"x" * size, ())
    first = Pending("0", 1, ("id",), (record,))
    rest = tuple(Pending(str(number), 1, (), ()) for number in range(1, documents))
    return Page(Source(cast("Any", None)), AT, (first, *rest))


@given(pages)
def test_all_pages_are_published_once_in_their_order_and_no_more_together_than_one_may_have(
    sizes: list[tuple[int, int]],
) -> None:
    given_pages = [page(*one) for one in sizes]
    parted = list(lots(given_pages))
    assert [one for lot in parted for one in lot] == given_pages
    for lot in parted:
        assert len(lot) == 1 or sum(len(one.pending) for one in lot) <= PAGE
        assert len(lot) == 1 or sum(one.size for one in lot) <= MOST_BYTES
    for before, after in itertools.pairwise(parted):
        together = [*before, after[0]]
        assert (
            sum(len(one.pending) for one in together) > PAGE
            or sum(one.size for one in together) > MOST_BYTES
        ), "what fits goes together"
