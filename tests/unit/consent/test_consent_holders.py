"""What a consent is after its account left an address, and after it came to one."""

from datetime import timedelta

import pytest

from services.consent.model import consents, following, holders
from services.consent.model.consents import Grounds, KeptConsent, Said, Who
from services.consent.model.holders import Heard, KeptHolder
from services.consent.model.notices import ref_of
from shared.events.decisions import Unchanged
from shared.events.people import PersonFact, PersonState
from tests.unit.consent.given import a_notice, a_text, accepted, at, refused, settled

pytestmark = pytest.mark.clause("DOAJ-10b")

HOLDER = f"p{'1' * 32}"
OLD, NEW = (Who(f"bi1.{number * 64}", f"p{number * 32}", "marketing") for number in "ab")
NOTICE = a_notice(a_text("1"))
GROUNDS = Grounds(ref_of(NOTICE.notice, NOTICE.versions[0]), at(0) + timedelta(days=730))


def yes(who: Who, minutes: float, known: KeptConsent | None = None) -> KeptConsent:
    seen, said = (known.version if known else 0), Said("person", "account", at(minutes))
    return settled(consents.choose(known, who, said, GROUNDS, seen=seen))


def no(who: Who, minutes: float, known: KeptConsent | None = None) -> KeptConsent:
    said = Said("person", "account", at(minutes), cause=f"no-{minutes}")
    return settled(consents.decline(known, who, said))


def brought(known: KeptConsent | None, said: KeptConsent, minutes: float = 50) -> KeptConsent:
    """Return it brought to the new address; twice, for that is no more than once."""
    once = settled(following.follow(known, NEW, said, now=at(minutes)))
    again = following.follow(once, NEW, said, now=at(minutes + 1))
    assert isinstance(again, Unchanged)
    return once


def whats(state: KeptConsent) -> list[str]:
    return [fact.what for fact in state.facts]


def test_a_yes_ends_where_its_account_left_and_a_later_one_stays() -> None:
    given = yes(OLD, 1)
    left = accepted(following.leave(given, given.version, now=at(2)))
    assert (left.standing, left.facts[-1].by) == ("expired", "system")
    anew = yes(OLD, 3, left)
    assert isinstance(following.leave(anew, given.version, now=at(4)), Unchanged)
    refusing = no(OLD, 1)
    assert isinstance(following.leave(refusing, refusing.version, now=at(2)), Unchanged)
    assert refused(following.leave(None, 1, now=at(2))) == "consent-unknown"


def test_a_history_is_brought_whole_and_rests_on_what_it_rested_on() -> None:
    said = yes(OLD, 3, no(OLD, 2, yes(OLD, 1)))
    there = brought(None, said)
    assert (there.consent, there.person) == (NEW.key, NEW.person)
    assert there.facts == said.facts
    assert (there.notice, there.valid_until) == (said.notice, said.valid_until)


@pytest.mark.parametrize("first", ["no-here", "no-there"])
def test_a_no_of_either_address_counts_for_both(first: str) -> None:
    there = no(NEW, 1) if first == "no-there" else yes(NEW, 5)
    said = no(OLD, 2) if first == "no-here" else yes(OLD, 6)
    found = brought(there, said)
    assert found.standing == "refused"
    assert {*there.facts, *said.facts} <= set(found.facts)


def test_what_an_account_said_itself_at_an_address_goes_on_with_what_it_said_since() -> None:
    former = no(NEW, 2, yes(NEW, 1))
    since = yes(OLD, 20, settled(following.follow(None, OLD, former, now=at(10))))
    found = brought(former, since)
    assert found.standing == "given"
    assert whats(found) == ["given", "withdrawn", "given"]


def test_a_yes_that_comes_back_is_in_force_from_then_on_and_keeps_the_day_it_was_said() -> None:
    former = yes(NEW, 1)
    left = accepted(following.leave(former, former.version, now=at(5)))
    found = brought(left, yes(OLD, 1, None).model_copy(update={"facts": former.facts}))
    assert (found.standing, whats(found)) == ("given", ["given", "expired", "given"])
    assert (found.facts[-1].at, found.facts[-1].said_at) == (at(50), at(1))


def told(version: int, address: str | None = "a", minutes: float = 0) -> PersonState:
    what = "registered" if version == 1 else "address-changed"
    return PersonState(
        person=HOLDER,
        category="account-holder",
        status="active" if address else "closed",
        registered_at=at(0),
        facts=(PersonFact(at=at(minutes), what=what, actor="self"),),
        subjects=(f"bi1.{address * 64}",) if address else (),
        version=version,
    )


def heard(known: KeptHolder | None, state: PersonState, *, taken: bool = False) -> KeptHolder:
    return settled(holders.hear(known, Heard.of(state), taken=taken))


def test_an_account_that_was_closed_does_not_come_back_by_old_news() -> None:
    closed = heard(heard(None, told(1)), told(3, None))
    assert (closed.subject, closed.left, closed.closed) == (None, OLD.subject, True)
    done = settled(holders.arrive(closed, closed))
    assert done.at_rest
    for late in (told(2, "b"), told(9, "b")):
        assert heard(done, late) == done


def test_who_was_overtaken_has_no_address_until_news_of_the_own_one_come() -> None:
    one = heard(None, told(1))
    let = settled(holders.let_go(one, OLD.subject))
    assert (let.subject, let.left, let.at_rest) == (None, OLD.subject, False)
    said = yes(OLD, 1)
    kept = settled(holders.take_along(let, OLD.subject, [said]))
    assert isinstance(holders.take_along(kept, OLD.subject, []), Unchanged)
    waiting = settled(holders.arrive(kept, kept))
    assert (waiting.at_rest, waiting.carried) == (True, (said,))
    assert heard(waiting, told(1), taken=True) == waiting
    come = heard(waiting, told(2, "b", 5))
    assert (come.subject, come.carried, come.at_rest) == (NEW.subject, (said,), False)
    assert isinstance(holders.arrive(come, waiting), Unchanged)
    assert settled(holders.arrive(come, come)).carried is None
    for decided in (
        holders.let_go(None, OLD.subject),
        holders.take_along(None, OLD.subject, []),
        holders.arrive(None, come),
    ):
        assert refused(decided) == "person-unknown"
