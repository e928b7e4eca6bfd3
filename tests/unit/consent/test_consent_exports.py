"""Exports: two people, an end, and rows that leave for good."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.consent.model import exports
from services.consent.model.exports import KeptExport, Row
from shared.events.decisions import Accepted, Refused
from shared.policy.registers import load_exports
from tests.unit.consent.given import POLICIES, SUBJECT, accepted, at, refused, settled

LASTS = load_exports(POLICIES / "exports.toml").export.expires_after
ROWS = [Row(row=f"r{number}", subject=SUBJECT) for number in range(4)]
NEW = KeptExport(
    export="e",
    processor="act-on",
    purpose="list",
    category="subscriber",
    listed="news",
    fields=("consent.subscriber.v1/email",),
    reason="News",
    requester="ada",
    asked_at=at(0),
)


def approved(rows: list[Row] = ROWS) -> KeptExport:
    made: KeptExport = accepted(exports.approve(NEW, "grace", rows, now=at(1), until=at(1) + LASTS))
    return made


def given(known: KeptExport, edition: int = 1, minutes: float = 2) -> Any:
    return exports.give(known, edition, "0", now=at(minutes))


@pytest.mark.clause("DOAJ-5a1")
def test_nobody_approves_what_they_asked_for_and_nobody_approves_twice() -> None:
    assert refused(exports.approve(NEW, "ada", ROWS, now=at(1), until=at(2))) == "approver-asked"
    assert refused(exports.approve(approved(), "jean", ROWS, now=at(1), until=at(2))) == (
        "export-approved"
    )
    assert refused(exports.approve(None, "jean", ROWS, now=at(1), until=at(2))) == "export-unknown"
    assert refused(given(NEW)) == "export-unapproved"


@pytest.mark.clause("DOAJ-5a1")
def test_an_export_ends_at_its_time_and_not_before() -> None:
    end = LASTS / timedelta(minutes=1) + 1
    assert accepted(given(approved(), minutes=end - 0.001))
    assert refused(given(approved(), minutes=end)) == "export-expired"


@pytest.mark.clause("DOAJ-5a2")
def test_an_edition_that_somebody_left_is_void() -> None:
    state = accepted(exports.leave(approved(), {"r1"}, now=at(2)))
    assert refused(given(state, edition=1)) == "export-changed"
    assert accepted(given(state, edition=2)).given[-1].rows == len(ROWS) - 1
    assert state.to_delete == ()  # it was never given
    assert refused(exports.deleted(state, {"r1"}, now=at(3))) == "row-not-told"


class ExportMachine(RuleBasedStateMachine):
    """Downloads, withdrawals and deletions in any order, against who was told what."""

    def __init__(self) -> None:
        super().__init__()
        self.state = approved()
        self.seen = 1  # the edition that a slow download was made of
        self.left: set[str] = set()
        self.given: set[str] = set()
        self.minutes = 2.0

    def now(self) -> Any:
        self.minutes += 1
        return at(self.minutes)

    @rule(rows=st.sets(st.sampled_from([row.row for row in ROWS])))
    def somebody_leaves(self, rows: set[str]) -> None:
        self.state = settled(exports.leave(self.state, rows, now=self.now()))
        self.left |= rows

    @rule()
    def a_download_begins(self) -> None:
        self.seen = self.state.edition

    @rule()
    def a_download_ends(self) -> None:
        decided = exports.give(self.state, self.seen, "0", now=self.now())
        note(f"{self.seen} of {self.state.edition}")
        assert isinstance(decided, Refused) == (self.seen != self.state.edition)
        if isinstance(decided, Accepted):
            self.state = decided.state
            assert self.state.given[-1].rows == len(ROWS) - len(self.left)
            self.given |= {row.row for row in ROWS} - self.left

    @rule(rows=st.sets(st.sampled_from([row.row for row in ROWS]), min_size=1))
    def the_processor_deletes(self, rows: set[str]) -> None:
        decided = exports.deleted(self.state, rows, now=self.now())
        assert isinstance(decided, Refused) == (not rows <= self.left & self.given)
        if isinstance(decided, Accepted):
            self.state = decided.state

    @invariant()
    def whoever_left_is_in_no_file_and_whoever_was_given_is_told(self) -> None:
        assert {row.row for row in self.state.there}.isdisjoint(self.left)
        assert {row.row for row in self.state.to_delete} == self.left & self.given


@pytest.mark.law("P7")
@pytest.mark.clause("DOAJ-5a2")
class TestExports(ExportMachine.TestCase):  # type: ignore[name-defined, misc]
    """Every order of them."""
