"""Faults as problems: what failed for now is said so, and when to ask again."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.runtime.faults import Busy, Transient
from shared.web import Problem

RETRY_SECONDS: Final = 2


def _later(slug: str, title: str) -> Problem:
    return Problem(
        503,
        slug,
        title,
        "Nothing is lost; ask again shortly.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


FAULTS: Final[Mapping[type[Exception], Callable[[Exception], Problem]]] = {
    Transient: lambda _fault: _later("store-away", "The store does not answer at the moment"),
    Busy: lambda _fault: _later("broker-away", "Too many changes of this record are waiting"),
}
