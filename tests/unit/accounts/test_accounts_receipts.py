"""Receipts: an outlet obeys when the last of its live replicas does."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.receipts import Applied, OutletReceipt, Replica, receipt
from shared.events.signs import GONE_AFTER
from tests.unit.accounts.given import AT

DECIDED = AT
NOW = AT + timedelta(minutes=1)
BEFORE = AT - timedelta(minutes=1)


def second(number: float) -> datetime:
    return DECIDED + timedelta(seconds=number)


def replica(
    name: str, *, first: datetime = BEFORE, newest: datetime = NOW, stopping: bool = False
) -> Replica:
    return Replica(name, ("rest",), first, newest, stopping)


def obeyed(name: str, at: float, version: int = 2) -> Applied:
    return Applied(name, ("rest",), version, second(at))


def rest(replicas: list[Replica], applied: list[Applied]) -> OutletReceipt:
    (outlet,) = receipt(2, DECIDED, replicas=replicas, applied=applied, now=NOW)
    assert outlet.outlet == "rest"
    return outlet


@pytest.mark.clause("CRR-4")
def test_the_last_live_replica_counts() -> None:
    both = [replica("a"), replica("b")]
    assert rest(both, [obeyed("a", 0.1)]).obeyed_since is None
    assert rest(both, [obeyed("a", 0.1), obeyed("b", 0.4)]).obeyed_since == second(0.4)


def test_a_replica_that_is_gone_holds_nothing_back() -> None:
    for gone in (
        replica("b", newest=NOW - GONE_AFTER - timedelta(seconds=1)),
        replica("b", stopping=True),
    ):
        said = rest([replica("a"), gone], [obeyed("a", 0.1)])
        assert said.obeyed_since == second(0.1)
        assert [one.replica for one in said.replicas] == ["a"]


def test_a_frozen_replica_that_comes_back_counts_from_when_it_obeyed() -> None:
    said = rest([replica("a"), replica("b")], [obeyed("a", 0.1), obeyed("b", 40)])
    assert said.obeyed_since == second(40)


def test_a_later_version_obeyed_is_this_one_obeyed() -> None:
    assert rest([replica("a")], [obeyed("a", 0.3, version=4)]).obeyed_since == second(0.3)
    assert rest([replica("a")], [obeyed("a", 0.3, version=1)]).obeyed_since is None
    both = [obeyed("a", 5, version=3), obeyed("a", 0.3)]
    assert rest([replica("a")], both).obeyed_since == second(0.3)


@pytest.mark.parametrize("reported", [True, False])
def test_a_replica_started_after_the_decision_knew_it_before_it_served(reported: bool) -> None:  # noqa: FBT001
    new = replica("new", first=second(30))
    applied = [obeyed("a", 0.1)] + ([obeyed("new", 29.9)] if reported else [])
    said = rest([replica("a"), new], applied)
    assert said.obeyed_since == second(0.1)
    assert {one.replica: one.started_later for one in said.replicas} == {"a": False, "new": True}
    # With the one that was there long gone, its word still stands.
    assert rest([new], applied).obeyed_since == second(0.1)
    # And with no word of anybody of that time, the first who came has obeyed since it came.
    assert rest([new], applied[1:]).obeyed_since == second(30)


def test_a_replica_that_served_before_it_obeyed_counts_however_late_it_started() -> None:
    late = replica("late", first=second(1))
    assert rest([replica("a"), late], [obeyed("a", 0.1), obeyed("late", 2)]).obeyed_since == (
        second(2)
    )


@given(st.permutations([obeyed("a", 0.1), obeyed("a", 7), obeyed("b", 0.2), obeyed("b", 9, 5)]))
def test_the_order_of_reports_changes_nothing(applied: list[Applied]) -> None:
    assert rest([replica("a"), replica("b")], applied).obeyed_since == second(0.2)
