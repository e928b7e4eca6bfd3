"""A package is with one download at a time, and over with the first that took it whole."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.model import packages
from services.retention.model.packages import KeptPackage, Refusal
from shared.events.decisions import Accepted, Refused, Unchanged

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
LEASE: Final = timedelta(minutes=2)
READY: Final = KeptPackage(
    package="one",
    request="one",
    person="p" + "0" * 32,
    code="",
    step="ready",
    subjects=None,
    order="o",
    asked=(),
    times={"ready": AT},
    until=AT + timedelta(days=7),
)
STEPS: Final = st.tuples(
    st.sampled_from(["claim", "renew", "release", "finish"]),
    st.integers(0, 3),  # which of the downloads so far
    st.integers(0, 180),  # seconds that passed before
)


def after(known: KeptPackage, decided: packages.Decided) -> tuple[KeptPackage, bool]:
    match decided:
        case Accepted(state) | Unchanged(state):
            return state, True
        case _:
            return known, False


@pytest.mark.clause("DOAJ-9a2")
@given(st.lists(STEPS, max_size=30))
def test_however_downloads_meet_one_alone_has_the_package_and_one_alone_ends_it(
    steps: list[tuple[str, int, int]],
) -> None:
    known, at, marks, ended = READY, AT, list[int](), 0
    leases: dict[int, datetime] = {}
    for verb, which, seconds in steps:
        at += timedelta(seconds=seconds)
        if verb == "claim":
            known, done = after(known, packages.claim(known, at=at, until=at + LEASE))
            if done:
                assert known.download is not None
                marks.append(known.download.mark)
                leases[marks[-1]] = at + LEASE
        elif marks:
            mark = marks[which % len(marks)]
            verbs: dict[str, Any] = {
                "renew": partial(packages.renew, until=at + LEASE),
                "release": packages.release,
                "finish": packages.finish,
            }
            before = known.step
            known, done = after(known, verbs[verb](known, mark, at=at))
            if verb == "renew" and done:
                leases[mark] = at + LEASE
            elif verb != "renew":
                leases.pop(mark, None)
            if known.step != before:
                ended += 1
                assert mark == marks[-1]
        assert len([one for one, until in leases.items() if until > at]) <= 1
        assert marks == sorted(set(marks))
    assert ended <= 1


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"step": "making"}, "package-not-ready"),
        ({"step": "going"}, "package-gone"),
        ({"step": "gone"}, "package-gone"),
        ({"until": AT}, "package-gone"),
    ],
)
def test_what_is_not_ready_or_over_is_claimed_by_nobody(changes: Any, slug: Any) -> None:
    known = READY.model_copy(update=changes)
    assert packages.claim(known, at=AT, until=AT + LEASE) == Refused(Refusal(slug))
    assert packages.claim(None, at=AT, until=AT + LEASE) == packages.UNKNOWN


def test_a_download_whose_package_ended_meanwhile_goes_on_no_more() -> None:
    held, _ = after(READY, packages.claim(READY, at=AT, until=AT + LEASE))
    over, _ = after(held, packages.move(held, "ended", at=AT, why="expired"))
    assert packages.renew(over, 1, at=AT, until=AT + LEASE) == Refused(Refusal("package-gone"))
    assert packages.release(over, 1, at=AT) == Unchanged(over)
