"""What a decision may be: yes with a new state, yes already, or no; pure, so no store is needed."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.events.base import Event

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Accepted(Generic[S]):
    """The decision is yes: ``state`` is the new state and ``events`` say what happened."""

    state: S
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Unchanged(Generic[S]):
    """The decision is yes and it is so already: nothing is written."""

    state: S


@dataclass(frozen=True, slots=True)
class Refused(Generic[R]):
    """The decision is no; ``reason`` is the service's own refusal."""

    reason: R
