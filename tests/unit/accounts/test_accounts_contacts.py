"""Contacts by role: what is decided of them, which mail a role gets, and what a file must hold."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.accounts.model import contacts, role_mails
from services.accounts.model.contacts import MOST_FACTS, ContactDetails, KeptSeat
from services.accounts.model.role_mails import KeptRoleMail
from shared.events.contacts import ContactNamed, ContactOptedOut, ContactState, MembershipState
from shared.events.decisions import Accepted, Unchanged
from shared.events.personal import AccountsRecordGone, AccountsRecordKept
from shared.policy.contacts import load_contacts
from shared.policy.files import PolicyError
from shared.policy.uses import Allowed, Refused, use_allowed
from tests.unit.accounts.given import AT, accepted, refused, said
from tests.unit.accounts.given_contacts import (
    CONTACTS,
    NAMING,
    POLICIES,
    a_seat,
    left_by,
    named,
    sealed,
)

UNDER_CONTRACT = {
    "invoices": ("billing", "CRP-4d"),
    "metadata-reports": ("technical", "CRP-4e"),
    "membership": ("business", "CRP-4f"),
}


@pytest.mark.clause("CRP-4d")
@pytest.mark.clause("CRP-4e")
@pytest.mark.clause("CRP-4f")
@pytest.mark.parametrize("purpose", UNDER_CONTRACT)
def test_mail_under_contract_reaches_its_one_role(purpose: str) -> None:
    role, clause = UNDER_CONTRACT[purpose]
    row = CONTACTS.reached_by(purpose)
    assert row is not None
    assert (row.id, row.required) == (role, True)
    answer = use_allowed(CONTACTS.uses, CONTACTS.mail(row), role_mails.worth([], "absent"))
    assert answer == Allowed(clause, CONTACTS.uses.version)


@pytest.mark.clause("CRP-4g")
def test_a_further_role_is_reached_by_its_name_and_only_by_who_agreed() -> None:
    further = [row for row in CONTACTS.file.roles if not row.required]
    assert {row.purpose for row in further} == {"role-mail"}
    assert CONTACTS.reached_by("role-mail") is None
    assert CONTACTS.reached_by("role-mail:billing") is None
    for row in further:
        assert CONTACTS.reached_by(f"role-mail:{row.id}") == row
        seat = a_seat(role=row.id)
        answers = {
            standing: use_allowed(CONTACTS.uses, CONTACTS.mail(row), role_mails.worth(of, "absent"))
            for standing, of in {
                "asked": [seat],
                "agreed": [accepted(contacts.agree(seat, seat.contact or "", said=said()))],
                "nobody": [],
            }.items()
        }
        assert isinstance(answers["agreed"], Allowed)
        for standing, why in (("asked", "consent-requested"), ("nobody", "consent-absent")):
            answer = answers[standing]
            assert isinstance(answer, Refused)
            assert (answer.clause, answer.why) == ("CRP-4g", why)


@pytest.mark.clause("CRP-4g")
@pytest.mark.parametrize(
    ("elsewhere", "counts"),
    [
        ("absent", "given"),
        ("given", "given"),
        ("requested", "given"),
        ("withdrawn", "withdrawn"),
        ("refused", "refused"),
        ("stale", "stale"),
        ("suppressed", "suppressed"),
        ("knowledge-stale", "knowledge-stale"),
    ],
)
def test_a_no_that_was_said_elsewhere_counts_here(elsewhere: str, counts: str) -> None:
    seat = a_seat()
    agreed = accepted(contacts.agree(seat, seat.contact or "", said=said()))
    assert role_mails.worth([agreed], elsewhere) == counts  # type: ignore[arg-type]


def test_a_contact_is_a_name_and_an_address_and_events_hold_neither() -> None:
    assert set(ContactDetails.model_fields) == {"name", "email"}
    assert ContactDetails.retention_class() == "contact-role"
    for kind in (ContactState, MembershipState):
        assert not {"details", "subjects", "email", "left", "proposed"} & set(kind.model_fields)
    decided = contacts.name(None, named("a", 1), NAMING, said=said())
    assert isinstance(decided, Accepted)
    record, event = decided.events
    assert isinstance(record, AccountsRecordKept)
    assert isinstance(event, ContactNamed)
    assert "sealed" not in event.model_dump_json()


@pytest.mark.clause("CRP-4g")
def test_whoever_leaves_takes_the_role_along_and_the_organisation_is_asked_for_another() -> None:
    seat = a_seat()
    decided = contacts.leave(seat, seat.contact, left_by("a"), said=said(minutes=1))
    assert isinstance(decided, Accepted)
    gone, event = decided.events
    assert isinstance(gone, AccountsRecordGone)
    assert isinstance(event, ContactOptedOut)
    left = decided.state
    assert (left.standing, left.contact, left.details, left.subjects) == ("vacant", None, None, ())
    assert left.wanted_since == AT + timedelta(minutes=1)
    assert isinstance(contacts.leave(left, seat.contact, None, said=said()), Unchanged)
    # The same address is not asked again, another one is; then nobody is wanted any more.
    again = contacts.name(left, named("a", 2), NAMING, said=said(minutes=2))
    assert refused(again) == "contact-opted-out"
    other = accepted(contacts.name(left, named("b", 3), NAMING, said=said(minutes=2)))
    assert (other.standing, other.wanted_since, other.unsettled) == ("asked", None, True)
    assert [one.what for one in other.facts] == ["named", "opted-out", "named"]


def test_a_contact_in_anothers_place_lets_the_others_record_go() -> None:
    decided = contacts.name(a_seat(), named("b", 2), NAMING, said=said())
    assert isinstance(decided, Accepted)
    gone, kept, _ = decided.events
    assert isinstance(gone, AccountsRecordGone)
    assert isinstance(kept, AccountsRecordKept)
    assert gone.record_key != kept.record_key
    assert [one.what for one in decided.state.facts] == ["named", "replaced", "named"]
    assert refused(contacts.agree(decided.state, a_seat().contact or "", said=said())) == (
        "link-void"
    )


def test_the_same_address_keeps_its_role_and_what_was_said_and_its_name_is_mended() -> None:
    seat = a_seat()
    agreed = accepted(contacts.agree(seat, seat.contact or "", said=said()))
    assert isinstance(contacts.name(agreed, named("a", 9), NAMING, said=said()), Unchanged)
    assert agreed.contact is not None
    mended = accepted(contacts.correct(agreed, agreed.contact, sealed(agreed.contact), said=said()))
    assert (mended.standing, mended.contact) == ("agreed", agreed.contact)
    moved = contacts.correct(agreed, "p" + "f" * 32, sealed(agreed.contact), said=said())
    assert refused(moved) == "contact-moved"


def test_a_role_is_given_so_many_new_contacts_a_day() -> None:
    seat: KeptSeat | None = None
    for number in range(NAMING.most):
        seat = accepted(contacts.name(seat, named(f"{number}", number), NAMING, said=said()))
    tomorrow = said(minutes=24 * 60)
    assert refused(contacts.name(seat, named("x", 99), NAMING, said=said())) == "too-many-contacts"
    accepted(contacts.name(seat, named("x", 99), NAMING, said=tomorrow))


def test_what_an_application_named_never_takes_the_place_of_what_came_since() -> None:
    first = accepted(contacts.open_seat(None, named("a", 1), said=said()))
    removed = accepted(contacts.remove(first, said=said()))
    assert isinstance(contacts.open_seat(removed, named("a", 1), said=said()), Unchanged)


def test_facts_are_bounded_and_the_first_one_stays() -> None:
    known = a_seat()
    contact = known.contact or ""
    for number in range(MOST_FACTS + 5):
        at = said(minutes=number)
        known = accepted(contacts.correct(known, contact, sealed(contact), said=at))
    assert (len(known.facts), known.facts[0].what) == (MOST_FACTS, "named")


def a_role_mail(**changes: object) -> KeptRoleMail:
    new = KeptRoleMail(
        request="news-1",
        purpose="membership",
        role="business",
        text="a" * 64,
        actor="operator",
        at=AT,
        version=1,
    )
    return new.model_copy(update=changes)


@pytest.mark.clause("CRP-5b")
def test_a_request_is_counted_once_and_another_under_its_id_is_refused() -> None:
    known = accepted(role_mails.ask(None, a_role_mail()))
    assert isinstance(role_mails.ask(known, a_role_mail()), Unchanged)
    assert refused(role_mails.ask(known, a_role_mail(text="b" * 64))) == "role-mail-differs"
    outcomes = ["allowed", "no-contact", "allowed", "consent-requested", "no-contact"]
    done = accepted(role_mails.finish(known, outcomes))
    assert (done.allowed, done.refused) == (2, {"consent-requested": 1, "no-contact": 2})
    assert isinstance(role_mails.finish(done, ["allowed"] * 9), Unchanged)


BROKEN = {
    'purpose = "invoices"': ('purpose = "surveys"', "surveys"),
    'id = "technical"': ('id = "engineering"', "engineering"),
    'purpose = "metadata-reports"': ('purpose = "membership"', "membership"),
    'id = "contract"': ('id = "fee"', "fee"),
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_file_that_contradicts_the_uses_is_told_where(tmp_path: Path, row: str) -> None:
    text = (POLICIES / "contacts.toml").read_text()
    instead, place = BROKEN[row]
    assert row in text
    file = tmp_path / "contacts.toml"
    file.write_text(text.replace(row, instead, 1))
    with pytest.raises(PolicyError, match=place):
        load_contacts(file, CONTACTS.uses)
