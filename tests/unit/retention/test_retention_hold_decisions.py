"""Holds as decisions: who must agree, whom they mean, what was there first."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.retention.model import holds
from services.retention.model.clocks import clocks, judge
from services.retention.model.facts import History
from services.retention.model.holds import Asked, KeptHold, Named, Scope, Signed
from services.retention.model.records import KeptRecord, kept_facts
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import KeptUnits
from shared.events.retention import FencedUnit
from shared.policy import PolicyError
from shared.policy.retention import parse_retention
from shared.privacy.lifecycle import KeptKeys, Wrapped
from tests.unit.retention.given_clocks import SCHEDULE, TEXT, fact

pytestmark = [pytest.mark.law("P4"), pytest.mark.clause("DOAJ-6a4")]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PERSON = "p5d41402abc4b2a76b9719d911017c592"
KEYS = KeptUnits(keys_id=f"{PERSON}.account", units=("u1",))


def asked(**more: Any) -> Asked:
    said = {
        "matter": "case-7",
        "reason": "history",
        "placed_by": "operator-1",
        "review_on": date(2027, 1, 1),
        "records": (Named(kind="account", record="a1"),),
        **more,
    }
    return Asked(**said)


def hold(**more: Any) -> KeptHold:
    said = {name: getattr(asked(), name) for name in Asked.model_fields} | {
        "hold": "0190a0a0-0000-7000-8000-000000000001",
        "placed_at": NOW,
        "needs": 1,
        "version": 1,
        **more,
    }
    return KeptHold(**said)


def accepted(decided: Any) -> Any:
    assert isinstance(decided, Accepted), decided
    return decided.state


def slug(decided: Any) -> str:
    assert isinstance(decided, Refused), decided
    return decided.reason.slug


@pytest.mark.clause("DOAJ-6a5")
@pytest.mark.parametrize("reason", ["history", "notes"])
def test_what_is_kept_for_history_stands_when_another_person_agreed_and_not_before(
    reason: str,
) -> None:
    row = holds.row_of(SCHEDULE, reason)
    assert row is not None
    assert row.approvers == 1
    new = hold(reason=reason, needs=row.approvers)
    assert not new.standing
    assert slug(holds.approve(new, "operator-1", now=NOW)) == "approver-asked"
    stands = accepted(holds.approve(new, "operator-2", now=NOW))
    assert stands.standing
    assert stands.stands(NOW)
    assert isinstance(holds.approve(stands, "operator-2", now=NOW), Unchanged)


@pytest.mark.clause("DOAJ-6a5")
def test_the_default_is_to_delete_for_every_reason_that_needs_somebody_to_agree() -> None:
    facts = (fact("rejected", "2010-01-01"),)
    every = clocks(History("application", "r1", facts), SCHEDULE)
    waiting = hold()
    assert [one.verdict for one in judge(every, NOW, ())] == ["due"]
    assert not waiting.stands(NOW)
    stands = accepted(holds.approve(waiting, "operator-2", now=NOW))
    held = judge(every, NOW, [stands.as_clocks_know_it])
    assert [(one.verdict, one.holds) for one in held] == [("held", (stands.hold,))]


def test_a_hold_is_looked_at_again_within_the_time_of_its_reason_and_never_ends_by_itself() -> None:
    assert holds.refused(asked(), SCHEDULE, NOW) is None
    for day in (date(2026, 11, 22), date(2028, 11, 23)):
        no = holds.refused(asked(review_on=day), SCHEDULE, NOW)
        assert no is not None
        assert no.slug == "review-date-invalid"
    assert holds.refused(asked(review_on=date(2028, 11, 22)), SCHEDULE, NOW) is None
    stands = accepted(holds.approve(hold(), "operator-2", now=NOW))
    assert stands.stands(datetime(2040, 1, 1, tzinfo=UTC))
    later = Signed(by="operator-3", at=NOW, why="still-needed", review_on=date(2028, 1, 1))
    again = accepted(holds.look_again(stands, later, SCHEDULE, now=NOW))
    assert (again.review_on, again.reviews[0].by) == (date(2028, 1, 1), "operator-3")


def test_reasons_are_rows_of_the_schedule_and_what_it_does_not_have_is_refused() -> None:
    for wrong, says in (
        (asked(reason="curiosity"), "reason-unknown"),
        (asked(records=(Named(kind="telepathy", record="r"),)), "kind-unknown"),
        (asked(scope=Scope(rule="telepathy")), "rule-unknown"),
    ):
        no = holds.refused(wrong, SCHEDULE, NOW)
        assert no is not None
        assert no.slug == says
    less = TEXT.replace("approvers = 1\nreview-within", "approvers = 2\nreview-within", 1)
    row = holds.row_of(parse_retention(less.encode()), "history")
    assert row is not None
    assert row.approvers == 2
    with pytest.raises(PolicyError, match="approvers-above"):
        parse_retention(TEXT.replace("approvers-above = 2", "approvers-above = 1").encode())


def test_twice_the_same_is_one_hold_and_another_body_under_one_key_is_refused() -> None:
    assert isinstance(holds.place(hold(), hold(placed_at=NOW.replace(hour=13))), Unchanged)
    assert slug(holds.place(hold(), hold(matter="case-8"))) == "hold-differs"
    with pytest.raises(ValueError, match="say what it holds"):
        asked(records=())
    with pytest.raises(ValueError, match="no hold"):
        Scope()


def test_a_released_hold_says_who_and_why_and_can_be_neither_agreed_to_nor_prolonged() -> None:
    stands = accepted(holds.approve(hold(), "operator-2", now=NOW))
    signed = Signed(by="operator-3", at=NOW, why="settled")
    free = accepted(holds.release(stands, signed))
    assert (free.standing, free.released, free.settled) == (False, signed, False)
    assert isinstance(holds.release(free, signed), Unchanged)
    assert slug(holds.approve(free, "operator-4", now=NOW)) == "hold-released"
    assert accepted(holds.settle(free)).settled
    assert accepted(holds.release(hold(), signed)).settled  # it never stood: nothing to let go of


@pytest.mark.parametrize(
    ("scope", "means"),
    [
        ({"kind": "application"}, True),
        ({"kind": "journal"}, False),
        ({"service": "deposits", "about": "journal:7"}, True),
        ({"about": "journal:8"}, False),
        ({"cls": "account", "person": PERSON}, True),
        ({"cls": "support", "person": PERSON}, False),
        ({"rule": "rejected-application"}, True),
        ({"rule": "removed-journal"}, False),
    ],
)
def test_a_scope_means_what_agrees_with_all_that_it_says(
    scope: dict[str, str],
    means: bool,  # noqa: FBT001
) -> None:
    record = KeptRecord(
        kind="application",
        record="r1",
        service="deposits",
        facts=kept_facts([fact("rejected", "2020-01-01", "journal:7")]),
        keys=(KEYS,),
        version=1,
    )
    rules = {one.rule for one in clocks(record.history, SCHEDULE)}
    assert Scope(**scope).means(record, rules) == means


def test_what_was_fenced_or_destroyed_first_is_said_and_a_unit_that_is_left_is_held() -> None:
    key = Wrapped(epoch=1, key="", made_at=NOW)
    known = KeptKeys(keys_id=KEYS.keys_id, units={"u1": key, "u2": key}, version=1)
    assert holds.gone(None, ()) is None
    assert holds.gone(known, ("u1",)) is None
    fenced = known.model_copy(update={"fence": "fenced", "fenced_at": NOW, "cause": "e1"})
    said = holds.gone(fenced, ("u1",))
    assert said is not None
    assert (said.outcome, said.at, said.cause) == ("fenced", NOW, "e1")
    lost = FencedUnit(unit="u1", fenced_at=NOW, destroyed_at=NOW)
    one_less = known.model_copy(update={"gone": (lost,)})
    said = holds.gone(one_less, ("u1",))
    assert said is not None
    assert (said.outcome, said.at) == ("destroyed", NOW)
    assert holds.gone(one_less, ("u1", "u2")) is None
    on_its_way = known.model_copy(update={"gone": (FencedUnit(unit="u1", fenced_at=NOW),)})
    assert holds.gone(on_its_way, ("u1",)) is None  # a hold still keeps it from being destroyed


def test_a_record_is_under_a_hold_once_and_keys_that_it_gets_later_come_along() -> None:
    record = KeptRecord(kind="account", record="a1", service="accounts", version=1)
    new = holds.member_of(hold().hold, record, now=NOW)
    known = accepted(holds.join(None, new))
    assert isinstance(holds.join(known, new), Unchanged)
    bound = accepted(holds.bound(known, ()))
    assert not bound.pending
    more = holds.member_of(hold().hold, record.model_copy(update={"keys": (KEYS,)}), now=NOW)
    joined = accepted(holds.join(bound, more))
    assert (joined.keys, joined.pending) == ((KEYS,), True)
    fenced = holds.OnKeys(keys_id=KEYS.keys_id, outcome="fenced")
    assert isinstance(holds.bound(joined, ()), Accepted)
    assert accepted(holds.bound(joined, (fenced,))).pending  # a fence may be taken back
