"""Classes and purposes of personal data as data: the file, its check, and what is asked of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, PolicyError, Row, checked, read, unique

Basis = Literal["consent", "contract", "legal-obligation", "legitimate-interest"]
R = TypeVar("R", bound=Row)


class KeysRow(Row):
    """How long a key may be used without asking again; ISO 8601 durations."""

    usable: Duration
    skew: Duration
    stale_after: Annotated[Duration, Field(alias="stale-after")]


class EpochsRow(Row):
    """How often the keys' keys change, and how many epochs stand at once."""

    every: Duration
    alive: Annotated[int, Field(ge=2, le=10)]

    @property
    def backup_bound(self) -> timedelta:
        """How long a copy of the key documents may be of use to somebody."""
        return self.every * self.alive


class ClassRow(Row):
    """One retention class."""


class PurposeRow(Row):
    """One purpose, and the legal ground for it (GDPR 6)."""

    basis: Basis


class PersonalFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    keys: KeysRow
    epochs: EpochsRow
    classes: Annotated[list[ClassRow], Field(alias="class", min_length=1)]
    purposes: Annotated[list[PurposeRow], Field(alias="purpose", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("class", [row.id for row in self.classes])
        unique("purpose", [row.id for row in self.purposes])
        return self


@dataclass(frozen=True, slots=True)
class PersonalPolicy:
    """A checked file; ``sha`` is its SHA-256."""

    file: PersonalFile
    sha: str

    @property
    def version(self) -> str:
        """The version that decisions quote."""
        return self.file.version

    def class_of(self, name: str) -> ClassRow:
        """Return a retention class; raises ``PolicyError`` where there is none."""
        return _named(self.file.classes, name, "[[class]]", self.version)

    def purpose(self, name: str) -> PurposeRow:
        """Return a purpose; raises ``PolicyError`` where there is none."""
        return _named(self.file.purposes, name, "[[purpose]]", self.version)


def load_personal(path: Path) -> PersonalPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    text = read(path)
    return PersonalPolicy(checked(PersonalFile, text, str(path)), hashlib.sha256(text).hexdigest())


def _named(rows: Iterable[R], name: str, table: str, version: str) -> R:
    for row in rows:
        if row.id == name:
            return row
    raise PolicyError(f"policy {version} has no {table} row {name!r}; add one")
