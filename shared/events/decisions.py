"""What a decision may be: yes with a new state, yes already, or no; pure, so no store is needed."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from shared.events.base import Event

S = TypeVar("S")
R = TypeVar("R")
E = TypeVar("E", bound=Event)


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


def saying(event: type[E], state: BaseModel) -> E:
    """Make the event that says a kept state's public part: the fields it promises."""
    return event.model_validate({name: getattr(state, name) for name in event.model_fields})
