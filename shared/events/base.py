"""The base of every event and the identifier types they share."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

REGISTRY: Final[dict[str, type["Event"]]] = {}

Doi = Annotated[
    str,
    Field(
        pattern=r"^10\.[0-9]{4,9}/.+$",
        max_length=2048,
        description="A DOI, lower-cased: DOIs compare without case (ISO 26324).",
        examples=["10.5555/12345678"],
    ),
]
Prefix = Annotated[
    str,
    Field(pattern=r"^10\.[0-9]{4,9}$", description="A DOI prefix.", examples=["10.5555"]),
]
OrganisationId = Annotated[
    int, Field(gt=0, lt=2**53, description="The organisation's number.", examples=[78])
]
Version = Annotated[int, Field(ge=1, description="Grows by one with each change of the aggregate.")]
Setting = Literal["closed", "limited", "open"]
Instant = AwareDatetime

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class State(BaseModel):
    """The whole state of an aggregate as its events carry it; frozen, and strict when written."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(BaseModel):
    """One thing that happened. Subclasses name their topic and the field that is the key.

    ``class WorkRegistered(WorkState, Event, topic="deposits.works.v1", key="doi")`` declares the
    type ``deposits.work-registered.v1`` and enters it in the registry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: ClassVar[str] = ""
    key_field: ClassVar[str] = ""
    type: ClassVar[str] = ""

    def __init_subclass__(cls, *, topic: str = "", key: str = "", **kwargs: Any) -> None:
        """Enter a declared event in the registry; a second class of the same type is refused."""
        super().__init_subclass__(**kwargs)
        if not topic:
            return
        service = topic.split(".", 1)[0]
        cls.topic = topic
        cls.key_field = key
        cls.type = f"{service}.{_WORD.sub('-', cls.__name__).lower()}.v1"
        if cls.type in REGISTRY:
            raise TypeError(f"two events are called {cls.type}")
        REGISTRY[cls.type] = cls

    @property
    def key(self) -> str:
        """The record key: all events of one aggregate share it, and so keep their order."""
        return str(getattr(self, self.key_field))

    @classmethod
    def __pydantic_init_subclass__(cls, **_declaration: Any) -> None:
        """Take the declaration's keywords, which are not pydantic settings."""

    @property
    def aggregate_version(self) -> int | None:
        """The version of the aggregate after this event; None for mere observations."""
        return getattr(self, "version", None)
