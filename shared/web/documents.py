"""What all JSON documents of our own interfaces have in common: fields spelled with hyphens."""

from typing import Self

from pydantic import BaseModel, ConfigDict


def kebab(name: str) -> str:
    """Return a field's name as the wire spells it."""
    return name.replace("_", "-")


class Body(BaseModel):
    """What comes in: fields that are not named are refused, and no error repeats a value."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=kebab,
        validate_by_name=True,
        hide_input_in_errors=True,
    )


class Answer(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab, validate_by_name=True)

    @classmethod
    def like(cls, one: object) -> Self:
        """Show of something the fields that are named here, parts of it in the same way."""
        return cls.model_validate(one, from_attributes=True)
