"""The last look before a certificate: what of it means that a service has to prove anew."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.retention.model.erasure_plans import late_round
from services.retention.model.erasure_states import KeptErasure, Proven
from services.retention.model.last_looks import Seen, seen
from shared.events.orders import AccountsEvidenceGiven, KeptUnits
from shared.privacy.lifecycle import KeptKeys, Wrapped
from tests.unit.retention.test_erasures import AT, KEYS, ONE, an_erasure

OTHER = "p" + "1" * 32 + ".account"
NEW, OLD = AT + timedelta(hours=1), AT - timedelta(hours=1)
THERE = KeptUnits(keys_id=OTHER, units=("u",))


def proved(**more: Any) -> KeptErasure:
    one = Proven(
        service="accounts",
        erased=1,
        kept=0,
        exempted=(),
        tombstones=0,
        looked_at=AT,
        digest="c" * 64,
        manifest="a" * 64,
    )
    said = {"step": "scanned", "services": ("accounts",), "evidence": (one,)}
    return an_erasure(**{**said, "keys": (KeptUnits(keys_id=KEYS),), **more})


def saw(known: KeptErasure, *found: KeptUnits, made: datetime = NEW, manifest: str = "a") -> Seen:
    order = late_round(known, "look", known.services)
    answer = AccountsEvidenceGiven(
        order=order.order,
        erasure=ONE,
        kind="look",
        service="accounts",
        outcome="found" if found else "nothing-found",
        keys_found=found,
        manifest=manifest * 64,
        looked_at=NEW,
        version=1,
    )
    units = {"u": Wrapped(epoch=1, key="AA==", made_at=made)}
    documents = {OTHER: KeptKeys(keys_id=OTHER, units=units, version=1)}
    return seen(known, order, {"accounts": answer}, documents, AT)


@pytest.mark.law("P3")
def test_nothing_found_by_the_build_that_proved_it_is_enough_and_another_build_proves_anew() -> (
    None
):
    assert saw(proved()) == Seen()
    assert saw(proved(), manifest="b") == Seen(services=("accounts",))
    before = proved().evidence[0].model_copy(update={"manifest": None})
    assert saw(proved(evidence=(before,))) == Seen(services=("accounts",))
    assert saw(proved(evidence=())) == Seen(services=("accounts",))  # added since


@pytest.mark.law("P3")
def test_what_is_under_the_erasure_s_keys_or_older_ones_is_late_and_under_newer_ones_anew() -> None:
    mine = KeptUnits(keys_id=KEYS, units=("u",))
    assert saw(proved(), mine) == Seen(services=("accounts",))
    assert saw(proved(), THERE, made=OLD) == Seen(("accounts",), (KeptUnits(keys_id=OTHER),))
    assert saw(proved(), THERE) == Seen(anew=True)
    assert saw(proved(), mine, THERE) == Seen(services=("accounts",), anew=True)
    gone = KeptUnits(keys_id=OTHER, units=("u", "of-nobody"))
    assert saw(proved(), gone).services == ("accounts",)


def test_what_is_kept_by_decision_or_is_another_record_of_a_due_clock_s_person_is_not_meant() -> (
    None
):
    exempt = {"cls": "account", "reason": "legal-claims", "review_at": NEW}
    assert saw(proved(exempt=(exempt,)), THERE, made=OLD) == Seen()
    record = (KeptUnits(keys_id=OTHER, units=("mine",)),)
    due = proved(cause="due-clock", rule="r", subjects=None, keys=record)
    assert saw(due, THERE, made=OLD) == Seen()
    assert saw(due, KeptUnits(keys_id=OTHER, units=("mine", "u"))) == Seen(services=("accounts",))
    assert saw(due, KeptUnits(keys_id=KEYS, units=("u",))) == Seen()
