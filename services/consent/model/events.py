"""From a kept state to the event that says its public part."""

from typing import TypeVar

from pydantic import BaseModel

from shared.events import Event

E = TypeVar("E", bound=Event)


def saying(event: type[E], state: BaseModel) -> E:
    """Make an event of the fields it promises."""
    return event.model_validate({name: getattr(state, name) for name in event.model_fields})
