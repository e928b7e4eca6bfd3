"""Access packages: asked for, made, fetched once, gone. Pure.

A package is of one person and holds everything that is held of them and nothing of another (P8). It
lies sealed under a key of its own, and it is over when that key is destroyed: once it was fetched,
or when its time is up (DOAJ-9a2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import KeptUnits
from shared.events.personal import Pseudonym, Sealed

Step = Literal["looking", "making", "ready", "going", "gone"]
Why = Literal["fetched", "expired", "taken-back"]
Slug = Literal["package-unknown", "package-not-ready", "package-gone"]

# From which step each verb leads where; docs/privacy.md draws it.
TRANSITIONS: Final[Mapping[str, Mapping[Step, Step]]] = {
    "answered": {"looking": "making"},
    "made": {"making": "ready"},
    "ended": {"looking": "going", "making": "going", "ready": "going"},
    "forgotten": {"going": "gone"},
}


class KeptPackage(State):
    """A package's document.

    ``person`` is a pseudonym of its own, under whose key it lies; ``code`` the hash of what opens
    it; ``found`` whose keys every service named, ``asked`` who was to answer.
    """

    package: str
    request: str
    person: Pseudonym
    code: str
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
    version: Version = 1

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do before somebody fetches it or its time is up."""
        return self.step == "gone"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no."""

    slug: Slug


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


def over(known: KeptPackage, now: datetime) -> bool:
    """Say whether its time is up."""
    return known.until is not None and known.until <= now
