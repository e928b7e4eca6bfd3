"""Erasure as data: who is asked, how long an erasure rests, and when it counts as late."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, Row, checked, read, unique

Rest = Annotated[timedelta, Field(strict=False, ge=timedelta(0))]


class RestRow(Row):
    """How long something rests; ISO 8601 duration, which may be nothing at all (PT0S)."""

    lasts: Rest


class PeriodRow(Row):
    """How long something may take; ISO 8601 duration."""

    lasts: Duration


class ReviewRow(Row):
    """Who looks at something again: an office, as the schedule names them."""

    review: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class ErasureFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    cooling_off: RestRow
    look_again: PeriodRow
    ask_again: PeriodRow
    overdue_after: PeriodRow
    processors_told: PeriodRow
    exempted: ReviewRow
    service: Annotated[list[Row], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("service", [row.id for row in self.service])
        return self


@dataclass(frozen=True, slots=True)
class ErasurePolicy:
    """A checked file; ``sha`` is its SHA-256."""

    file: ErasureFile
    sha: str

    @property
    def version(self) -> str:
        """The version that plans and certificates quote."""
        return self.file.version

    @property
    def services(self) -> tuple[str, ...]:
        """Who holds personal data and is asked, in the file's order: the manifest."""
        return tuple(row.id for row in self.file.service)


def load_erasure(path: Path) -> ErasurePolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    text = read(path)
    return ErasurePolicy(checked(ErasureFile, text, str(path)), hashlib.sha256(text).hexdigest())
