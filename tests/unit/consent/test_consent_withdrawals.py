"""The receipt of a withdrawal: the last live process of a service counts."""

from datetime import timedelta

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from services.consent.model import consents
from services.consent.model.withdrawals import Applied, Reader, figures, receipt
from services.consent.projections import REPORTS, TOPICS
from shared.events import Meta, Received
from shared.events.consent import ConsentGiven, ConsentWithdrawn
from shared.events.decisions import saying
from shared.events.signs import GONE_AFTER
from shared.kafka.consents import withdrawal_in
from shared.kafka.topics import declared
from tests.unit.consent.given import NEWS, a_notice, a_text, accepted, at, by_link, given

DECIDED, NOW = at(10), at(10) + timedelta(seconds=3)


def reader(name: str, *, since: float = 0, silent: float = 0, stopping: bool = False) -> Reader:
    newest = NOW - timedelta(seconds=silent)
    return Reader("accounts", name, at(since), newest, stopping)


def applied(name: str, seconds: float = 1, service: str = "accounts") -> Applied:
    return Applied(service, name, DECIDED, DECIDED + timedelta(seconds=seconds))


def since(*known: Reader, said: tuple[Applied, ...] = ()) -> float | None:
    """Return after how many seconds accounts obeyed; None while it does not."""
    (one,) = receipt(DECIDED, readers=known, applied=said, now=NOW)
    return None if one.obeyed_since is None else (one.obeyed_since - DECIDED).total_seconds()


@pytest.mark.law("P7")
def test_a_service_obeys_when_its_last_live_process_does() -> None:
    a, b = reader("a"), reader("b")
    assert since(a, b) is None
    assert since(a, b, said=(applied("a", 1),)) is None
    assert since(a, b, said=(applied("a", 1), applied("b", 2))) == 2


@pytest.mark.law("P7")
def test_a_process_that_is_gone_is_not_waited_for_and_one_that_began_later_knew() -> None:
    gone = reader("gone", silent=GONE_AFTER.total_seconds() + 1)
    ended = reader("ended", stopping=True)
    said = (applied("a", 1),)
    assert since(reader("a"), gone, ended, said=said) == 1
    assert since(reader("a"), reader("later", since=10.01), said=said) == pytest.approx(1)
    assert since(reader("later", since=10.01)) == pytest.approx(0.6)
    assert receipt(DECIDED, readers=[gone], applied=[], now=NOW) == ()


def test_figures_are_ranks_of_what_was_measured() -> None:
    said = [applied("a", seconds) for seconds in range(1, 101)] + [applied("x", 7, "deposits")]
    accounts, deposits = figures(said)
    assert (accounts.p50, accounts.p99, accounts.greatest) == (50, 99, 100)
    assert (deposits.service, deposits.reports, deposits.p50) == ("deposits", 1, 7)
    assert figures([]) == ()
    assert figures([applied("a", -1)])[0].greatest == 0  # clocks of two machines


@over(st.lists(st.floats(0, 60), min_size=1, max_size=50))
def test_no_figure_is_a_number_that_nobody_measured(took: list[float]) -> None:
    (one,) = figures([applied("a", seconds) for seconds in took])
    exact = {round(each.took, 6) for each in [applied("a", seconds) for seconds in took]}
    assert {round(value, 6) for value in (one.p50, one.p99, one.greatest)} <= exact
    assert one.p50 <= one.p99 <= one.greatest


def heard(
    event: type[ConsentGiven] | type[ConsentWithdrawn], state: consents.KeptConsent
) -> Received:
    return Received(saying(event, state), Meta("1", "/services/consent", "2026-01-01T00:00:00Z"))


def test_a_no_has_an_id_and_a_yes_has_none_to_be_acknowledged_by() -> None:
    yes = given(a_notice(a_text("1")))
    assert withdrawal_in(heard(ConsentGiven, yes)) is None
    said = by_link(5)
    without = accepted(consents.decline(yes, NEWS, said))
    assert withdrawal_in(heard(ConsentWithdrawn, without)) is None
    no = accepted(
        consents.decline(yes, NEWS, type(said)(said.by, said.channel, said.now, cause="w1"))
    )
    fact = withdrawal_in(heard(ConsentWithdrawn, no))
    assert fact is not None
    assert (fact.cause, fact.at, no.noes) == ("w1", said.now, ("w1",))


def test_every_reader_reports_on_the_topic_of_its_own_service() -> None:
    for kind in REPORTS:
        service = kind.topic.partition(".")[0]
        assert declared()[kind.topic].writer == service
        assert kind.topic == f"{service}.applied.v1"
    assert len(set(TOPICS)) == len(REPORTS)
