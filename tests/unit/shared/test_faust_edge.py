"""The guard over Faust's books of offsets: each test fails with the consumer that Faust ships."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from intervaltree import IntervalTree

from shared.kafka.faust_edge import GuardedConsumer, guarded_app

WHERE = TP("topic", 0)
SHIPPED: Any = Consumer
GUARDED: Any = GuardedConsumer


@dataclass(eq=False)
class Message:
    """A message that was delivered."""

    offset: int
    acked: bool = False
    tp: TP = WHERE


@dataclass
class Books:
    """What a consumer knows of one partition: its methods ask for nothing else."""

    committed: int | None
    unacked: list[int]
    acked: list[int]
    _gap: Any = field(default_factory=lambda: defaultdict(IntervalTree))

    def __post_init__(self) -> None:
        self._acked = {WHERE: list(self.acked)}
        self._acked_index = {WHERE: set(self.acked)}
        self._committed_offset = {WHERE: self.committed}
        self._unacked_messages = [Message(offset) for offset in self.unacked]

    def next_offset(self, kind: Any) -> int | None:
        made = object.__new__(kind)
        vars(made).update(vars(self))
        found: int | None = made._new_offset(WHERE)
        return found

    def with_gap(self, kind: Any, first: int, last: int) -> "Books":
        made = object.__new__(kind)
        vars(made).update(vars(self))
        asyncio.run(made._add_gap(WHERE, first, last))
        return self


@pytest.mark.law("L5")
def test_a_single_message_in_hand_is_not_passed() -> None:
    books: Any = {"committed": 5, "unacked": [5], "acked": [6, 7, 8, 9]}
    assert Books(**books).next_offset(SHIPPED) == 10
    assert Books(**books).next_offset(GUARDED) is None


@pytest.mark.law("L5")
def test_what_a_new_group_has_in_hand_is_not_passed() -> None:
    books: Any = {"committed": None, "unacked": [0, 1, 2], "acked": [3, 4, 5]}
    assert Books(**books).next_offset(SHIPPED) == 6
    assert Books(**books).next_offset(GUARDED) is None


def test_what_was_done_before_the_message_in_hand_is_committed_and_the_rest_kept() -> None:
    books = Books(committed=2, unacked=[5], acked=[2, 3, 4, 6, 7])
    assert books.next_offset(GUARDED) == 5
    assert books._acked[WHERE] == [6, 7]
    books._unacked_messages[0].acked = True
    books._acked[WHERE].append(5)
    books._committed_offset[WHERE] = 5
    assert books.next_offset(GUARDED) == 8


@pytest.mark.law("L5")
def test_the_message_behind_a_gap_is_none_of_what_is_missing() -> None:
    """A transaction ends with a record that nobody is given: 5, then 7; 7 is in hand."""
    shipped = Books(committed=4, unacked=[], acked=[4, 5]).with_gap(SHIPPED, 6, 7)
    assert {one for span in shipped._gap[WHERE] for one in range(span.begin, span.end)} == {6, 7}
    ours = Books(committed=4, unacked=[], acked=[4, 5]).with_gap(GUARDED, 6, 7)
    assert {one for span in ours._gap[WHERE] for one in range(span.begin, span.end)} == {6}


async def test_an_app_shows_no_password_makes_no_topic_and_starts_no_producer_and_no_site() -> None:
    app = guarded_app("group", "sasl://retention:pass%3Aword@one:9092,two:9093")
    assert "pass" not in repr(app.conf.broker)
    assert [str(url) for url in app.conf.broker] == ["kafka://one:9092", "kafka://two:9093"]
    assert not app.conf.topic_allow_declare
    assert app.conf.topic_disable_leader
    assert not app.conf.web_enabled
    assert list(app.boot_strategy.kafka_producer()) == []
    app._create_directories()
    assert not app.conf.datadir.exists()  # a folder of tables in whatever folder this runs in
    assert isinstance(app.transport.Consumer, type)
    assert issubclass(app.transport.Consumer, GuardedConsumer)
