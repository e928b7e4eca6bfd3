"""Consents: a history, in which a yes needs proof and a no needs nothing."""

from datetime import timedelta

import pytest

from services.consent.model import consents
from services.consent.model.consents import Said
from shared.events.consent import (
    ConsentGiven,
    ConsentReconfirmed,
    ConsentRefused,
    ConsentRequested,
    ConsentWithdrawn,
)
from shared.events.decisions import Accepted, Unchanged
from shared.policy.consent import standing
from tests.unit.consent.given import (
    NEWS,
    a_notice,
    a_request,
    a_text,
    accepted,
    asked,
    at,
    by_letter,
    by_link,
    given,
    grounds,
    refused,
)

NOTICE = a_notice(a_text("1"))


@pytest.mark.clause("DOAJ-10b")
def test_absent_and_asked_for_are_no() -> None:
    assert standing(None, NOTICE, at(0)) == "absent"
    decided = consents.ask(None, NEWS, a_request(), again_before=at(-10))
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], ConsentRequested)
    assert standing(decided.state, NOTICE, at(1)) == "requested"


def test_the_link_that_was_mailed_gives_it_and_only_once() -> None:
    state = given(NOTICE)
    assert standing(state, NOTICE, at(2)) == "given"
    again = consents.confirm(state, "r1", grounds(NOTICE), now=at(2))
    assert again == Unchanged(state)
    assert refused(consents.confirm(state, "r2", grounds(NOTICE), now=at(2))) == "link-void"


def test_a_link_is_good_until_its_time_is_up() -> None:
    late = at(0) + timedelta(days=7)
    assert refused(consents.confirm(asked(), "r1", grounds(NOTICE), now=late)) == "link-void"


def test_asking_again_sends_no_second_link_at_once_and_changes_nothing_said() -> None:
    first = asked()
    soon = consents.ask(first, NEWS, a_request("r2", minutes=5), again_before=at(-5))
    assert soon == Unchanged(first)
    later = accepted(consents.ask(first, NEWS, a_request("r2", minutes=11), again_before=at(1)))
    assert (later.request.id, later.facts) == ("r2", first.facts)
    withdrawn = accepted(consents.decline(given(NOTICE), NEWS, by_link(2)))
    assert asked(withdrawn, "r3", minutes=30).standing == "withdrawn"


@pytest.mark.clause("DOAJ-10a")
@pytest.mark.clause("DOAJ-2-3")
def test_a_withdrawal_is_in_force_at_once_and_no_old_link_brings_it_back() -> None:
    decided = consents.decline(given(NOTICE), NEWS, by_link(2))
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], ConsentWithdrawn)
    assert standing(decided.state, NOTICE, at(2)) == "withdrawn"
    again = consents.confirm(decided.state, "r1", grounds(NOTICE), now=at(3))
    assert refused(again) == "link-void"


def test_a_no_before_any_yes_is_a_refusal_and_counts_as_no() -> None:
    decided = consents.decline(None, NEWS, by_link(1))
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], ConsentRefused)
    assert consents.decline(decided.state, NEWS, by_link(2)) == Unchanged(decided.state)


def test_a_no_ends_a_link_that_is_under_way() -> None:
    declined = accepted(consents.decline(None, NEWS, by_link(1)))
    once_more = asked(declined, "r2", minutes=5)
    silent = accepted(consents.decline(once_more, NEWS, by_link(6)))
    assert silent.request is None
    assert refused(consents.confirm(silent, "r2", grounds(NOTICE), now=at(7))) == "link-void"


def test_a_letter_gives_it_and_one_written_before_a_no_does_not() -> None:
    letter = by_letter(20, said=1)
    state = accepted(consents.give(None, NEWS, letter, grounds(NOTICE), no_since=None))
    assert consents.give(state, NEWS, letter, grounds(NOTICE), no_since=None) == Unchanged(state)
    no = accepted(consents.decline(state, NEWS, by_link(30)))
    for said in (1, 30):
        late = by_letter(40, said=said)
        answer = consents.give(no, NEWS, late, grounds(NOTICE), no_since=None)
        assert refused(answer) == "consent-superseded"
    early = consents.give(state, NEWS, by_letter(40, said=0), grounds(NOTICE), no_since=None)
    assert early == Unchanged(state)
    newer = consents.give(no, NEWS, by_letter(40, said=31), grounds(NOTICE), no_since=None)
    assert isinstance(newer, Accepted)
    assert isinstance(newer.events[0], ConsentGiven)


def test_a_suppression_outlives_the_consent_and_bars_what_was_said_before_it() -> None:
    old = consents.give(None, NEWS, by_letter(9, said=1), grounds(NOTICE), no_since=at(5))
    assert refused(old) == "consent-suppressed"
    new = consents.give(None, NEWS, by_letter(9, said=6), grounds(NOTICE), no_since=at(5))
    assert isinstance(new, Accepted)


def test_nobody_said_it_in_the_future() -> None:
    letter = by_letter(1, said=2)
    assert refused(consents.give(None, NEWS, letter, grounds(NOTICE), no_since=None)) == (
        "said-in-the-future"
    )
    assert refused(consents.decline(None, NEWS, letter)) == "said-in-the-future"


def test_a_choice_counts_for_the_version_that_was_shown() -> None:
    said = Said("person", "link", at(1))
    first = accepted(consents.choose(None, NEWS, said, grounds(NOTICE), seen=0))
    again = consents.choose(first, NEWS, said, grounds(NOTICE), seen=0)
    assert refused(again) == "version-differs"


def test_a_material_change_makes_it_stale_until_it_is_reconfirmed() -> None:
    state = given(NOTICE)
    changed = a_notice(a_text("1"), a_text("2", body="More."), now=at(5))
    assert standing(state, changed, at(4)) == "given"
    assert standing(state, changed, at(5)) == "stale"
    said = Said("person", "link", at(6))
    decided = consents.choose(state, NEWS, said, grounds(changed), seen=state.version)
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], ConsentReconfirmed)
    assert standing(decided.state, changed, at(6)) == "given"


def test_an_editorial_change_and_one_of_another_purpose_leave_it_as_it_is() -> None:
    state = given(NOTICE)
    editorial = a_notice(a_text("1"), a_text("2", change="editorial"), now=at(5))
    assert standing(state, editorial, at(9)) == "given"
    other = a_notice(a_text("1"), a_text("2", purposes=("marketing",)), now=at(5))
    assert standing(state, other, at(9)) == "given"
    own = a_notice(a_text("1"), a_text("2", purposes=("list",)), now=at(5))
    assert standing(state, own, at(9)) == "stale"


def test_what_rests_on_a_notice_nobody_knows_is_stale() -> None:
    state = given(NOTICE)
    assert standing(state, None, at(2)) == "stale"
    assert standing(state, a_notice(a_text("9")), at(2)) == "stale"


def test_a_yes_that_became_too_old_counts_for_nothing_and_is_written_down() -> None:
    limited = accepted(
        consents.confirm(asked(), "r1", grounds(NOTICE, valid_until=at(60)), now=at(1))
    )
    assert standing(limited, NOTICE, at(59)) == "given"
    assert standing(limited, NOTICE, at(60)) == "expired"
    assert consents.expire(limited, now=at(59)) == Unchanged(limited)
    over = accepted(consents.expire(limited, now=at(61)))
    assert (over.standing, over.facts[-1].what) == ("expired", "expired")


def test_an_old_letter_that_is_entered_again_confirms_nothing() -> None:
    letter = by_letter(2, said=1)
    first = accepted(consents.give(None, NEWS, letter, grounds(NOTICE), no_since=None))
    page = Said("person", "link", at(3))
    second = accepted(consents.choose(first, NEWS, page, grounds(NOTICE), seen=1))
    again = consents.give(second, NEWS, by_letter(9, said=1), grounds(NOTICE), no_since=None)
    assert again == Unchanged(second)


def test_a_stale_consent_is_reconfirmed_by_a_new_link() -> None:
    changed = a_notice(a_text("1"), a_text("2", body="More."), now=at(5))
    again = asked(given(NOTICE), "r2", minutes=6)
    assert standing(again, changed, at(6)) == "stale"
    state = accepted(consents.confirm(again, "r2", grounds(changed), now=at(7)))
    assert standing(state, changed, at(7)) == "given"
    assert state.facts[-1].what == "reconfirmed"
