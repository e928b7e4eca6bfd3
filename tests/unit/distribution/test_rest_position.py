"""Where a work is, as far as it is known: null stands where something is not there."""

from datetime import UTC, datetime

from services.distribution.rest.position import position
from services.distribution.search import Held

STORED = {
    "_id": "10.5555/a",
    "v": 3,
    "title": None,
    "deposited": datetime(2026, 1, 2, tzinfo=UTC),
    "indexed": "2026-01-02T00:00:01.000Z",
}


def test_a_work_that_lists_have_in_an_older_state_says_by_how_much() -> None:
    found = position("10.5555/a", STORED, Held(1, "10.5555"), owner="10.6666", setting="closed")
    assert found == {
        "doi": "10.5555/a",
        "stored": {
            "version": 3,
            "deposited": "2026-01-02T00:00:00.000Z",
            "indexed": "2026-01-02T00:00:01.000Z",
            "citations-counted": True,
        },
        "search": {"version": 1, "behind": 2, "owner-prefix": "10.5555"},
        "owner-prefix": "10.6666",
        "reference-visibility": "closed",
    }


def test_what_is_in_one_place_only_is_null_in_the_other() -> None:
    only_stored = position(
        "10.5555/a", {**STORED, "recount_shelf": 1}, None, owner=None, setting=None
    )
    assert only_stored["search"] is None
    assert only_stored["stored"]["citations-counted"] is False
    only_listed = position("10.5555/a", None, Held(4, "10.5555"), owner=None, setting=None)
    assert only_listed["stored"] is None
    assert only_listed["search"]["behind"] == 0
    assert only_listed["reference-visibility"] is None
