"""Access packages: asked for, made, fetched once, gone. Pure.

A package is of one person and holds everything that is held of them and nothing of another (P8). It
lies sealed under a key of its own, and it is over when that key is destroyed: once it was fetched,
or when its time is up (DOAJ-9a2). One download at a time has it, by a lease whose mark fences off
whoever had it before; what was broken off is begun again, what was fetched whole is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import KeptUnits, OrderState
from shared.events.personal import Pseudonym, Sealed
from shared.policy.requests import Scope

Step = Literal["looking", "making", "ready", "going", "gone"]
Why = Literal["fetched", "expired", "taken-back"]
Slug = Literal["package-unknown", "package-not-ready", "package-gone", "package-in-use"]

# From which step each verb leads where; docs/privacy.md draws it.
TRANSITIONS: Final[Mapping[str, Mapping[Step, Step]]] = {
    "answered": {"looking": "making"},
    "made": {"making": "ready"},
    "ended": {"looking": "going", "making": "going", "ready": "going"},
    "forgotten": {"going": "gone"},
}


class Download(State):
    """Who has a package in hand: ``mark`` grows with each, and ``until`` nobody else may begin."""

    mark: Version
    until: Instant


class KeptPackage(State):
    """A package's document; of everything that is held, or of what can be taken along (``scope``).

    ``person`` is a pseudonym of its own, under whose key it lies; ``code`` the hash of what opens
    it; ``found`` whose keys every service named, ``asked`` who was to answer.
    """

    package: str
    request: str
    person: Pseudonym
    code: str
    scope: Scope = "everything"
    step: Step = "looking"
    subjects: Sealed | None
    order: str
    asked: tuple[str, ...]
    found: tuple[KeptUnits, ...] = ()
    processors: tuple[str, ...] = ()
    times: Mapping[Step, Instant]
    until: Instant | None = None
    chunks: int = 0
    octets: int = 0
    sha256: str | None = None
    why: Why | None = None
    download: Download | None = None
    version: Version = 1

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do before somebody fetches it or its time is up."""
        return self.step == "gone"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no; ``until`` is when whoever has the package in hand has it no more."""

    slug: Slug
    until: Instant | None = None


Decided = Accepted[KeptPackage] | Unchanged[KeptPackage] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("package-unknown"))


def ask(known: KeptPackage | None, new: KeptPackage) -> Decided:
    """Ask for a package, once for its request."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def move(known: KeptPackage | None, verb: str, *, at: datetime, **changes: object) -> Decided:
    """Take a step, where the table has it; taken already, it changes nothing."""
    if known is None:
        return UNKNOWN
    steps = TRANSITIONS[verb]
    to = steps.get(known.step)
    if to is None:
        if known.step in steps.values():
            return Unchanged(known)
        return Refused(Refusal("package-gone" if known.step == "gone" else "package-not-ready"))
    times = {**known.times, to: at}
    said = {**changes, "step": to, "times": times, "version": known.version + 1}
    return Accepted(known.model_copy(update=said), ())


def claim(known: KeptPackage | None, *, at: datetime, until: datetime) -> Decided:
    """Give a package to one download, where nobody has it in hand."""
    closed = unopened(known, at)
    if known is None or closed is not None:
        return closed or UNKNOWN
    last = known.download
    if last is not None and last.until > at:
        return Refused(Refusal("package-in-use", last.until))
    return _held(known, Download(mark=last.mark + 1 if last else 1, until=until))


def renew(known: KeptPackage | None, mark: int, *, at: datetime, until: datetime) -> Decided:
    """Go on with a download that nobody overtook."""
    closed = unopened(known, at)
    if known is None or closed is not None:
        return closed or UNKNOWN
    if known.download is None or known.download.mark != mark:
        return Refused(Refusal("package-in-use"))
    return _held(known, Download(mark=mark, until=until))


def release(known: KeptPackage | None, mark: int, *, at: datetime) -> Decided:
    """Break a download off: another may begin at once. Of one that is over it changes nothing."""
    if known is None:
        return UNKNOWN
    if known.step != "ready" or known.download is None or known.download.mark != mark:
        return Unchanged(known)
    return _held(known, Download(mark=mark, until=at))


def finish(known: KeptPackage | None, mark: int, *, at: datetime) -> Decided:
    """End a package that a download took whole; one that was overtaken ends nothing."""
    if known is not None and (known.download is None or known.download.mark != mark):
        return Refused(Refusal("package-in-use"))
    return move(known, "ended", at=at, why="fetched")


def unopened(known: KeptPackage | None, at: datetime) -> Refused[Refusal] | None:
    """Return why a package cannot be fetched at all, None where it can."""
    if known is None:
        return UNKNOWN
    if known.step in ("going", "gone") or over(known, at):
        return Refused(Refusal("package-gone"))
    return None if known.step == "ready" else Refused(Refusal("package-not-ready"))


def _held(known: KeptPackage, download: Download) -> Decided:
    said = {"download": download, "version": known.version + 1}
    return Accepted(known.model_copy(update=said), ())


def over(known: KeptPackage, now: datetime) -> bool:
    """Say whether its time is up."""
    return known.until is not None and known.until <= now


def order_of(known: KeptPackage, at: datetime) -> OrderState:
    """Return the order by which every service says what it holds."""
    return OrderState(
        order=known.order,
        erasure=known.package,
        kind="look",
        services=known.asked,
        subjects=known.subjects,
        tells=True,
        given_at=at,
        version=1,
    )
