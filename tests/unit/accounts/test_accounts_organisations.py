"""Organisations: entered once, described anew, settled only at the version that was seen."""

from datetime import date

from services.accounts.model.organisations import (
    Assignment,
    Described,
    choose_default,
    describe,
    folded,
    promise,
    register,
    settled,
)
from shared.events import OrganisationChanged, OrganisationRegistered
from shared.events.decisions import Accepted, Unchanged
from tests.unit.accounts.given import AT, accepted, an_organisation, refused


def test_an_organisation_is_entered_under_the_number_chosen_for_it() -> None:
    said = Described("Press", ("P", "Press"), "Boston")
    decided = register(None, 78, said, now=AT)
    assert isinstance(decided, Accepted)
    (event,) = decided.events
    assert isinstance(event, OrganisationRegistered)
    assert (event.key, event.names, event.version) == ("78", ("Press", "P"), 1)
    assert isinstance(register(decided.state, 78, said, now=AT), Unchanged)
    assert refused(register(decided.state, 78, Described("Other"), now=AT)) == (
        "organisation-differs"
    )


def test_a_description_changes_what_it_names_and_says_so() -> None:
    known = an_organisation()
    decided = describe(known, Described("New Press", (), "Paris"))
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], OrganisationChanged)
    assert (decided.state.name, decided.state.version) == ("New Press", 2)
    assert isinstance(describe(decided.state, Described("New Press", (), "Paris")), Unchanged)
    assert refused(describe(None, Described("x"))) == "organisation-unknown"


def test_names_compare_without_case_spacing_or_form() -> None:
    assert folded("  Journal\tof  \uff30sychoceramics ") == folded("JOURNAL OF PSYCHOCERAMICS")


def test_a_default_stays_unsettled_until_prefixes_know_this_very_version() -> None:
    first = accepted(choose_default(an_organisation(), "open", actor="organisation:78"))
    assert (first.unsettled, first.default_version) == (True, first.version)
    second = accepted(choose_default(first, "closed", actor="operator"))
    assert isinstance(settled(second, seen=first.version), Unchanged)
    done = accepted(settled(second, seen=second.version))
    assert not done.unsettled
    assert isinstance(settled(done, seen=done.version), Unchanged)
    assert isinstance(choose_default(done, "closed", actor="operator"), Unchanged)
    assert refused(choose_default(None, "open", actor="operator")) == "organisation-unknown"


def test_a_promise_is_kept_in_the_organisation_until_it_is_carried_out() -> None:
    assignment = Assignment(prefix="10.5555", name="P")
    decided = promise(an_organisation(), assignment, now=AT)
    assert isinstance(decided, Accepted)
    assert decided.events == ()
    assert decided.state.assigning == (assignment,)
    assert isinstance(promise(decided.state, assignment, now=AT), Unchanged)
    assert accepted(settled(decided.state, seen=decided.state.version)).assigning == ()


def test_what_was_chosen_before_needs_a_setting_and_a_past_date() -> None:
    known = an_organisation()
    undated = Assignment(prefix="10.5555", name="P", since=date(2015, 1, 1))
    future = Assignment(prefix="10.5555", name="P", setting="open", since=date(2027, 1, 1))
    assert refused(promise(known, undated, now=AT)) == "since-without-setting"
    assert refused(promise(known, future, now=AT)) == "since-in-the-future"
    assert refused(promise(None, undated, now=AT)) == "organisation-unknown"
