"""What is personal is declared once, on the field; everything else follows from that.

``Name = Annotated[str, Personal("account", purposes=("account-admin",), source="self")]`` says in
which retention class the value is, what for, and where it comes from. Encryption at the border, the
register of what is held (DOAJ-2-0), a service's manifest, the access package, the leak scan and
test data all read these declarations; classes and purposes are rows of
deploy/policies/personal.toml.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

Source = Literal["self", "colleague", "applicant", "staff", "member", "system"]
KINDS: Final[dict[str, type["PersonalData"]]] = {}
_SCHEMA: Final = re.compile(r"[a-z]+\.[a-z-]+\.v[0-9]+")


@dataclass(frozen=True, slots=True)
class Personal:
    """How one field is personal.

    ``source`` is who gives it; ``portable`` data was given by the person and can be taken along
    (GDPR 20); ``free_text`` may name others; ``address`` has a blind index to be found by.
    """

    cls: str
    purposes: tuple[str, ...]
    source: Source = "self"
    portable: bool = False
    free_text: bool = False
    address: bool = False


@dataclass(frozen=True, slots=True)
class PersonalField:
    """One declared field: its schema, its place in it as a JSON pointer, and how it is personal."""

    schema: str
    pointer: str
    personal: Personal


class PersonalData(BaseModel):
    """Personal data of one person in one record, in clear: in memory only.

    ``class Details(PersonalData, schema="accounts.person-details.v1")``. Each field is declared
    ``Personal``, all in one retention class, for a record has one clock; what is not personal
    stands in the state beside it. Values are texts, absent ones None. No message of a failed
    validation repeats a value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    schema_id: ClassVar[str] = ""
    fields_: ClassVar[Mapping[str, Personal]] = {}

    def __init_subclass__(cls, *, schema: str = "", **kwargs: Any) -> None:
        """Take the schema's name."""
        super().__init_subclass__(**kwargs)
        cls.schema_id = schema

    @classmethod
    def __pydantic_init_subclass__(cls, *, schema: str = "", **_: Any) -> None:
        """Check the declarations and enter them in the register."""
        if _SCHEMA.fullmatch(schema) is None:
            raise TypeError(f"{cls.__name__} needs schema='<service>.<name>.v<n>'")
        cls.fields_ = dict(_declared(cls))
        if len({one.cls for one in cls.fields_.values()}) != 1:
            raise TypeError(f"{cls.__name__} holds fields of none or of several retention classes")
        if KINDS.setdefault(schema, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"two kinds of personal data are called {schema}")

    @classmethod
    def retention_class(cls) -> str:
        """Return the retention class of its records."""
        return next(iter(cls.fields_.values())).cls

    def texts(self) -> dict[str, str]:
        """Return the personal values that are there, by field."""
        return {name: text for name in self.fields_ if (text := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        """Show which fields are there, and no value."""
        return f"{type(self).__name__}({', '.join(self.texts())})"

    __str__ = __repr__


def declared(schema_prefix: str = "") -> list[PersonalField]:
    """Return every declared field of the schemas whose names begin so, in order."""
    return [
        PersonalField(schema, f"/{name}", personal)
        for schema, kind in sorted(KINDS.items())
        if schema.startswith(schema_prefix)
        for name, personal in kind.fields_.items()
    ]


def _declared(kind: type[BaseModel]) -> Iterator[tuple[str, Personal]]:
    for name, info in kind.model_fields.items():
        marks = [one for one in info.metadata if isinstance(one, Personal)]
        marks += list(_nested(info.annotation))
        if len(marks) != 1:
            raise TypeError(f"{kind.__name__}.{name} must be declared Personal, once")
        yield name, marks[0]


def _nested(annotation: Any) -> Iterator[Personal]:
    """Find the mark within ``Name | None``."""
    for inner in get_args(annotation):
        if isinstance(inner, Personal):
            yield inner
        else:
            yield from _nested(inner)
