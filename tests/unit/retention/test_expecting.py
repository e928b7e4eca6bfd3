"""Expected times of an erasure's levels: by policies, from what was reached on."""

from datetime import timedelta
from typing import Any

from services.retention.model.erasure_plans import plan_of
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.expecting import Bounds, Expected, expected
from shared.events.orders import KeptUnits
from tests.unit.retention.test_erasures import AT, KEYS, an_erasure

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
BOUNDS = Bounds(cooling_off=3 * DAY, effect=31 * SECOND, compaction=12 * MINUTE, epochs=DAY)


def planned(**more: Any) -> KeptErasure:
    plan, sha = plan_of(an_erasure(), {}, (), {})
    said = {"step": "planned", "plan": plan, "plan_sha": sha, "keys": (KeptUnits(keys_id=KEYS),)}
    return an_erasure(**{**said, **more})


def test_of_a_plan_the_levels_are_expected_as_if_it_were_approved_now() -> None:
    begins = AT + 3 * DAY
    unreadable = begins + 31 * SECOND
    assert expected(planned(), BOUNDS, AT) == Expected(
        begins, begins, unreadable, unreadable + 12 * MINUTE, unreadable + DAY
    )
    assert expected(planned(keys=()), BOUNDS, AT).irrecoverable == unreadable
    assert expected(an_erasure(), BOUNDS, AT) == Expected()
    assert expected(planned(step="refused"), BOUNDS, AT) == Expected()


def test_what_was_reached_is_expected_no_more_and_the_rest_counts_from_it() -> None:
    times = {"looking": AT, "fenced": AT, "destroyed": AT + MINUTE}
    known = planned(step="ordered", times=times, unreadable_at=AT + MINUTE, rests_until=AT)
    said = expected(known, BOUNDS, AT + 2 * MINUTE)
    assert (said.begins, said.fenced, said.unreadable) == (AT, None, None)
    assert (said.gone, said.irrecoverable) == (AT + 13 * MINUTE, AT + MINUTE + DAY)
    late = expected(known, BOUNDS, AT + 2 * DAY)
    assert late.gone == late.irrecoverable == AT + 2 * DAY  # nothing is expected in the past
