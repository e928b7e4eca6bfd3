"""Refusals and passing faults as problems, the same way in every service.

A service has one table of what each slug means: its status and its title.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from shared.events.decisions import Refused
from shared.privacy.keyring import FencedError
from shared.runtime.faults import Busy, Transient
from shared.web.problems import Error, Problem

T = TypeVar("T")
Faults = Mapping[type[Exception], Callable[[Exception], Problem]]
RETRY_SECONDS: Final = 2
UNAVAILABLE: Final = 503


class Sayable(Protocol):
    """A decided no: ``rule`` is the clause or the rule's name, ``places`` are JSON pointers."""

    @property
    def slug(self) -> str:
        """What it is called, for ever."""
        ...

    @property
    def detail(self) -> str:
        """What there is to say beside the title."""
        ...

    @property
    def rule(self) -> str:
        """The clause or rule that says so; none: the slug."""
        ...

    @property
    def places(self) -> tuple[str, ...]:
        """Where it is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Alike:
    """What every service says in the same words."""

    status: int
    slug: str
    title: str
    detail: str
    rule: str

    def problem(self) -> Problem:
        """Render it."""
        return Problem(self.status, self.slug, self.title, self.detail, rule=self.rule)


RESTRICTED: Final = Alike(
    409,
    "details-restricted",
    "A hold keeps these data from being used, changed or deleted",
    "Nothing was erased, and nothing was changed. The person has all of it, and the day on which "
    "the hold is reviewed, by a request for access; whoever handles such requests can say more.",
    "DOAJ-6a4",
)
ALIKE: Final = {RESTRICTED.slug: RESTRICTED}


@dataclass(frozen=True, slots=True)
class Refusals:
    """What each slug of a service means: status and title."""

    kinds: Mapping[Any, tuple[int, str]]

    def problem(self, refusal: Sayable) -> Problem:
        """Render a refusal."""
        if (alike := ALIKE.get(refusal.slug)) is not None:
            return alike.problem()
        status, title = self.kinds[refusal.slug]
        rule = refusal.rule or refusal.slug
        return Problem(
            status,
            refusal.slug,
            title,
            refusal.detail,
            errors=[Error(place, rule) for place in refusal.places],
            rule=rule,
            headers=_retry() if status == UNAVAILABLE else {},
        )

    def agreed(self, decided: T | Refused[Any]) -> T:
        """Return what was decided, or raise the refusal as a problem."""
        if isinstance(decided, Refused):
            raise self.problem(decided.reason)
        return decided


def fenced(gone: Callable[[], Problem]) -> Callable[[Exception], Problem]:
    """Return what is said of keys that may not be used: ``gone``, or that a hold restricts them."""

    def said(fault: Exception) -> Problem:
        held = isinstance(fault, FencedError) and fault.why == "restricted"
        return RESTRICTED.problem() if held else gone()

    return said


def later(slug: str, title: str) -> Problem:
    """Return what is said where something does not answer for now."""
    return Problem(
        UNAVAILABLE, slug, title, "Nothing is lost; ask again shortly.", headers=_retry()
    )


def _retry() -> dict[str, str]:
    return {"Retry-After": str(RETRY_SECONDS)}


PASSING: Final[Faults] = {
    Transient: lambda _fault: later("store-away", "The store does not answer at the moment"),
    Busy: lambda _fault: later("broker-away", "Too many changes of this record are waiting"),
}
