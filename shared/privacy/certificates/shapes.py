"""Models that can hold nothing of a person: each field is a hash, an id, a count, a time or a word.

A field that could hold a free text is refused where its class is made, as a personal field without
a declaration is. Words come from lists that are written down beforehand, the policies' rows among
them: ``words`` returns what is to be compared with those.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

GREATEST: Final = 2**53 - 1  # RFC 8785: beyond it numbers are not exact


@dataclass(frozen=True, slots=True)
class Shape:
    """Marks a text whose form keeps people out of it, or a word that is looked up."""

    says: Literal["hash", "id", "word", "signature", "period", "checkpoint"]


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), Shape("hash")]
Id = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    Shape("id"),
]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,80}$"), Shape("word")]
Period = Annotated[
    str,
    Field(pattern=r"^P([0-9]{1,6}[YMWD]){0,4}(T([0-9]{1,6}[HMS]){1,3})?$"),
    Shape("period"),
]
Count = Annotated[int, Field(ge=0, le=GREATEST)]
Instant = AwareDatetime
T = TypeVar("T")
# A member that older certificates have not. Where it says nothing it is not written either: what
# was signed without it is the same text when it is read again.
Since = Annotated[T | None, Field(exclude_if=lambda value: value is None)]

_PLAIN: Final[tuple[Any, ...]] = (int, bool, type(None), AwareDatetime, Ellipsis)


class Impersonal(BaseModel):
    """What holds nothing of a person by its shape; frozen, and no error repeats a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Refuse a field that could hold a name."""
        for name, info in cls.model_fields.items():
            if not _marked(info) and not _impersonal(info.annotation):
                raise TypeError(
                    f"{cls.__name__}.{name} could hold something of a person; "
                    "make it a hash, an id, a count, a time or a word"
                )


def words(model: Impersonal) -> Iterator[str]:
    """Give every word of a model and of those within."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Impersonal):
                yield from words(one)
            elif isinstance(one, str) and "word" in _shapes(info):
                yield one


def _marked(info: FieldInfo) -> bool:
    return info.annotation is str and any(isinstance(one, Shape) for one in info.metadata)


def _shapes(info: FieldInfo) -> set[str]:
    marks = [*info.metadata, *_nested(info.annotation)]
    return {one.says for one in marks if isinstance(one, Shape)}


def _nested(annotation: Any) -> Iterator[Any]:
    """Give the marks within ``Word | None`` and ``tuple[Word, ...]``."""
    for inner in get_args(annotation):
        yield inner
        yield from _nested(inner)


def _impersonal(annotation: Any) -> bool:
    """Whether nothing of a person fits in a field of this type."""
    if annotation in _PLAIN or get_origin(annotation) is Literal:
        return True
    if isinstance(annotation, type) and issubclass(annotation, Impersonal):
        return True
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        kind, *marks = inner
        return any(isinstance(one, Shape) for one in marks) if kind is str else _impersonal(kind)
    return bool(inner) and all(_impersonal(one) for one in inner)
