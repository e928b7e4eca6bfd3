"""Harvesting as data: which verbs and formats of OAI-PMH are for whom (CRR-15, CRP-12a).

It says who may ask for records at all; what a record shows of its references is the question of
``references_visible``. Fails closed: a verb or format without a row is nobody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Row, checked, read, unique
from shared.policy.references import Reader
from shared.policy.rules import ReaderKind

Reach = Literal["all", "own"]
"""Which records a reader may ask for: every one, or those that it owns."""


class ReachRow(Row):
    """Which kinds of readers reach all records, and which their own."""

    all: list[ReaderKind]
    own: list[ReaderKind]


class VerbRow(ReachRow):
    """Who may use some verbs."""

    verbs: Annotated[list[str], Field(min_length=1)]


class FormatRow(ReachRow):
    """Who may have records in some formats."""

    formats: Annotated[list[str], Field(min_length=1)]


class HarvestingFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    verb: list[VerbRow]
    format: list[FormatRow]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("id", [row.id for row in (*self.verb, *self.format)])
        unique("verb", [verb for row in self.verb for verb in row.verbs])
        unique("format", [one for row in self.format for one in row.formats])
        for row in (*self.verb, *self.format):
            if row.since > self.published:
                raise ValueError(f"rule {row.id!r} begins after the file was published")
        return self


R = TypeVar("R", bound=ReachRow)


@dataclass(frozen=True, slots=True)
class HarvestingPolicy:
    """A checked file."""

    file: HarvestingFile

    def verbs(self) -> frozenset[str]:
        """Return the verbs that somebody may use."""
        return frozenset(verb for row in self.file.verb for verb in row.verbs)

    def formats(self) -> frozenset[str]:
        """Return the formats that somebody may have."""
        return frozenset(one for row in self.file.format for one in row.formats)

    def reach(self, reader: Reader, verb: str, metadata_format: str | None = None) -> Reach | None:
        """Return which records a reader may ask for so, None where it may not ask. Pure."""
        rows: list[ReachRow | None] = [_first(row for row in self.file.verb if verb in row.verbs)]
        if metadata_format is not None:
            rows.append(_first(row for row in self.file.format if metadata_format in row.formats))
        reached = [_reached(row, reader) for row in rows]
        if None in reached:
            return None
        return "own" if "own" in reached else "all"


def load_harvesting(path: Path) -> HarvestingPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    return HarvestingPolicy(checked(HarvestingFile, read(path), str(path)))


def _first(rows: Iterable[R]) -> R | None:
    return next(iter(rows), None)


def _reached(row: ReachRow | None, reader: Reader) -> Reach | None:
    if row is None:
        return None
    kinds = _kinds(reader)
    if kinds & set(row.all):
        return "all"
    return "own" if kinds & set(row.own) else None


def _kinds(reader: Reader) -> set[ReaderKind]:
    is_one: dict[ReaderKind, bool] = {
        "anyone": True,
        "subscriber": reader.plus,
        "owner": reader.organisation is not None,
        "operator": reader.operator,
    }
    return {kind for kind, holds in is_one.items() if holds}
