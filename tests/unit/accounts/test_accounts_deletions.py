"""Deletions: numbered by the version that asked, taken back or carried out, never both."""

from datetime import timedelta
from typing import Any

import pytest

from services.accounts.model import addresses, deletions
from services.accounts.model.addresses import KeptClaim
from services.accounts.model.deletions import KeptOffer
from services.accounts.model.people import SELF, KeptPerson
from shared.events import Unknown, from_record
from shared.events.decisions import Accepted, Unchanged
from shared.events.people import PersonClosed
from shared.events.personal import AccountsRecordGone
from shared.mongo.aggregates import outbox_entry
from shared.mongo.outbox import pending_of
from tests.unit.accounts.given import AT, accepted, refused
from tests.unit.accounts.test_accounts_people import INDEX, a_person

HEIR, OTHER = (f"p{number:032x}" for number in (8, 9))


def going(**changes: Any) -> KeptPerson:
    state = accepted(deletions.ask(a_person(), actor=SELF, now=AT))
    return state.model_copy(update=changes)


def an_heir(person: str = HEIR, **changes: Any) -> KeptPerson:
    return a_person(person=person, **changes)


@pytest.mark.clause("DOAJ-8a1")
def test_a_deletion_is_numbered_by_the_version_that_asked_and_asked_for_once() -> None:
    state = going()
    assert state.closing is not None
    assert (state.status, state.closing.attempt) == ("closing", state.version)
    assert deletions.ask(state, actor="operator", now=AT) == Unchanged(state)
    back = accepted(deletions.take_back(state, actor=SELF, now=AT))
    assert (back.status, back.closing) == ("active", None)
    again = accepted(deletions.ask(back, actor=SELF, now=AT))
    assert again.closing is not None
    assert again.closing.attempt > state.closing.attempt
    assert refused(deletions.take_back(back, actor=SELF, now=AT)) == "deletion-unknown"


@pytest.mark.clause("DOAJ-8a2")
def test_an_answer_counts_for_its_own_deletion_while_that_stands() -> None:
    state = going()
    other = deletions.close(state, attempt=state.version + 1, now=AT)
    assert other == Unchanged(state)
    back = accepted(deletions.take_back(state, actor=SELF, now=AT))
    assert deletions.close(back, attempt=state.version, now=AT) == Unchanged(back)
    gone = accepted(deletions.close(state, attempt=state.version, now=AT))
    assert refused(deletions.take_back(gone, actor=SELF, now=AT)) == "person-unknown"
    assert deletions.close(gone, attempt=state.version, now=AT) == Unchanged(gone)


@pytest.mark.clause("DOAJ-8a1")
def test_with_an_account_go_details_index_password_and_roles_and_the_facts_stay() -> None:
    state = going(password_hash="$argon2id$", roles=("publisher",))
    decided = deletions.close(state, attempt=state.version, now=AT)
    gone = accepted(decided)
    assert (gone.details, gone.subjects, gone.password_hash, gone.roles) == (None, (), None, ())
    assert [fact.what for fact in gone.facts] == ["registered", "closing", "closed"]
    assert isinstance(decided, Accepted)
    record, told = decided.events
    assert isinstance(record, AccountsRecordGone)
    assert record.key == f"{gone.person}|account|details"
    assert isinstance(told, PersonClosed)


def test_a_record_that_is_gone_travels_as_its_key_without_a_value() -> None:
    gone = AccountsRecordGone(record_key="p|account|details", version=3)
    entry = outbox_entry(gone, at="2026-01-01T00:00:00Z", correlation=None)
    document = {"_id": "p", "version": 3, "state": "{}", "outbox": [entry]}
    [sent] = pending_of(document, "/services/accounts").records
    assert (sent.topic, sent.key) == ("accounts.personal.v1", b"p|account|details")
    assert sent.value is None
    assert isinstance(from_record(sent.key, sent.value, sent.headers), Unknown)


@pytest.mark.clause("DOAJ-8a3")
def test_who_accepts_first_is_the_replacement_and_who_goes_too_is_none() -> None:
    state = going()

    def taken(by: KeptPerson | None, of: KeptPerson = state, **more: Any) -> Any:
        return deletions.replace(of, by, **{"attempt": state.version, "now": AT} | more)

    assert refused(taken(state)) == "replacement-goes-too"
    assert refused(taken(an_heir(status="closing"))) == "replacement-goes-too"
    assert refused(taken(an_heir(), attempt=state.version + 1)) == "offer-void"
    assert refused(taken(None)) == "person-unknown"
    found = accepted(taken(an_heir()))
    assert found.closing is not None
    assert (found.closing.replacement, found.closing.attempt) == (HEIR, state.version)
    assert taken(an_heir(), of=found) == Unchanged(found)
    assert refused(taken(an_heir(OTHER), of=found)) == "replacement-found"


@pytest.mark.clause("DOAJ-8a3")
def test_an_offer_counts_for_whoever_has_its_address_and_for_its_time() -> None:
    until = AT + timedelta(days=7)
    made = KeptOffer(
        code="code:x", person=OTHER, attempt=2, subjects=(INDEX,), made_at=AT, until=until
    )
    assert deletions.counts(made, an_heir(), now=AT) is None
    assert deletions.counts(made, an_heir(subjects=()), now=AT) == deletions.VOID
    assert deletions.counts(made, an_heir(), now=until) == deletions.VOID
    assert deletions.counts(None, an_heir(), now=AT) == deletions.VOID


def test_a_freed_address_is_anybodys_at_once_and_names_nobody() -> None:
    claim = KeptClaim(index=INDEX, person=HEIR, version=2)
    freed = addresses.free(claim, HEIR)
    assert isinstance(freed, Accepted)
    assert freed.state.person is None
    assert addresses.free(claim, OTHER) == Unchanged(claim)
    until = AT + timedelta(minutes=10)
    taken = addresses.reserve(freed.state, INDEX, OTHER, holder_has_it=False, now=AT, until=until)
    assert isinstance(taken, Accepted)
    assert taken.state.person == OTHER
