"""Signing in as data: how long codes, tokens and sign-ins count, and how often may be tried."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, PolicyError, Row, checked, read, unique

LIMITS = (
    "codes-of-an-address",
    "asks-of-a-client",
    "codes-tried-by-a-client",
    "keys-of-a-person",
)
Limit = Literal[
    "codes-of-an-address", "asks-of-a-client", "codes-tried-by-a-client", "keys-of-a-person"
]


class LifeRow(Row):
    """How long something counts; ISO 8601 duration."""

    lives: Duration


class LimitRow(Row):
    """How often something may be, within which time."""

    most: Annotated[int, Field(gt=0)]
    within: Duration


class SigningInFile(BaseModel):
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
    sign_in_code: LifeRow
    confirmation_code: LifeRow
    invitation_code: LifeRow
    reservation: LifeRow
    token: LifeRow
    sign_in: LifeRow
    limit: list[LimitRow]
    scope: list[Row]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("limit", [row.id for row in self.limit])
        unique("scope", [row.id for row in self.scope])
        missing = set(LIMITS) - {row.id for row in self.limit}
        if missing:
            raise ValueError(f"no [[limit]] row for {', '.join(sorted(missing))}")
        if self.token.lives > self.sign_in.lives:
            raise ValueError("a token cannot outlive its sign-in")
        return self


@dataclass(frozen=True, slots=True)
class SigningInPolicy:
    """A checked file."""

    file: SigningInFile

    @property
    def scopes(self) -> frozenset[str]:
        """What an API key can be good for."""
        return frozenset(row.id for row in self.file.scope)

    def limit(self, name: Limit) -> LimitRow:
        """Return a limit."""
        for row in self.file.limit:
            if row.id == name:
                return row
        raise PolicyError(f"policy {self.file.version} has no [[limit]] row {name!r}; add one")


def load_signing_in(path: Path) -> SigningInPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return SigningInPolicy(checked(SigningInFile, read(path), str(path)))
