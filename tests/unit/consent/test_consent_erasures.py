"""What is left of people who were erased, and that nothing of before brings them back."""

from datetime import date

import pytest

from services.consent.model import consents, erasures, exports, following, holders, issues, people
from services.consent.model.consents import KeptConsent, Said
from services.consent.model.exports import KeptExport, Row
from services.consent.model.holders import Heard
from services.consent.model.issues import KeptIssue
from services.consent.model.people import KeptPerson
from services.consent.model.proofs import keep
from shared.events.consent import ConsentErased
from shared.events.decisions import Accepted, Unchanged
from shared.events.personal import ConsentRecordGone, Sealed
from shared.policy.consent import standing
from tests.unit.consent.given import (
    NEWS,
    PERSON,
    SUBJECT,
    a_notice,
    a_request,
    accepted,
    at,
    by_letter,
    by_link,
    given,
    grounds,
    refused,
    settled,
)

pytestmark = [pytest.mark.law("P2"), pytest.mark.clause("DOAJ-9a4")]

NOTICE = a_notice()
SOMEBODY = f"p{'7' * 32}"
ON = date(2026, 1, 1)


def erased(known: KeptConsent, *, minutes: float = 10) -> KeptConsent:
    state: KeptConsent = accepted(erasures.erase(known, "proof-1", now=at(minutes), on=ON))
    return state


def test_a_consent_that_was_erased_denies_and_its_proof_leads_to_nobody() -> None:
    before = given(NOTICE)
    decided = erasures.erase(before, "proof-1", now=at(10), on=ON)
    assert isinstance(decided, Accepted)
    state = decided.state
    assert [type(event) for event in decided.events] == [ConsentErased]
    assert standing(state, NOTICE, at(11)) == "absent"
    assert (state.facts, state.notice, state.noes) == ((), None, ())
    assert (state.person, state.version) == (erasures.NOBODY, before.version + 1)
    proof = state.proof
    assert proof is not None
    assert [(fact.what, fact.channel, fact.on) for fact in proof.facts] == [
        ("requested", "link", ON), ("given", "link", ON)
    ]  # fmt: skip
    assert proof.facts[-1].notice == before.notice
    said = proof.model_dump_json()
    assert all(text not in said for text in (SUBJECT, "r1", "00:01"))


def test_each_step_of_an_erasure_may_be_repeated_and_loses_no_proof() -> None:
    once = erased(given(NOTICE))
    assert isinstance(erasures.erase(once, "proof-2", now=at(20), on=ON), Unchanged)
    assert once.proof is not None
    assert isinstance(keep(once.proof, once.proof), Unchanged)
    assert isinstance(erasures.moved(once, "proof-2"), Unchanged)
    done = accepted(erasures.moved(once, "proof-1"))
    assert done.proof is None
    assert isinstance(erasures.moved(done, "proof-1"), Unchanged)
    # Who came back before the proof was moved: it goes first, then what they said is erased too.
    back = accepted(consents.ask(once, NEWS, a_request("r2", minutes=11), again_before=at(0)))
    assert back.proof == once.proof
    assert isinstance(erasures.erase(back, "proof-2", now=at(20), on=ON), Unchanged)
    moved = accepted(erasures.moved(back, "proof-1"))
    assert accepted(erasures.erase(moved, "proof-2", now=at(20), on=ON)).proof.proof == "proof-2"


def test_nothing_of_before_brings_a_consent_back() -> None:
    state = erased(given(NOTICE))
    said = grounds(NOTICE)
    assert refused(consents.confirm(state, "r1", said, now=at(11))) == "link-void"
    late = by_letter(12, said=9)
    assert refused(consents.give(state, NEWS, late, said, no_since=None)) == "consent-superseded"
    page = Said("person", "link", at(12))
    seen = state.version - 1
    assert refused(consents.choose(state, NEWS, page, said, seen=seen)) == "version-differs"
    assert isinstance(consents.expire(state, now=at(99)), Unchanged)
    assert isinstance(following.leave(state, 99, now=at(12)), Unchanged)


def test_what_is_said_afterwards_begins_anew_on_a_greater_version() -> None:
    state = erased(given(NOTICE))
    new = accepted(
        consents.give(state, NEWS, by_letter(12, said=11), grounds(NOTICE), no_since=None)
    )
    assert [fact.what for fact in new.facts] == ["given"]
    assert (new.version, new.person) == (state.version + 1, NEWS.person)
    page = Said("person", "link", at(12))
    assert accepted(consents.choose(state, NEWS, page, grounds(NOTICE), seen=0)).standing == "given"
    assert accepted(consents.decline(state, NEWS, by_link(12))).standing == "refused"
    carried = given(NOTICE)
    followed = accepted(following.follow(state, NEWS, carried, now=at(12)))
    assert (followed.facts, followed.version) == (carried.facts, state.version + 1)


def a_record(cls: str, unit: str) -> Sealed:
    return Sealed(
        schema_id="consent.subscriber.v1",
        person=PERSON,
        cls=cls,
        unit=unit,
        record=unit,
        values={},
    )


def test_a_person_goes_with_the_last_record_and_comes_back_as_somebody_else() -> None:
    address, letter = a_record("subscriber", "address"), a_record("consent-evidence", "letter")
    known = KeptPerson(
        subject=SUBJECT, person=PERSON, sealed=address, evidence=(letter,), version=3
    )
    decided = people.erase(known, lambda one: one == letter, whole=True)
    assert isinstance(decided, Accepted)
    (gone,) = decided.events
    assert isinstance(gone, ConsentRecordGone)
    assert gone.record_key == f"{PERSON}|consent-evidence|letter"
    assert (decided.state.sealed, decided.state.nobody) == (address, False)
    nobody = accepted(people.erase(decided.state, lambda _one: True, whole=True))
    assert (nobody.sealed, nobody.evidence, nobody.nobody) == (None, (), True)
    assert isinstance(people.erase(nobody, lambda _one: True, whole=True), Unchanged)
    assert refused(people.add_evidence(nobody, letter)) == "consent-unknown"
    back = accepted(people.enter(nobody, SUBJECT, SOMEBODY, None))
    assert (back.person, back.nobody, back.version) == (SOMEBODY, False, nobody.version + 1)
    # A single record that is erased leaves the person.
    alone = accepted(people.erase(known, lambda one: one == address, whole=False))
    assert (alone.sealed, alone.nobody) == (None, False)


def test_a_holder_that_was_forgotten_hears_no_old_word_and_no_new_one() -> None:
    heard = Heard(SOMEBODY, SUBJECT, at(0), closed=False, version=4)
    known = accepted(holders.hear(None, heard, taken=False))
    state = accepted(holders.forget(known))
    assert state.forgotten
    assert isinstance(holders.forget(state), Unchanged)
    for version in (3, 4, 5):
        word = Heard(SOMEBODY, SUBJECT, at(0), closed=False, version=version)
        assert settled(holders.hear(state, word, taken=False)).subject is None


def test_a_processor_is_told_of_a_row_and_nobody_knows_whose_it_was() -> None:
    rows = (Row(row="r1", subject=SUBJECT, given_in=1), Row(row="r2", subject=f"bi1.{'2' * 64}"))
    known = KeptExport(
        export="e",
        processor="act-on",
        purpose="list",
        category="subscriber",
        fields=(),
        reason="",
        requester="ada",
        asked_at=at(0),
        edition=1,
        rows=rows,
    )
    state = accepted(exports.forget(known, {SUBJECT}, now=at(5)))
    assert [row.row for row in state.to_delete] == ["r1"]
    assert state.to_delete[0].subject is None
    assert [row.whose for row in state.there] == [rows[1].subject]
    assert state.edition == 2
    assert isinstance(exports.forget(state, {SUBJECT}, now=at(6)), Unchanged)
    assert SUBJECT not in state.model_dump_json()


def test_an_issue_forgets_at_whom_it_stands() -> None:
    new = KeptIssue(
        issue="1", listed="news", subject="N", text="T", asked_at=at(0), consents=1,
        after=f"{SUBJECT}|list:news",
    )  # fmt: skip
    under_way = accepted(issues.forget(new, {SUBJECT}))
    assert under_way.after == "bi1.0000"
    assert under_way.after < new.after  # it goes on before them, so that nobody is left out
    ended = accepted(issues.forget(new.model_copy(update={"ended_at": at(1)}), {SUBJECT}))
    assert ended.after == ""
    assert isinstance(issues.forget(under_way, {SUBJECT}), Unchanged)
