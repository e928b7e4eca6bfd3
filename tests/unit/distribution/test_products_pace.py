"""What is published again leaves room for what is new; what changed is nudged until compacted."""

import pytest

from services.distribution.products.crowd import LONGEST, Crowd
from shared.kafka.nudge import Nudges, compacted_within, nudges_of
from shared.kafka.topics import declared


def test_who_reads_alone_does_not_rest() -> None:
    crowd = Crowd()
    assert [crowd.rest(0.1, 200) for _ in range(5)] == [0] * 5


def test_who_waits_for_others_rests_the_longer() -> None:
    crowd = Crowd()
    crowd.rest(0.1, 200)
    twice, thrice = crowd.rest(0.2, 200), crowd.rest(0.3, 200)
    assert 0.2 < twice < thrice
    assert crowd.rest(5, 200) == 5 * LONGEST


def test_a_page_of_fewer_works_is_no_crowd() -> None:
    crowd = Crowd()
    crowd.rest(0.1, 200)
    assert crowd.rest(0.01, 20) == 0
    assert crowd.rest(0.01, 0) == 0


def test_a_partition_is_nudged_while_it_waits_to_be_compacted_and_not_after() -> None:
    nudges = Nudges(every=10, lasts=100)
    assert not nudges.due(0)
    nudges.changed(0)
    assert [at for at in range(0, 200, 5) if _nudged(nudges, at)] == list(range(10, 100, 10))


def _nudged(nudges: Nudges, at: float) -> bool:
    due = nudges.due(at)
    if due:
        nudges.nudged(at)
    return due


@pytest.mark.parametrize("name", ["distribution.open.v1", "distribution.plus.v1"])
def test_the_stated_bound_is_that_of_the_declared_topics(name: str) -> None:
    topic = declared()[name]
    assert topic.nudge
    assert compacted_within(topic, topic.nudge) <= 12 * 60
    assert nudges_of({name: topic}).every == topic.nudge
    assert nudges_of({name: topic}, every=1).every == 1
