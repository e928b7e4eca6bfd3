"""The machine of erasures: which step follows which, what may be given up, and what counts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.retention.model import answers, erasures
from services.retention.model.erasure_plans import (
    erasure_id,
    fresh_keys,
    kept_aside,
    late_round,
    plan_of,
    planned_keys,
    round_of,
)
from services.retention.model.erasure_states import Exempt, KeptErasure, Round, Step, Waits
from services.retention.model.erasures import ENDS, GIVEN_UP, TRANSITIONS, Verb
from services.retention.model.fencing import effective_at, stand
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import (
    AccountsEvidenceGiven,
    EvidenceState,
    KeptUnits,
    LookedAt,
)
from shared.events.personal import Sealed
from shared.privacy import lifecycle
from shared.privacy.lifecycle import KeptKeys, Wrapped

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
PERSON = "p" + "0" * 32
KEYS = f"{PERSON}.account"
ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
VERBS: tuple[Verb, ...] = get_args(Verb)
STEPS: tuple[Step, ...] = get_args(Step)
SUBJECTS = Sealed(
    schema_id="retention.subjects.v1",
    person="p" + "f" * 32,
    cls="erasure-request",
    unit="subjects",
    record="r",
    values={},
)


def an_erasure(**more: Any) -> KeptErasure:
    said = {
        "erasure": ONE,
        "cause": "request",
        "cause_id": "request-1",
        "asked_by": "officer",
        "services": ("accounts", "consent"),
        "subjects": SUBJECTS,
        "times": {"looking": AT},
        "salt": "00" * 16,
    }
    return KeptErasure.model_validate(said | more)


def an_order(kind: str = "erase") -> Round:
    return Round.model_validate({"order": TWO, "kind": kind, "services": ("accounts", "consent")})


def evidence(outcome: str, **more: Any) -> EvidenceState:
    said: dict[str, Any] = {"order": TWO, "erasure": ONE, "kind": "erase", "service": "accounts"}
    said |= {"outcome": outcome, "manifest": "a" * 64, "looked_at": AT, "version": 1}
    return AccountsEvidenceGiven.model_validate(said | more)


def looked(matched: int, erased: int = 0, kept: int = 0, remaining: int = 0) -> LookedAt:
    return LookedAt(
        collection="people", matched=matched, erased=erased, kept=kept, remaining=remaining
    )


def test_a_step_is_taken_where_the_table_has_it_and_nowhere_else() -> None:
    for verb, step in product(VERBS, STEPS):
        before = an_erasure(step=step, awaiting=(Waits(what="evidence"),))
        done = erasures.move(before, verb, at=AT)
        to = TRANSITIONS[verb].get(step)
        if to is None:
            assert isinstance(done, Refused)
            assert done.reason.step == step
            continue
        assert isinstance(done, Accepted)
        after = done.state
        assert (after.step, after.version, after.awaiting) == (to, 2, ())
        assert after.times[to] == AT


def test_every_step_is_come_to_and_only_the_ends_lead_nowhere() -> None:
    ways = [way for row in TRANSITIONS.values() for way in row.items()]
    assert {to for _, to in ways} == set(STEPS)
    assert set(STEPS) - {start for start, _ in ways} == ENDS


@pytest.mark.law("P4")
def test_from_destroying_on_nothing_leads_back_and_nothing_is_given_up() -> None:
    reached: set[Step] = {"destroying"}
    while more := {row[one] for row in TRANSITIONS.values() for one in reached if one in row} - (
        reached
    ):
        reached |= more
    assert not reached & (GIVEN_UP | {"looking", "planned", "approved", "collected", "fenced"})


@pytest.mark.law("P3")
def test_where_everybody_is_asked_again_the_steps_behind_that_are_not_so_any_more() -> None:
    hour = timedelta(hours=1)
    path: tuple[Step, ...] = ("looking", "fenced", "ordered", "evidenced", "compacted")
    times = {step: AT + number * hour for number, step in enumerate((*path, "irrecoverable"))}
    known = an_erasure(step="irrecoverable", times=times)
    back = erasures.move(known, "again", at=AT + 9 * hour)
    assert isinstance(back, Accepted)
    assert back.state.times == {step: times[step] for step in ("looking", "fenced", "ordered")}
    again = erasures.move(back.state, "evidence", at=AT + 10 * hour)
    assert isinstance(again, Accepted)
    assert again.state.times["evidenced"] == AT + 10 * hour


def test_an_order_that_follows_the_evidence_has_a_name_that_none_before_it_can_have() -> None:
    known = an_erasure()
    names = {late_round(known, "look", ()).order, late_round(known, "erase", ()).order}
    assert len(names | {round_of(known, "look", ()).order}) == 3
    assert late_round(known, "look", ()) == late_round(known, "look", ())


class Machine(RuleBasedStateMachine):
    """Any verbs in any order, by anybody, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.known = an_erasure(keys=(KeptUnits(keys_id=KEYS),), plan_sha="b" * 64)
        self.path: list[Step] = ["looking"]
        self.now = AT

    def take(self, done: erasures.Decided) -> None:
        self.now += timedelta(seconds=1)
        if isinstance(done, Accepted):
            assert done.state.version == self.known.version + 1
            self.known = done.state
            self.path.append(self.known.step)

    @rule(verb=st.sampled_from(VERBS))
    def move(self, verb: Verb) -> None:
        if verb not in ("approve", "take-back", "refuse"):
            self.take(erasures.move(self.known, verb, at=self.now))

    @rule(plan=st.sampled_from([None, "a" * 64, "b" * 64]))
    def approve(self, plan: str | None) -> None:
        done = erasures.approve(
            self.known, "officer", plan, at=self.now, rests_until=self.now, late_from=self.now
        )
        assert not (plan == "a" * 64 and isinstance(done, Accepted))
        self.take(done)

    @rule()
    def take_back(self) -> None:
        self.take(erasures.take_back(self.known, "officer", at=self.now))

    @rule()
    def refuse(self) -> None:
        self.take(erasures.refuse(self.known, "officer", "not-verified", at=self.now))

    @rule()
    def waits(self) -> None:
        self.take(erasures.await_(self.known, (Waits(what="evidence", since=self.now),)))

    @invariant()
    def nothing_leads_back(self) -> None:
        if "destroying" in self.path:
            after = self.path[self.path.index("destroying") :]
            order = list(STEPS)
            back = [
                one for before, one in pairwise(after) if order.index(one) < order.index(before)
            ]
            assert set(back) <= {"ordered"}
            assert order.index(min(after, key=order.index)) == order.index("destroying")
            assert "approved" in self.path
            assert self.known.approver == "officer"

    @invariant()
    def a_certificate_has_everything_before_it(self) -> None:
        if "certified" in self.path:
            assert {
                "destroyed",
                "ordered",
                "evidenced",
                "compacted",
                "irrecoverable",
                "scanned",
            } <= (set(self.path))

    @invariant()
    def times_are_in_the_order_of_the_steps(self) -> None:
        found = [self.known.times[one] for one in STEPS if one in self.known.times]
        assert found == sorted(found)
        assert self.known.step in self.known.times

    @invariant()
    def what_led_back_is_not_said_to_be_so_any_more(self) -> None:
        if "ordered" in self.path:
            last = len(self.path) - 1 - self.path[::-1].index("ordered")
            since = set(self.path[last:])
            behind = set(STEPS[STEPS.index("ordered") + 1 : STEPS.index("refusing")])
            assert behind & set(self.known.times) == behind & since


TestMachine = Machine.TestCase


def test_what_is_awaited_is_written_down_once() -> None:
    waits = Waits(what="evidence", who=("accounts",), since=AT)
    first = erasures.await_(an_erasure(), (waits,))
    assert isinstance(first, Accepted)
    later = waits.model_copy(update={"since": AT + timedelta(minutes=1)})
    assert isinstance(erasures.await_(first.state, (later,)), Unchanged)
    assert isinstance(erasures.await_(first.state, ()), Accepted)


def test_an_erasure_that_began_and_is_not_certified_in_time_is_overdue() -> None:
    known = an_erasure(step="ordered", overdue_at=AT)
    assert erasures.overdue(known, AT)
    assert not erasures.overdue(known, AT - timedelta(seconds=1))
    assert not erasures.overdue(an_erasure(step="taken-back", overdue_at=AT), AT)
    certified = an_erasure(step="certified", overdue_at=AT, times={"certified": AT})
    assert not erasures.overdue(certified, AT)


def listing(**more: Any) -> KeptErasure:
    return an_erasure(step="collected", listed=({"processor": "act-on", "listed_at": AT},), **more)


def test_a_processor_is_told_when_somebody_attests_it_and_not_because_it_is_listed() -> None:
    later = AT + timedelta(days=1)
    known = listing()
    assert [one.processor for one in erasures.untold(known)] == ["act-on"]
    done = erasures.attest(known, "act-on", "told", "officer", at=later, now=later)
    assert isinstance(done, Accepted)
    assert erasures.untold(done.state) == ()
    (one,) = done.state.listed
    assert (one.told_at, one.told_by, one.completed_at) == (later, "officer", None)
    again = erasures.attest(done.state, "act-on", "told", "another", at=later, now=later)
    assert isinstance(again, Unchanged)
    done = erasures.attest(done.state, "act-on", "completed", "officer", at=later, now=later)
    assert isinstance(done, Accepted)
    assert done.state.listed[0].completed_at == later
    assert KeptErasure.model_validate_json(done.state.model_dump_json()) == done.state


def test_nothing_is_attested_of_others_of_the_future_or_twice_with_another_time() -> None:
    later = AT + timedelta(days=1)

    def attested(known: KeptErasure, who: str = "act-on", at: datetime = AT) -> Any:
        return erasures.attest(known, who, "told", "officer", at=at, now=AT)

    told = attested(listing()).state
    for done, slug in (
        (attested(listing(), who="mailchimp"), "processor-unknown"),
        (attested(listing(), at=later), "processor-time"),
        (attested(told, at=AT - timedelta(days=1)), "processor-attested"),
        (attested(listing().model_copy(update={"step": "taken-back"})), "erasure-step"),
    ):
        assert isinstance(done, Refused)
        assert done.reason.slug == slug
    before = AT - timedelta(days=1)
    done = erasures.attest(told, "act-on", "completed", "officer", at=before, now=AT)
    assert isinstance(done, Refused)


def test_a_processor_is_overdue_where_nobody_told_it_within_its_period() -> None:
    week = timedelta(days=7)
    assert erasures.told_late(listing(), week, AT + week) == ("act-on",)
    assert erasures.told_late(listing(), week, AT + week - timedelta(seconds=1)) == ()
    closed = listing().model_copy(update={"step": "closed"})
    assert erasures.told_late(closed, week, AT + week) == ("act-on",)
    done = erasures.attest(listing(), "act-on", "completed", "officer", at=AT, now=AT)
    assert isinstance(done, Accepted)
    assert erasures.told_late(done.state, week, AT + week) == ()


def test_what_was_kept_when_listed_passed_for_told_is_read_as_listed() -> None:
    text = an_erasure().model_dump(mode="json", exclude={"listed"})
    old = {"processor": "act-on", "told_at": "2026-11-22T12:00:00Z"}
    (one,) = KeptErasure.model_validate({**text, "told": [old]}).listed
    assert (one.processor, one.listed_at, one.told_at) == ("act-on", AT, None)


def test_where_the_fence_of_a_single_record_stands_nothing_is_taken_back() -> None:
    units = (KeptUnits(keys_id=KEYS, units=("old",)),)
    assert isinstance(
        erasures.take_back(an_erasure(step="fenced", keys=units), "officer", at=AT), Refused
    )
    assert isinstance(
        erasures.take_back(an_erasure(step="approved", keys=units), "officer", at=AT), Accepted
    )


@pytest.mark.law("P3")
@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (None, False),
        (evidence("could-not-look", reason="store-away"), False),
        (evidence("found", looked=(looked(1),)), False),
        (evidence("nothing-found"), True),
        (evidence("nothing-found", looked=(looked(0),)), True),
        (evidence("erased", looked=(looked(2, erased=2),)), True),
        (evidence("erased", looked=(looked(2, erased=1, remaining=1),)), False),
        (evidence("erased"), False),
        (evidence("nothing-found", looked=(looked(1, erased=1),)), False),
        (evidence("exempt", looked=(looked(1, kept=1),), exempted=("billing",)), True),
        (evidence("exempt", looked=(looked(1, kept=1),), exempted=("account",)), False),
        (evidence("exempt", looked=(looked(1, kept=1),)), False),
        (evidence("erased", looked=(looked(1, erased=1),), exempted=("billing",)), False),
        (evidence("erased", order=ONE, looked=(looked(1, erased=1),)), False),
    ],
)
def test_evidence_counts_where_it_agrees_with_itself_and_nothing_is_left(
    answer: EvidenceState | None, *, counts: bool
) -> None:
    exempt = (Exempt(cls="billing", reason="legal-claims", review_at=AT),)
    said = {} if answer is None else {"accounts": answer}
    assert ("accounts" not in answers.missing(an_order(), exempt, said)) is counts
    assert "consent" in answers.missing(an_order(), exempt, said)


def test_a_look_counts_whatever_it_found_but_not_where_nobody_could_look() -> None:
    order = an_order(kind="look")
    for outcome, counts in (("found", True), ("nothing-found", True), ("could-not-look", False)):
        said = {"accounts": evidence(outcome, kind="look")}
        assert ("accounts" not in answers.missing(order, (), said)) is counts


def test_a_plan_has_whole_key_documents_but_neither_exempt_ones_nor_its_own() -> None:
    other = f"{PERSON}.support"
    own = next(iter(kept_aside(an_erasure())))
    found = tuple(KeptUnits(keys_id=one, units=("u",)) for one in (KEYS, other, own))
    exempt = Exempt(cls="support", reason="legal-claims", review_at=AT)
    known = an_erasure(exempt=(exempt,))
    said = {"accounts": evidence("found", kind="look", looked=(looked(3),), keys_found=found)}
    assert planned_keys(known, said, {}) == (KeptUnits(keys_id=KEYS),)
    planned = known.model_copy(update={"keys": (KeptUnits(keys_id=KEYS),)})
    assert fresh_keys(planned, said) == ()
    assert fresh_keys(known, said) == (KeptUnits(keys_id=KEYS),)


def test_a_record_whose_clock_is_due_takes_no_other_key_of_its_person_along() -> None:
    record = KeptUnits(keys_id=KEYS, units=("old",))
    known = an_erasure(cause="due-clock", rule="r", subjects=None, asked_records=(record,))
    found = (KeptUnits(keys_id=KEYS, units=("new", "old")), KeptUnits(keys_id=f"{PERSON}.support"))
    said = {"accounts": evidence("erased", looked=(looked(1, erased=1),), keys_found=found)}
    there = {KEYS: KeptKeys(keys_id=KEYS, version=1)}
    assert planned_keys(known, said, there) == (record,)
    assert planned_keys(known, said, {}) == ()
    assert fresh_keys(known, said) == ()


def test_a_plan_has_the_same_hash_however_often_it_is_made_and_another_where_it_differs() -> None:
    known, keys = an_erasure(), (KeptUnits(keys_id=KEYS),)
    said = {"accounts": evidence("found", kind="look", looked=(looked(1),))}
    first, sha = plan_of(known, said, keys, {"erasure": "1"})
    assert plan_of(known, said, keys, {"erasure": "1"}) == (first, sha)
    assert plan_of(known, said, (), {"erasure": "1"})[1] != sha
    assert plan_of(known, said, keys, {"erasure": "2"})[1] != sha


@given(st.text(max_size=40), st.text(max_size=40))
def test_one_cause_has_one_erasure_and_each_of_its_orders_one_name(one: str, two: str) -> None:
    assert (erasure_id("request", one) == erasure_id("request", two)) is (one == two)
    assert erasure_id("request", one) != erasure_id("due-clock", one)
    known = an_erasure(erasure=erasure_id("request", one))
    order = round_of(known, "look", known.services)
    assert order == round_of(known, "look", known.services)
    again = known.model_copy(update={"rounds": (order,)})
    assert round_of(again, "erase", known.services).order != order.order


def test_what_services_did_adds_up_over_rounds_and_what_is_kept_is_said_by_the_last() -> None:
    first = evidence("erased", looked=(looked(3, erased=2, kept=1),), exempted=("billing",))
    again = evidence("exempt", looked=(looked(1, kept=1),), exempted=("billing",))
    once = answers.proven((), [first])
    (found,) = answers.proven(once, [again])
    assert (found.erased, found.kept, found.exempted) == (2, 1, ("billing",))
    assert found.digest != once[0].digest


def kept(**more: Any) -> KeptKeys:
    units = {"old": Wrapped(epoch=1, key="AA==", made_at=AT)}
    return KeptKeys(keys_id=KEYS, units=units, version=1).model_copy(update=more)


def taken(done: Any) -> KeptKeys:
    assert isinstance(done, Accepted)
    state: KeptKeys = done.state
    return state


@pytest.mark.law("P4")
def test_how_keys_stand_is_said_by_their_document() -> None:
    whole, unit = KeptUnits(keys_id=KEYS), KeptUnits(keys_id=KEYS, units=("old",))
    fenced = taken(lifecycle.fence(kept(), KEYS, ONE, at=AT))
    one_fenced = taken(lifecycle.fence_unit(kept(), "old", at=AT))
    seen = taken(lifecycle.confirm(one_fenced, "old", at=AT))
    gone = taken(lifecycle.destroy_unit(seen, "old", at=AT, after=timedelta(0)))
    held = taken(lifecycle.restrict(kept(), "case"))
    for record, known, said in (
        (whole, None, "open"),
        (unit, None, "gone"),
        (whole, kept(), "open"),
        (unit, kept(), "open"),
        (whole, fenced, "fenced"),
        (unit, one_fenced, "fenced"),
        (unit, gone, "gone"),
        (whole, gone, "open"),
        (whole, held, "held"),
        (unit, held, "held"),
        (whole, kept(fence="destroyed", destroyed_at=AT), "gone"),
    ):
        assert stand(record, known, ONE) == said
    assert stand(whole, fenced, TWO) == "other"


def test_a_fence_is_effective_when_the_last_one_was_seen_to_stand_long_enough() -> None:
    whole = KeptUnits(keys_id=KEYS)
    fenced = taken(lifecycle.fence(kept(), KEYS, ONE, at=AT))
    seen = taken(lifecycle.confirm(fenced, at=AT + timedelta(seconds=3)))
    after = timedelta(seconds=31)
    assert effective_at([whole], {KEYS: seen}, after) == AT + timedelta(seconds=34)
    assert effective_at([whole], {KEYS: kept(fence="destroyed")}, after) is None
    assert effective_at([whole], {}, after) is None
