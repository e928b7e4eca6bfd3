"""What another service knows of consents: fresh, whole and readable, or it is no consent."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.consent.model import consents
from shared.events import Event, Meta, to_record
from shared.events.consent import ConsentGiven, ConsentWithdrawn, NoticePublished
from shared.events.decisions import saying
from shared.events.records import watermark
from shared.kafka.consents import DECISIONS, NOTICES, TOPICS, KnownConsents
from shared.kafka.knowledge import Knowledge
from shared.kafka.topics import declared
from shared.policy.uses import load_uses
from shared.runtime.clock import ManualClock, rfc3339
from shared.runtime.ids import new_id
from tests.unit.consent.given import (
    NEWS,
    POLICIES,
    SUBJECT,
    a_notice,
    a_text,
    accepted,
    at,
    by_link,
    given,
)

POLICY = load_uses(POLICIES)
HEARD = a_notice(a_text("1")).model_copy(update={"notice": "site-and-members"})


class Reader:
    """A service that hears records one by one."""

    def __init__(self) -> None:
        self.clock = ManualClock(at(10))
        self.knowledge = Knowledge(TOPICS, "nowhere:9", POLICY.stale_after, clock=self.clock)
        self.knowledge._caught_up = True
        self.known = KnownConsents(self.knowledge, POLICY)
        self.mark()

    def mark(self) -> None:
        for topic in TOPICS:
            for partition in range(declared()[topic].partitions):
                said = watermark(topic, partition, rfc3339(self.clock.now()), source="/s")
                self.take(topic, said, partition)

    def take(self, topic: str, said: Any, partition: int = 0) -> None:
        record = SimpleNamespace(key=said.key, value=said.value, headers=said.headers, offset=0)
        self.knowledge.take(topic, partition, record)

    def hears(self, event: Event) -> None:
        meta = Meta(id=new_id(), time=rfc3339(self.clock.now()), source="/services/consent")
        self.take(event.topic, to_record(event, meta))

    def worth(self) -> str:
        return self.known.worth([SUBJECT], NEWS.purpose, self.clock.now())


def yes() -> Any:
    state = given(HEARD)
    return state.model_copy(
        update={"notice": state.notice.model_copy(update={"notice": "site-and-members"})}  # type: ignore[union-attr]
    )


@pytest.fixture
def reader() -> Reader:
    made = Reader()
    made.hears(saying(NoticePublished, HEARD))
    made.hears(saying(ConsentGiven, yes()))
    return made


@pytest.mark.law("P7")
def test_a_reader_that_heard_nothing_for_five_seconds_has_no_consent(reader: Reader) -> None:
    assert reader.worth() == "given"
    reader.clock.advance(5)
    assert reader.worth() == "given"
    reader.clock.advance(0.5)
    assert reader.worth() == "knowledge-stale"
    reader.mark()
    assert reader.worth() == "given"
    assert timedelta(seconds=5) == POLICY.stale_after


@pytest.mark.law("P7")
def test_a_withdrawal_counts_as_soon_as_it_is_heard_and_no_repeat_undoes_it(
    reader: Reader,
) -> None:
    withdrawn = accepted(consents.decline(yes(), NEWS, by_link(5)))
    reader.hears(saying(ConsentWithdrawn, withdrawn))
    assert reader.worth() == "withdrawn"
    reader.hears(saying(ConsentGiven, yes()))
    assert reader.worth() == "withdrawn"


@pytest.mark.law("P7")
@pytest.mark.parametrize("topic", [DECISIONS, NOTICES])
def test_a_record_that_cannot_be_read_denies(reader: Reader, topic: str) -> None:
    key = f"{SUBJECT}|{NEWS.purpose}" if topic == DECISIONS else "site-and-members"
    broken = SimpleNamespace(key=key.encode(), value=b"{", headers=[])
    reader.take(topic, broken)
    assert reader.worth() == "knowledge-stale"


def test_what_nobody_said_is_absent_and_a_new_notice_makes_it_stale(reader: Reader) -> None:
    assert reader.known.worth([SUBJECT], "marketing", at(10)) == "absent"
    other = f"bi2.{'1' * 64}"
    assert reader.known.worth([SUBJECT, other], NEWS.purpose, at(10)) == "given"
    changed = a_notice(a_text("1"), a_text("2"), now=at(9))
    fields = {"notice": "site-and-members"}
    reader.hears(saying(NoticePublished, changed.model_copy(update=fields)))
    assert reader.worth() == "stale"
