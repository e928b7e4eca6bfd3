"""What is settled when a record is looked at, and when it is looked at again."""

from datetime import timedelta

import pytest

from services.retention.model.clocks import Hold
from services.retention.model.dues import Looked, look, told, untold, what_goes
from services.retention.model.records import KeptFact, KeptRecord, next_due
from shared.events.orders import KeptUnits
from shared.policy.retention import Schedule
from tests.unit.retention.given_clocks import at, rule, schedule_of

EVERY = timedelta(minutes=1)
SHORT = rule("short", 'any = ["a"]\nperiod = "P1Y"\nclasses = ["account"]')
LONG = rule("long", 'any = ["b"]\nperiod = "P3Y"\nclasses = ["account"]')
LIST = rule("list", 'any = ["a"]\nperiod = "P1Y"\naction = "review"\nreview = "team"')
KEYS = (
    KeptUnits(keys_id="p" + "0" * 32 + ".account"),
    KeptUnits(keys_id="p" + "1" * 32 + ".other"),
)


def record(**facts: str) -> KeptRecord:
    kept = tuple(KeptFact(what=what, at=at(on)) for what, on in facts.items())
    return KeptRecord(
        kind="thing", record="r1", service="accounts", facts=kept, keys=KEYS, version=1
    )


def seen(of: KeptRecord, schedule: Schedule, when: str, *holds: Hold) -> Looked:
    return look(of, schedule, at(when), holds, every=EVERY)


@pytest.mark.law("P6")
def test_what_is_due_is_settled_once_with_what_it_rests_on() -> None:
    schedule = schedule_of(SHORT)
    known = record(a="2020-01-31")
    assert seen(known, schedule, "2021-01-31T23:59:59") == Looked(None, at("2021-02-01"))
    settled = seen(known, schedule, "2021-02-01").settled
    assert settled is not None
    (one,) = settled.settled
    assert (one.rule, one.due, one.schedule) == ("short", at("2021-02-01"), schedule.version)
    assert what_goes(settled, one.classes) == KEYS[:1]
    assert settled.version == 2
    assert untold(settled) == (one,)
    assert next_due(settled, schedule) == one.at
    done = told(settled, {one.clock: "e1"}, at("2021-02-02"))
    assert untold(done) == ()
    assert seen(done, schedule, "2030-01-01") == Looked(None, None)


@pytest.mark.law("P6")
def test_another_version_of_the_schedule_does_not_act_again_on_the_same_round() -> None:
    settled = seen(record(a="2020-01-31"), schedule_of(SHORT), "2021-02-01").settled
    assert settled is not None
    longer = schedule_of(SHORT.replace("P1Y", "P2Y"))
    assert seen(settled, longer, "2030-01-01").settled is None


@pytest.mark.clause("DOAJ-6a4")
def test_what_is_held_is_looked_at_again_though_nobody_says_that_the_hold_has_gone() -> None:
    schedule, known = schedule_of(SHORT), record(a="2020-01-31")
    held = seen(known, schedule, "2021-02-01", Hold("h1"))
    assert held == Looked(None, at("2021-02-01") + EVERY)
    assert seen(known, schedule, "2021-02-01", Hold("h1", at("2021-01-01"))).settled is not None


def test_what_waits_for_a_longer_rule_is_looked_at_when_that_is_over() -> None:
    schedule = schedule_of(SHORT, LONG)
    known = record(a="2020-01-31", b="2020-01-31")
    assert seen(known, schedule, "2021-02-01") == Looked(None, at("2023-02-01"))
    both = seen(known, schedule, "2023-02-01").settled
    assert both is not None
    assert {one.rule for one in both.settled} == {"short", "long"}


def test_a_hold_stops_deletions_and_no_review() -> None:
    schedule, known = schedule_of(SHORT, LIST), record(a="2020-01-31")
    settled = seen(known, schedule, "2021-02-01", Hold("h1")).settled
    assert settled is not None
    assert [one.rule for one in settled.settled] == ["list"]
