"""P4: a hold prevents destruction, whoever else fences, destroys and takes back meanwhile.

Two holds and two erasures have their steps in any order on one key document, as often as they like.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from services.retention.model.holds import gone
from shared.events.decisions import Accepted, Refused
from shared.privacy import lifecycle
from shared.privacy.lifecycle import KeptKeys, Wrapped

pytestmark = [pytest.mark.law("P4"), pytest.mark.clause("DOAJ-6a4")]
KEYS: Final = "p5d41402abc4b2a76b9719d911017c592.account"
BEGIN: Final = datetime(2026, 11, 22, tzinfo=UTC)
AFTER: Final = timedelta(minutes=1)
UNITS: Final = ("u1", "u2")
Step = Callable[[KeptKeys, datetime], Any]

STEPS: Final[dict[str, Step]] = {
    **{f"hold {h}": partial(lambda known, _at, h: lifecycle.restrict(known, h), h=h) for h in "ab"},
    **{f"free {h}": partial(lambda known, _at, h: lifecycle.release(known, h), h=h) for h in "ab"},
    **{
        f"fence {e}": partial(lambda known, at, e: lifecycle.fence(known, KEYS, e, at=at), e=e)
        for e in ("e1", "e2")
    },
    **{
        f"back {e}": partial(lambda known, _at, e: lifecycle.take_back(known, e), e=e)
        for e in ("e1", "e2")
    },
    "confirm": lambda known, at: lifecycle.confirm(known, at=at),
    "destroy": lambda known, at: lifecycle.destroy(known, at=at, after=AFTER),
    **{
        f"{verb} {unit}": partial(
            lambda known, at, verb, unit: {
                "fence": partial(lifecycle.fence_unit, unit=unit, at=at),
                "confirm": partial(lifecycle.confirm, unit=unit, at=at),
                "destroy": partial(lifecycle.destroy_unit, unit=unit, at=at, after=AFTER),
            }[verb](known),
            verb=verb,
            unit=unit,
        )
        for verb in ("fence", "confirm", "destroy")
        for unit in UNITS
    },
}


def lost(known: KeptKeys) -> set[str]:
    """Return what is destroyed: units, or all."""
    if known.fence == "destroyed":
        return {"", *UNITS}
    return {one.unit for one in known.gone if one.destroyed_at is not None}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 120)), max_size=25))
def test_nothing_is_destroyed_while_a_hold_stands_and_a_refused_hold_says_what_was_first(
    steps: list[tuple[str, int]],
) -> None:
    key = Wrapped(epoch=1, key="", made_at=BEGIN)
    known = KeptKeys(keys_id=KEYS, units=dict.fromkeys(UNITS, key), version=1)
    at = BEGIN
    for name, seconds in steps:
        at += timedelta(seconds=seconds)
        said = gone(known, ())
        done = STEPS[name](known, at)
        if name.startswith("hold"):
            # Who was first is said by whoever is refused: a fence with its erasure, or its end.
            assert isinstance(done, Refused) == (said is not None), (name, known)
            if said is not None:
                assert said.outcome == known.fence
                assert said.at is not None
                assert said.cause == known.cause
        if not isinstance(done, Accepted):
            continue
        note((name, done.state))
        if lost(done.state) > lost(known):
            assert not known.holds
        if done.state.fence in ("fenced", "destroyed"):
            assert not done.state.holds
        known = done.state
