"""Accounts of people: what is decided of them, of their codes, keys and sign-ins."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.accounts.model import access, challenges, looks, people
from services.accounts.model.challenges import KeptChallenge, Pending
from services.accounts.model.people import MOST_FACTS, SELF, KeptPerson, New, PersonDetails
from shared.events.decisions import Accepted, Unchanged
from shared.events.people import (
    PersonAccessState,
    PersonKeyState,
    PersonState,
)
from shared.events.personal import AccountsRecordKept, Sealed
from shared.policy.signing_in import load_signing_in
from shared.runtime.clock import ManualClock
from shared.web.quotas import Quotas
from tests.processes import ROOT
from tests.unit.accounts.given import AT, accepted, refused

PERSON, OTHER = "p" + "1" * 32, "p" + "2" * 32
INDEX = "bi1." + "a" * 64
NEW_INDEX = "bi1." + "b" * 64
SESSION = "01890000-0000-7000-8000-00000000000{}".format
KEY = "token:" + "c" * 64
LIMITS = load_signing_in(ROOT / "deploy" / "policies" / "signing-in.toml")
ENDS = AT + timedelta(hours=12)


def sealed(text: str = "x") -> Sealed:
    return Sealed(
        schema_id="accounts.person-details.v1",
        person=PERSON,
        cls="account",
        unit="details",
        record="details",
        values={"/email": f"pe1.{PERSON}.account.details.{text * 40}"},
    )


def a_person(**changes: Any) -> KeptPerson:
    new = New(person=PERSON, category="account-holder", details=sealed(), subjects=(INDEX,))
    return accepted(people.register(None, new, now=AT)).model_copy(update=changes)


@pytest.mark.clause("DOAJ-1a2")
def test_an_account_holds_name_address_and_password_hash_and_no_other_field() -> None:
    assert set(PersonDetails.model_fields) == {"name", "email"}
    with pytest.raises(ValidationError):
        PersonDetails(email="x@press.example", phone="1")  # type: ignore[call-arg]
    personal = {"details", "password_hash"}
    assert set(KeptPerson.model_fields) - set(PersonState.model_fields) == personal


def test_who_registers_has_one_account_and_both_events_say_so() -> None:
    new = New(person=PERSON, category="account-holder", details=sealed(), subjects=(INDEX,))
    decided = people.register(None, new, now=AT)
    assert isinstance(decided, Accepted)
    record, fact = decided.events
    assert isinstance(record, AccountsRecordKept)
    assert record.subjects == (INDEX,)
    assert "sealed" not in fact.model_dump()
    assert isinstance(people.register(decided.state, new, now=AT), Unchanged)


def test_facts_of_people_hold_pseudonyms_and_nothing_sealed() -> None:
    for kind in (PersonState, PersonAccessState, PersonKeyState):
        # Of an address others know the blind index alone.
        assert not {"password_hash", "details", "email", "name"} & set(kind.model_fields)


def test_an_address_changes_with_its_index_and_a_name_without() -> None:
    known = a_person()
    moved = accepted(people.change_address(known, sealed("y"), (NEW_INDEX,), actor=SELF, now=AT))
    assert (moved.subjects, moved.facts[-1].what) == ((NEW_INDEX,), "address-changed")
    again = people.change_address(moved, sealed("y"), (NEW_INDEX,), actor=SELF, now=AT)
    assert isinstance(again, Unchanged)
    renamed = accepted(people.rename(known, sealed("z"), actor=SELF, now=AT))
    assert (renamed.subjects, renamed.version) == ((INDEX,), 2)


@pytest.mark.clause("DOAJ-4c3")
def test_no_event_holds_a_password_or_its_hash() -> None:
    decided = people.set_password(a_person(), "$argon2id$x", actor=SELF, now=AT)
    assert isinstance(decided, Accepted)
    assert decided.state.password_hash == "$argon2id$x"
    assert "argon2id" not in "".join(one.model_dump_json() for one in decided.events)
    void = accepted(people.set_password(decided.state, None, actor=f"staff:{OTHER}", now=AT))
    assert (void.password_hash, void.facts[-1].what) == (None, "password-reset")


def test_roles_are_rows_of_the_policy_once_each() -> None:
    known, among = a_person(), {"editor", "team"}
    said = accepted(
        people.set_roles(known, ("team", "editor", "team"), among=among, actor="operator", now=AT)
    )
    assert said.roles == ("editor", "team")
    assert refused(people.set_roles(known, ("king",), among=among, actor="x", now=AT)) == (
        "role-unknown"
    )
    same = people.set_roles(said, ("editor", "team"), among=among, actor="x", now=AT)
    assert isinstance(same, Unchanged)


def test_a_closed_account_is_unknown_to_every_verb() -> None:
    for known in (None, a_person(status="closed")):
        for decided in (
            people.rename(known, sealed(), actor=SELF, now=AT),
            people.change_address(known, sealed(), (NEW_INDEX,), actor=SELF, now=AT),
            people.set_password(known, "x", actor=SELF, now=AT),
            people.set_roles(known, (), among=set(), actor=SELF, now=AT),
        ):
            assert refused(decided) == "person-unknown"


def test_facts_are_bounded_and_the_first_one_stays() -> None:
    known = a_person()
    for number in range(MOST_FACTS + 20):
        at = AT + timedelta(seconds=number)
        known = accepted(people.rename(known, sealed(), actor=SELF, now=at))
    assert len(known.facts) == MOST_FACTS
    assert known.facts[0].what == "registered"
    assert known.facts[-1].at == AT + timedelta(seconds=MOST_FACTS + 19)


def a_code(**changes: Any) -> KeptChallenge:
    new = KeptChallenge(
        code="code:x",
        proves="registration",
        person=PERSON,
        subjects=(INDEX,),
        made_at=AT,
        until=AT + timedelta(minutes=15),
        pending=Pending(epoch=1, key="a2V5", values={"email": "pe1.x"}),
    )
    return new.model_copy(update=changes)


def test_a_code_counts_once_and_for_its_time_and_forgets_what_it_held() -> None:
    spent = accepted(challenges.spend(a_code(), now=AT))
    assert (spent.spent, spent.pending) == (True, None)
    assert refused(challenges.spend(spent, now=AT)) == "code-wrong"
    assert refused(challenges.spend(a_code(), now=AT + timedelta(minutes=15))) == "code-wrong"
    assert refused(challenges.spend(None, now=AT)) == "code-wrong"
    assert isinstance(challenges.make(a_code(), a_code()), Unchanged)


def test_an_ended_sign_in_is_remembered_as_long_as_its_tokens_would_last() -> None:
    first = accepted(access.sign_out(None, PERSON, SESSION(1), until=ENDS, now=AT))
    assert isinstance(access.sign_out(first, PERSON, SESSION(1), until=ENDS, now=AT), Unchanged)
    later = ENDS + timedelta(seconds=1)
    second = accepted(access.sign_out(first, PERSON, SESSION(2), until=later, now=ENDS))
    assert [one.sid for one in second.ended] == [SESSION(2)]


def test_too_many_ended_sign_ins_end_them_all() -> None:
    known = None
    for number in range(access.MOST_ENDED):
        session = f"01890000-0000-7000-8000-{number:012d}"
        known = accepted(access.sign_out(known, PERSON, session, until=ENDS, now=AT))
    assert known is not None
    assert known.tokens_since is None
    everywhere = accepted(access.sign_out(known, PERSON, SESSION("f"), until=ENDS, now=AT))
    assert (everywhere.tokens_since, everywhere.ended) == (AT, ())


@pytest.mark.clause("DOAJ-1d2")
def test_a_key_is_its_holders_and_voided_for_good() -> None:
    known = accepted(access.issue_key(None, KEY, PERSON, ("details",), replaces=None, now=AT))
    assert refused(access.revoke_key(known, OTHER, actor=SELF, now=AT)) == "key-unknown"
    gone = accepted(access.revoke_key(known, PERSON, actor=f"staff:{OTHER}", now=AT))
    assert (gone.revoked, gone.revoked_at, gone.revoked_by) == (True, AT, f"staff:{OTHER}")
    assert isinstance(access.revoke_key(gone, PERSON, actor=SELF, now=AT), Unchanged)


@pytest.mark.clause("DOAJ-4c2")
def test_a_look_says_who_whose_why_and_under_which_policy() -> None:
    known = accepted(
        looks.look(
            None,
            SESSION(1),
            actor=f"staff:{OTHER}",
            person=PERSON,
            action="account-read",
            reason="update",
            ticket="#1",
            policy_version="2026-11",
            now=AT,
        )
    )
    said = known.model_dump()
    assert (said["actor"], said["person"]) == (f"staff:{OTHER}", PERSON)
    assert (said["reason"], said["policy_version"]) == ("update", "2026-11")


def test_a_client_that_had_its_share_waits_until_its_window_ends() -> None:
    clock = ManualClock()
    quotas = Quotas(LIMITS, clock)
    row = LIMITS.limit("asks-of-a-client")
    for _ in range(row.most):
        assert quotas.wait("asks-of-a-client", "one") == 0
        quotas.count("asks-of-a-client", "one")
    clock.advance(1)
    assert quotas.wait("asks-of-a-client", "one") == row.within.total_seconds() - 1
    assert quotas.wait("asks-of-a-client", "another") == 0
    clock.advance(row.within.total_seconds())
    assert quotas.wait("asks-of-a-client", "one") == 0
