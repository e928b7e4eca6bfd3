"""What a service makes of an order, in pure pieces: whom, what was found, what is answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from shared.events.decisions import Accepted, Unchanged
from shared.events.orders import (
    AccountsEvidenceGiven,
    ErasureOrdered,
    KeptUnits,
    LookedAt,
    OrderEnded,
    OrderState,
)
from shared.events.personal import Sealed
from shared.privacy import erasing, orders
from shared.privacy.erasing import Held, Key, Looking, Record, Whom

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
ORDER: Final = "00000000-0000-4000-8000-000000000001"
ANNA, BELA, CARA = (f"p{one * 32}" for one in "abc")
INDEX: Final = f"bi1.{'0' * 64}"
TOPIC: Final = "accounts.personal.v1"
SUBJECTS: Final = Sealed(
    schema_id="retention.subjects.v1",
    person=CARA,
    cls="erasure-request",
    unit="subjects",
    record="subjects",
    values={"/indexes": f"pe1.{CARA}.erasure-request.subjects.{'A' * 40}"},
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A collection in memory: documents with the indexes that stand in each."""

    name: str
    rows: Sequence[tuple[Held, frozenset[str]]]

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find by subjects and by pseudonyms."""
        return [
            held
            for held, subjects in self.rows
            if subjects & whom.subjects or held.people & whom.pseudonyms
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Nothing: these tests only look."""

    async def told(self, ids: Sequence[str]) -> bool:
        """Nothing was to be told."""
        return not ids


def a_document(name: str, person: str = ANNA, cls: str = "account", unit: str = "details") -> Held:
    key = Key(person, cls, unit)
    record = Record(TOPIC, f"{person}|{cls}|{unit}")
    return Held(name, (key,), frozenset({person}), records=(record,))


def an_order(version: int = 1, **changes: Any) -> ErasureOrdered:
    said = {
        "order": ORDER,
        "erasure": ORDER,
        "kind": "erase",
        "services": ("accounts",),
        "subjects": SUBJECTS,
        "given_at": AT,
        "version": version,
    }
    return ErasureOrdered(**{**said, **changes})


def taken(order: OrderState | None = None) -> orders.KeptOrder:
    return accepted(orders.take(None, order or an_order())).state


def accepted(decided: orders.Decided) -> Accepted[orders.KeptOrder]:
    assert isinstance(decided, Accepted)
    return decided


def said(outcome: str, **more: Any) -> dict[str, Any]:
    common = {"service": "accounts", "manifest": "0" * 64, "reason": None, "looked_at": AT}
    return {**common, "outcome": outcome, **more}


@pytest.mark.law("P3")
def test_an_address_leads_to_a_pseudonym_and_the_pseudonym_to_everything_under_it() -> None:
    people = Rows(
        "people", [(a_document("1"), frozenset({INDEX})), (a_document("2", BELA), frozenset())]
    )
    looks = Rows("looks", [(Held("3", people=frozenset({ANNA})), frozenset())])
    looking = asyncio.run(erasing.look([looks, people], Whom(frozenset({INDEX}))))
    assert {name: [one.id for one in held] for name, held in looking.found.items()} == {
        "looks": ["3"],
        "people": ["1"],
    }
    assert looking.whom.people == {ANNA}
    assert looking.keys == (KeptUnits(keys_id=f"{ANNA}.account", units=("details",)),)


@pytest.mark.law("P6")
def test_an_order_of_units_means_those_units_and_nothing_else_of_the_person() -> None:
    whom = Whom(records=(KeptUnits(keys_id=f"{ANNA}.account", units=("one",)),))
    assert whom.means(ANNA, "account", "one")
    assert not whom.means(ANNA, "account", "two")
    assert not whom.means(ANNA, "contact-role", "one")
    assert not whom.means(BELA, "account", "one")
    rows = Rows("people", [(a_document("1", unit="one"), frozenset())])
    assert asyncio.run(erasing.look([rows], whom)).whom.people == frozenset()


def test_classes_that_are_exempt_or_not_named_are_not_meant() -> None:
    whom = Whom(people=frozenset({ANNA}), exempt=frozenset({"account"}))
    assert not whom.means(ANNA, "account", "details")
    assert whom.means(ANNA, "contact-role", "contact")
    narrow = Whom(people=frozenset({ANNA}), classes=frozenset({"account"}))
    assert narrow.means(ANNA, "account", "details")
    assert not narrow.means(ANNA, "contact-role", "contact")


@pytest.mark.law("P3")
@pytest.mark.parametrize(
    ("matched", "again", "counted"),
    [
        ({"1": False, "2": False}, [], (2, 2, 0, 0)),
        ({"1": False, "2": True}, [a_document("2", cls="kept")], (2, 1, 1, 0)),
        ({"1": False}, [a_document("1")], (1, 0, 0, 1)),
        ({"1": False}, [a_document("9")], (2, 1, 0, 1)),
        ({"1": False}, [a_document("1", cls="kept")], (1, 1, 0, 0)),
        ({}, [], (0, 0, 0, 0)),
    ],
)
def test_evidence_counts_what_a_second_look_found_and_always_adds_up(
    matched: dict[str, bool], again: list[Held], counted: tuple[int, ...]
) -> None:
    looked = erasing.looked_at("people", matched, again, frozenset({"kept"}))
    assert (looked.matched, looked.erased, looked.kept, looked.remaining) == counted
    assert looked.matched == looked.erased + looked.kept + looked.remaining


@pytest.mark.law("P3")
@pytest.mark.parametrize(
    ("kind", "looked", "outcome"),
    [
        ("look", [LookedAt(collection="a", matched=1)], "found"),
        ("look", [LookedAt(collection="a", matched=0)], "nothing-found"),
        ("erase", [LookedAt(collection="a", matched=2, erased=1, kept=1)], "erased"),
        ("erase", [LookedAt(collection="a", matched=1, kept=1)], "exempt"),
        ("erase", [LookedAt(collection="a", matched=0)], "nothing-found"),
    ],
)
def test_an_outcome_is_named_by_what_was_found_and_done(
    kind: str, looked: list[LookedAt], outcome: str
) -> None:
    assert erasing.outcome_of(kind, looked) == outcome


def test_tombstones_are_counted_once_each_by_topic_and_partition() -> None:
    records = [(TOPIC, "p1|a|x"), (TOPIC, "p2|a|x"), (TOPIC, "p1|a|x"), (TOPIC, "q1|a|x")]
    counted = erasing.tombstoned(records, lambda _topic, key: int(key.startswith(b"q")))
    assert [(one.partition, one.count) for one in counted] == [(0, 2), (1, 1)]


def test_a_manifest_changes_with_what_a_service_holds() -> None:
    people, looks = Rows("people", []), Rows("looks", [])
    assert erasing.manifest("accounts", [people, looks]) == erasing.manifest(
        "accounts", [looks, people]
    )
    assert erasing.manifest("accounts", [people]) != erasing.manifest("accounts", [people, looks])
    assert erasing.manifest("accounts", [people]) != erasing.manifest("consent", [people])


def test_an_order_told_again_changes_nothing_and_one_that_ended_is_open_no_more() -> None:
    known = taken()
    assert known.open
    assert isinstance(orders.take(known, an_order()), Unchanged)
    ended = OrderEnded(**{**an_order(2).model_dump(), "ended_at": AT})
    state = accepted(orders.take(known, ended)).state
    assert not state.open
    assert not state.carried_out
    assert state.order.subjects is None
    assert isinstance(orders.take(state, an_order(3)), Unchanged)


@pytest.mark.law("P3")
def test_what_was_planned_before_a_crash_is_answered_for_after_it() -> None:
    first = Looking(Whom(frozenset({INDEX}), frozenset({ANNA})), {"people": [a_document("1")]})
    state = accepted(orders.plan(taken(), first)).state
    rest = Looking(Whom(frozenset({INDEX}), frozenset({ANNA})), {"people": [a_document("2")]})
    state = accepted(orders.plan(state, rest)).state
    assert state.planned is not None
    assert state.planned.matched == {"people": {"1": False, "2": False}}
    assert state.planned.people == (ANNA,)
    assert state.planned.records == ((TOPIC, f"{ANNA}|account|details"),)
    assert isinstance(orders.plan(state, rest), Unchanged)


@pytest.mark.law("P3")
def test_an_order_is_answered_once_and_forgets_whom_it_was_about() -> None:
    looking = Looking(Whom(people=frozenset({ANNA})), {"people": [a_document("1")]})
    known = accepted(orders.plan(taken(), looking)).state
    done = accepted(orders.answer(known, AccountsEvidenceGiven, said("erased")))
    assert done.state.carried_out
    assert done.state.planned is None
    assert done.state.order.subjects is None
    (event,) = done.events
    assert isinstance(event, AccountsEvidenceGiven)
    assert (event.order, event.version) == (ORDER, done.state.version)
    again = orders.answer(done.state, AccountsEvidenceGiven, said("nothing-found"))
    assert isinstance(again, Unchanged)


@pytest.mark.law("P3")
def test_that_one_could_not_look_is_said_once_and_leaves_the_order_open() -> None:
    words = orders.not_looked("accounts", "0" * 64, "subjects-lost", at=AT)
    first = accepted(orders.answer(taken(), AccountsEvidenceGiven, words))
    assert first.state.open
    assert first.state.order.subjects == SUBJECTS
    assert isinstance(orders.answer(first.state, AccountsEvidenceGiven, words), Unchanged)
    last = accepted(orders.answer(first.state, AccountsEvidenceGiven, said("erased")))
    assert last.state.carried_out
    assert [one.outcome for one in last.events if isinstance(one, AccountsEvidenceGiven)] == [
        "erased"
    ]
