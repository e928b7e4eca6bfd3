"""Requests of people: every step and from where, limits, pauses, extension, reminders."""

from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args

import pytest

from services.retention.model.clocks import clocks
from services.retention.model.facts import Fact, History
from services.retention.model.requests import challenges, deadlines, handling, receiving
from services.retention.model.requests.challenges import KeptChallenge
from services.retention.model.requests.deadlines import tellings
from services.retention.model.requests.steps import FROM, Verb
from shared.events.consent import NoticeRef
from shared.events.decisions import Accepted, Refused
from shared.events.requests import RequestStatus
from shared.policy.files import PolicyError
from shared.policy.requests import parse_requests
from shared.policy.retention import parse_retention
from tests.unit.retention.given_requests import (
    ERASURE,
    FOLDER,
    HELPER,
    NOW,
    OFFICER,
    PERSON,
    POLICY,
    REQUEST,
    SCHEDULE,
    STANDING,
    TEXT,
    after,
    assessed,
    begun,
    by,
    confirmed,
    done,
    events,
    new,
    note,
    policy_of,
    received,
    same,
    sealed,
    utc,
    why,
)

VERBS: dict[Verb, Any] = {
    "ask-code": lambda one: receiving.code_mailed(one, by(NOW)),
    "confirm": lambda one: receiving.confirm(one, by(NOW), identity="known-address"),
    "assign": lambda one: handling.assign(one, by(NOW), handler=HELPER, policy=POLICY),
    "assess": lambda one: handling.assess(
        one.model_copy(update={"assessed_at": None}), by(NOW), exempt=(), policy=POLICY
    ),
    "do": lambda one: handling.do(
        one.model_copy(update={"tasks": assessed().tasks}),
        by(NOW),
        task="access-package",
        outcome="done",
        notes={},
    ),
    "begin-erasing": lambda one: handling.erasing(one, by(NOW), erasure=ERASURE),
    "pause": lambda one: handling.pause(one, by(NOW), reason="identity", policy=POLICY),
    "resume": lambda one: handling.resume(
        after(handling.pause(one, by(NOW), reason="identity", policy=POLICY)) if one.open else one,
        by(NOW),
    ),
    "extend": lambda one: handling.extend(
        one, by(NOW), reason="complexity", by_letter=False, notes={}, policy=POLICY
    ),
    "refuse": lambda one: handling.refuse(
        one.model_copy(update={"reason": None}),
        by(NOW),
        reason="other",
        by_letter=False,
        notes={},
        policy=POLICY,
    ),
    "answer": lambda one: handling.answer(
        one.model_copy(update={"tasks": done().tasks}),
        by(NOW),
        by_letter=False,
        notes={},
        policy=POLICY,
    ),
    "take-back": lambda one: handling.take_back(one, by(NOW)),
}
# What is done already is done again without a change.
REPEATED = {("answer", "answered"), ("take-back", "taken-back")}


@pytest.mark.parametrize("status", get_args(RequestStatus))
@pytest.mark.parametrize("verb", get_args(Verb))
def test_each_verb_is_done_where_the_table_says_and_nowhere_else(
    verb: Verb, status: RequestStatus
) -> None:
    known = STANDING[status]()
    assert known.status == status
    decided = VERBS[verb](known)
    if (verb, status) in REPEATED:
        assert same(decided)
    elif status in FROM[verb]:
        assert after(decided).version > known.version
    else:
        assert why(decided) == "not-now"


def test_every_step_refuses_a_request_that_there_is_not() -> None:
    assert set(VERBS) == set(get_args(Verb)) == set(FROM)
    for decided in (
        receiving.code_mailed(None, by(NOW)),
        receiving.confirm(None, by(NOW), identity="document"),
        handling.assign(None, by(NOW), handler=HELPER, policy=POLICY),
        handling.assess(None, by(NOW), exempt=(), policy=POLICY),
        handling.do(None, by(NOW), task="examine", outcome="done", notes={}),
        handling.erasing(None, by(NOW), erasure=ERASURE),
        handling.erased(None, by(NOW)),
        handling.pause(None, by(NOW), reason="identity", policy=POLICY),
        handling.resume(None, by(NOW)),
        handling.extend(None, by(NOW), reason="number", by_letter=True, notes={}, policy=POLICY),
        handling.refuse(None, by(NOW), reason="other", by_letter=True, notes={}, policy=POLICY),
        handling.answer(None, by(NOW), by_letter=True, notes={}, policy=POLICY),
        handling.take_back(None, by(NOW)),
        handling.posted(None, "answered"),
    ):
        assert why(decided) == "request-unknown"


@pytest.mark.clause("DOAJ-9b")
@pytest.mark.parametrize("channel", ["mail", "letter", "phone", "in-person"])
def test_a_request_counts_whatever_form_it_came_in_and_from_when_it_came(channel: str) -> None:
    step = receiving.register(None, new(channel=channel), by("2026-11-09T12:00"), POLICY)
    state = after(step)
    assert events(step) == ["RetentionRecordKept", "RequestReceived"]
    assert (state.channel, state.handler, state.status) == (channel, OFFICER, "received")
    assert state.facts[0].at == state.received_at == utc("2026-11-02T09:00")
    assert deadlines.due_at(state, POLICY, utc(NOW)) == utc("2026-12-02T09:00")
    assert same(receiving.register(state, new(channel=channel), by(NOW), POLICY))
    other = new(channel=channel, fingerprint="g")
    assert why(receiving.register(state, other, by(NOW), POLICY)) == "request-differs"
    late = new(received="2026-11-09T12:01")
    assert why(receiving.register(None, late, by("2026-11-09T12:00"), POLICY)) == (
        "received-in-the-future"
    )


@pytest.mark.clause("DOAJ-9b")
def test_who_has_no_address_is_told_by_letter_or_it_does_not_count() -> None:
    extend: dict[str, Any] = {"reason": "number", "notes": {}, "policy": POLICY}
    state = confirmed(mailable=False)
    assert not state.owed
    assert why(handling.extend(state, by(NOW), by_letter=False, **extend)) == "tell-by-letter"
    assert after(handling.extend(state, by(NOW), by_letter=True, **extend)).extended_at
    ready = done(mailable=False)
    mailed = handling.answer(ready, by(NOW), by_letter=False, notes={}, policy=POLICY)
    assert why(mailed) == "tell-by-letter"
    written = handling.answer(ready, by(NOW), by_letter=True, notes={}, policy=POLICY)
    assert (after(written).status, after(written).owed) == ("answered", ())


@pytest.mark.clause("DOAJ-1a10")
def test_a_representative_counts_once_staff_checked_the_authority() -> None:
    helper = sealed(HELPER, schema="retention.representative.v1")
    records = {"requester": sealed(), "representative": helper}
    state = received(records=records)
    assert state.represented
    shown = after(receiving.confirm(state, by(NOW), identity="document"))
    assert (shown.status, shown.confirmed_at, shown.owed) == ("confirming", None, ())
    unchecked = receiving.confirm(shown, by(NOW), identity="document")
    assert why(unchecked) == "authority-unchecked"
    assert why(handling.assess(shown, by(NOW), exempt=(), policy=POLICY)) == "not-now"
    both = after(receiving.confirm(shown, by(NOW), authority=True, notes=note("authority")))
    assert (both.status, both.authority_at) == ("confirmed", utc(NOW))
    # Authority alone shows nothing of the person on whose behalf it is.
    alone = after(receiving.confirm(state, by(NOW), authority=True))
    assert alone.status == "confirming"
    assert after(receiving.confirm(alone, by(NOW), identity="code")).status == "confirmed"


def test_a_representative_is_found_by_nobody_elses_address() -> None:
    helper = sealed(HELPER, schema="retention.representative.v1")
    step = receiving.register(
        None, new(records={"requester": sealed(), "representative": helper}), by(NOW), POLICY
    )
    assert isinstance(step, Accepted)
    found = {one.sealed.person: one.subjects for one in step.events[:-1]}  # type: ignore[attr-defined]
    assert found == {PERSON: new().subjects, HELPER: ()}


@pytest.mark.clause("DOAJ-11")
def test_a_complaint_is_a_case_of_its_own_tied_to_what_it_is_about() -> None:
    state = received("complaint", about_request=ERASURE)
    assert state.about_request == ERASURE
    assert [one.task for one in assessed("complaint").tasks] == ["examine", "name-authority"]
    judged = receiving.judged
    assert why_not(judged(POLICY, ("complaint", "access"))) == "kind-apart"
    assert why_not(judged(POLICY, ("access",), (OFFICER,))) == "about-nobody"
    assert why_not(judged(POLICY, ("access",), (), ERASURE)) == "about-nobody"
    assert why_not(judged(POLICY, ("access", "invoices"))) == "kind-unknown"


def why_not(refused: Refused[Any] | None) -> str:
    assert refused is not None
    return str(refused.reason.slug)


@pytest.mark.clause("DOAJ-11")
def test_a_complaint_never_goes_to_whom_it_is_about() -> None:
    routine = received("complaint", against=(HELPER,))
    assert routine.handler == OFFICER
    helper = handling.assign(routine, by(NOW), handler=HELPER, policy=POLICY)
    assert why(helper) == "complained-about"
    about_officer = received("complaint", against=(OFFICER,))
    assert about_officer.handler == "management"
    back = handling.assign(about_officer, by(NOW), handler=OFFICER, policy=POLICY)
    assert why(back) == "complained-about"
    both = (OFFICER, "management")
    assert why_not(receiving.judged(POLICY, ("complaint",), both)) == "nobody-left"
    # Reminders go to the other role also where staff have the case, and so does what is overdue.
    other = "p" + 32 * "c"
    given = after(handling.assign(about_officer, by(NOW), handler=other, policy=POLICY))
    assert tellings(given, POLICY, utc("2026-12-01T12:00"))[0].to == "management"
    about_management = received("complaint", against=("management",))
    assert tellings(about_management, POLICY, utc("2026-12-03T12:00"))[0].to == OFFICER


def test_a_request_is_given_to_roles_of_the_policy_or_to_staff() -> None:
    state = received()
    wrong = handling.assign(state, by(NOW), handler="gardener", policy=POLICY)
    assert why(wrong) == "handler-unknown"
    assert same(handling.assign(state, by(NOW), handler=OFFICER, policy=POLICY))
    given = after(handling.assign(state, by(NOW), handler=HELPER, policy=POLICY))
    assert (given.handler, given.facts[-1].about) == (HELPER, HELPER)


@pytest.mark.clause("DOAJ-9a1")
def test_an_erasure_comes_last_and_the_answer_waits_for_its_certificate() -> None:
    state = assessed("access", "erasure")
    assert not handling.to_be_erased(state, POLICY)
    state = done("access", "erasure")
    assert handling.to_be_erased(state, POLICY)
    state = begun("access", "erasure")
    assert not handling.to_be_erased(state, POLICY)
    assert same(handling.erasing(state, by(NOW), erasure=ERASURE))
    early = handling.answer(state, by(NOW), by_letter=False, notes={}, policy=POLICY)
    assert why(early) == "not-erased"
    refuse = handling.refuse(
        state, by(NOW), reason="other", by_letter=False, notes={}, policy=POLICY
    )
    assert why(refuse) == why(handling.take_back(state, by(NOW))) == "erasure-begun"
    ended = after(handling.erasure_ended(state, by(NOW)))
    assert same(handling.erasure_ended(ended, by(NOW)))
    assert after(handling.take_back(ended, by(NOW))).status == "taken-back"
    certain = after(handling.erased(state, by(NOW)))
    assert same(handling.erased(certain, by(NOW)))
    end = after(handling.answer(certain, by(NOW), by_letter=False, notes={}, policy=POLICY))
    assert (end.status, end.owed) == ("answered", ("confirmed", "answered"))
    assert handling.to_be_erased(assessed("erasure"), POLICY)
    nowhere = handling.assess(confirmed("erasure", subjects=()), by(NOW), exempt=(), policy=POLICY)
    assert why(nowhere) == "address-needed"


def test_a_task_is_done_once_and_an_answer_waits_for_all() -> None:
    state = assessed("rectification")
    assert {one.service for one in state.tasks} == {"accounts", "deposits", "consent"}
    early = handling.answer(state, by(NOW), by_letter=False, notes={}, policy=POLICY)
    assert why(early) == "tasks-open"
    step = handling.do(
        state, by(NOW), task="mend-account", outcome="done", notes=note("task-mend-account")
    )
    state = after(step)
    assert (state.status, "task-mend-account" in state.records) == ("doing", True)
    assert events(step) == ["RetentionRecordKept", "RequestAdvanced"]
    assert same(handling.do(state, by(NOW), task="mend-account", outcome="done", notes={}))
    other = handling.do(state, by(NOW), task="mend-account", outcome="nothing-to-do", notes={})
    assert why(other) == "task-done-otherwise"
    unknown = handling.do(state, by(NOW), task="examine", outcome="done", notes={})
    assert why(unknown) == "task-unknown"


@pytest.mark.parametrize("row", POLICY.file.refusals, ids=lambda row: row.id)
def test_a_refusal_has_a_reason_and_is_an_answer(row: Any) -> None:
    state = after(
        handling.refuse(
            received(), by(NOW), reason=row.id, by_letter=False, notes={}, policy=POLICY
        )
    )
    assert [one.what for one in state.facts[-2:]] == ["refused", "answered"]
    assert row.drp == row.id.replace("-", "_")
    # What the clocks of the schedule hear of it ends them.
    facts = tuple(Fact(one.what, one.at) for one in state.facts)
    assert {
        one.rule: one.standing for one in clocks(History("request", REQUEST, facts), SCHEDULE)
    } == {
        "answer-by-the-notice": "cancelled",
        "answer-by-the-law": "cancelled",
        "answered-request": "running",
    }
    wrong = handling.refuse(
        received(), by(NOW), reason="no-time", by_letter=False, notes={}, policy=POLICY
    )
    assert why(wrong) == "reason-unknown"


def test_facts_never_go_back_and_versions_grow_by_one() -> None:
    state = begun("access", "erasure")
    times = [one.at for one in state.facts]
    assert all(one <= later for one, later in pairwise(times))
    assert state.version == 1 + 4  # confirmed, assessed, one task, erasing


@pytest.mark.clause("DOAJ-X1")
def test_the_notice_is_named_once() -> None:
    ref = NoticeRef(notice="index-users", number=1, label="2023-11", sha=64 * "a")
    named = after(handling.noticed(received(), ref))
    assert named.notice == ref
    assert same(handling.noticed(named, ref.model_copy(update={"number": 2})))


def challenge(**fields: Any) -> KeptChallenge:
    return KeptChallenge(
        confirmation=REQUEST,
        code=64 * "a",
        person=PERSON,
        subjects=new().subjects,
        made_at=utc("2026-11-02T09:00"),
        until=utc("2026-11-02T09:10"),
        asked_at=utc("2026-11-02T09:00"),
        **fields,
    )


@pytest.mark.clause("DOAJ-1a10")
def test_a_code_counts_for_three_tries_and_ten_minutes() -> None:
    row = POLICY.file.code
    assert (row.tries, row.lives) == (3, timedelta(minutes=10))

    def tried(known: KeptChallenge | None, *, right: bool, when: str = "2026-11-02T09:09") -> Any:
        return challenges.tried(known, right=right, now=utc(when), tries=row.tries)

    known = challenge()
    assert tried(None, right=False) == challenges.WRONG
    assert tried(known, right=True, when="2026-11-02T09:10") == challenges.WRONG
    for number in (1, 2, 3):
        assert after(tried(known, right=True)).spent  # type: ignore[attr-defined]
        known = tried(known, right=False).state
        assert known.tries == number
    assert tried(known, right=True) == tried(known, right=False) == challenges.WRONG


def test_a_right_code_may_be_shown_again_and_what_it_held_is_forgotten() -> None:
    pending = challenges.Pending(epoch=1, key="k", values={"email": "e"})
    known = challenge(pending=pending)
    spent = challenges.tried(known, right=True, now=utc("2026-11-02T09:01"), tries=3)
    assert isinstance(spent, Accepted)
    again = challenges.tried(spent.state, right=True, now=utc("2026-11-02T09:02"), tries=3)
    assert same(again)  # type: ignore[arg-type]
    empty = challenges.emptied(spent.state)
    assert isinstance(empty, Accepted)
    assert empty.state.pending is None


def test_another_code_takes_the_place_of_one_that_was_never_mailed() -> None:
    first = challenges.make(None, challenge())
    assert isinstance(first, Accepted)
    again = challenges.make(first.state, challenge())
    assert isinstance(again, Accepted)
    assert again.state.version == first.state.version + 1


@pytest.mark.parametrize(
    ("old", "fresh", "says"),
    [
        ('of = "access"', 'of = "axess"', "axess"),
        ('instead = "management"', 'instead = "privacy-officer"', "two"),
        ('to = "management"', 'to = "gardener"', "routing"),
        ('id = "codes-of-an-address"', 'id = "codes"', "codes-of-an-address"),
        ('of = "withdrawal"', 'of = "access"', "withdrawal"),
    ],
)
def test_a_policy_that_does_not_agree_with_itself_is_refused(
    old: str, fresh: str, says: str
) -> None:
    with pytest.raises(PolicyError, match=says):
        policy_of((old, fresh))


def test_an_extension_that_the_schedule_does_not_know_is_refused() -> None:
    text = (FOLDER / "retention.toml").read_text()
    extended = 'extends = ["extended"]\nextension = "P2M"\n'
    assert extended in text
    with pytest.raises(PolicyError, match="extends that"):
        parse_requests(TEXT.encode(), parse_retention(text.replace(extended, "").encode()))


def test_what_is_kept_of_a_request_is_looked_at_by_a_rule_of_requests() -> None:
    for rule, says in (("removed-journal", "of requests"), ("none", "add one")):
        with pytest.raises(PolicyError, match=says):
            policy_of(('rule = "answered-request"', f'rule = "{rule}"'))
