"""Jobs as operators see them."""

from datetime import UTC, datetime
from typing import Any

from services.distribution.products.emission import Job
from services.distribution.products.jobs import shown

AT = datetime(2026, 1, 1, tzinfo=UTC)


def stands(**more: Any) -> dict[str, Any]:
    return {
        "partition": 3,
        "kind": "prefix",
        "name": "10.5555",
        "state": "running",
        "total": 100,
        "left": 40,
        "done": 60,
        "rate": 20.0,
        "eta": 2.0,
        "began": AT,
        "at": AT,
        "replica": "one",
        **more,
    }


def test_a_job_says_its_rate_and_when_it_will_be_done() -> None:
    job = Job("prefix", "10.5555", AT, started=10.0, total=100, left=40, done=60)
    assert job.rate(13.0) == 20
    assert job.eta(13.0) == 2
    assert Job("prefix", "10.5555", AT, started=10.0, left=40).eta(13.0) is None


def test_what_is_left_is_the_sum_of_what_is_not_done() -> None:
    told = shown(
        [
            stands(),
            stands(partition=4, left=10, eta=9.0, state="waiting"),
            stands(partition=5, left=7, eta=None, state="superseded"),
            stands(partition=6, left=0, eta=None, state="done"),
        ]
    )
    assert (told.left, told.eta) == (50, 9.0)
    assert {one.partition for one in told.jobs} == {3, 4, 5, 6}


def test_nothing_to_do_is_nothing_left() -> None:
    told = shown([])
    assert (told.left, told.eta, told.jobs) == (0, None, [])
