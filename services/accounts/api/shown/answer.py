"""What all documents of accounts have in common."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.accounts.api.bodies import kebab

Status = Literal["effective", "pending"]


class Answer(BaseModel):
    """A document whose fields are spelled with hyphens."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab, validate_by_name=True)


def status(*, pending: bool) -> Status:
    """Return the word for whether readers have been told."""
    return "pending" if pending else "effective"
