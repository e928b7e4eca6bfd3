"""The base of every document."""

from pydantic import BaseModel, ConfigDict

from services.consent.api.bodies import kebab


class Answer(BaseModel):
    """A document whose fields are spelled with hyphens."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab, validate_by_name=True)
