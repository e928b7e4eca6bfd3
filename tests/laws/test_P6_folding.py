"""P6: the clocks that previews and lists fold are those that deletions are judged by."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.model.clocks import Clock, Judged, clocks, judge
from services.retention.model.courses import told_of
from services.retention.model.facts import Fact, History
from services.retention.model.folding import Folding, Ripe
from services.retention.model.records import KeptRecord, kept_facts
from shared.policy.retention import Schedule
from tests.laws.test_P6_clocks import MOMENTS, NOW, histories
from tests.unit.retention.given_clocks import SCHEDULE, rule, schedule_of

pytestmark = pytest.mark.law("P6")

KEEP = (
    '[[keep]]\nid = "k"\nclause = "DOAJ-6a1"\nsince = 2001-01-01\nsays = "A keep."\n'
    'of = "thing"\nfrom = ["d"]\nuntil = ["e"]\nstops = ["delete"]\n'
)
# Rules that meet in every way: any and all, restarts, cancels, classes that overlap and do not.
ODD = [
    schedule_of(
        KEEP,
        rule("r1", 'any = ["a", "b"]\nrestart = ["c", "a"]\ncancel = ["f"]\nperiod = "P7Y"'),
        rule("r2", 'all = ["a", "b"]\nperiod = "P2M"\nclasses = ["x"]', since="2020-03-01"),
        rule("r3", 'any = ["c"]\nperiod = "P40D"\nclasses = ["y", "x"]', falls="same-time"),
        rule(
            "r4",
            'any = ["a"]\ncancel = ["b"]\nperiod = "P30D"\naction = "review"\nreview = "team"\n'
            'moved = "working-day-before"',
            falls="same-time",
        ),
        rule(
            "r6",
            'any = ["a"]\nrestart = ["d"]\ncancel = ["f"]\nperiod = "P1M"\n'
            'pauses = ["b", "d"]\nresumes = ["c", "e"]\nextends = ["e"]\nextension = "P2M"\n'
            'action = "review"\nreview = "team"\nmoved = "working-day-before"',
            falls="same-time",
        ),
        rule(
            "r7",
            'any = ["b"]\nperiod = "P3Y"\npauses = ["c"]\nresumes = ["a"]\nextends = ["d"]\n'
            'extension = "P1Y"\nclasses = ["x"]',
        ),
        rule("r5", 'any = ["b"]\nperiod = "P1Y"\nclasses = ["z"]\nmoved = "working-day-after"'),
        zone=zone,
    )
    for zone in ("UTC", "America/Sao_Paulo", "Pacific/Auckland")
]
FOLDINGS = {id(one): Folding.of(one) for one in (SCHEDULE, *ODD)}


@st.composite
def odd_histories(draw: st.DrawFn) -> History:
    fact = st.builds(
        Fact,
        st.sampled_from("abcdef"),
        st.none() | st.sampled_from(MOMENTS),
        st.sampled_from(["", "x:1"]),
    )
    return History("thing", "r1", tuple(draw(st.lists(fact, max_size=9))))


def folded(history: History, schedule: Schedule) -> list[Ripe]:
    """Fold as the table has it: through the JSON of a kept record."""
    kept = KeptRecord(
        kind=history.kind,
        record=history.record,
        service="accounts",
        facts=kept_facts(history.facts),
        version=1,
    )
    facts = orjson.loads(kept.model_dump_json())["facts"]
    return FOLDINGS[id(schedule)].fold(history.kind, told_of(facts))


def agree(history: History, schedule: Schedule, found: Sequence[Judged]) -> None:
    ripe = {one.rule: one for one in folded(history, schedule)}
    every: dict[str, Clock] = {
        one.rule: one for one in clocks(history, schedule) if one.standing != "cancelled"
    }
    assert list(ripe) == list(every)
    for name, clock in every.items():
        assert ripe[name].undated == (clock.standing == "undated")
        assert ripe[name].action == clock.action
        if clock.standing == "running":
            assert ripe[name].started == clock.started
    for one in found:
        if one.clock.standing == "cancelled":
            continue
        when = ripe[one.clock.rule].when
        assert (one.verdict == "due") == (when is not None and when <= one.at), (one, when)
        if one.verdict == "due":
            assert when == one.since


@given(histories(), NOW)
def test_of_the_shipped_schedule_both_say_the_same(history: History, now: object) -> None:
    agree(history, SCHEDULE, judge(clocks(history, SCHEDULE), now))  # type: ignore[arg-type]


@given(odd_histories(), st.sampled_from(ODD), NOW)
def test_of_rules_that_meet_in_every_way_both_say_the_same(
    history: History, schedule: Schedule, now: object
) -> None:
    agree(history, schedule, judge(clocks(history, schedule), now))  # type: ignore[arg-type]
