"""The base of every document."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from services.consent.api.bodies import kebab


class Answer(BaseModel):
    """A document whose fields are spelled with hyphens."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab, validate_by_name=True)

    @classmethod
    def like(cls, one: object) -> Self:
        """Show of something the fields that are named here, parts of it in the same way."""
        return cls.model_validate(one, from_attributes=True)
