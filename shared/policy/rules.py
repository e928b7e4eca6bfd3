"""The references policy as data: its rows, their check at start, and the tables made of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.events import Setting
from shared.policy.files import Duration, PolicyError, Row, checked, read, unique
from shared.policy.sources import SourcesPolicy, load_sources

Audience = Literal["public", "plus", "owner"]
ReaderKind = Literal["anyone", "subscriber", "owner", "operator"]
Choice = Literal["own", "account"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
KINDS: tuple[ReaderKind, ...] = get_args(ReaderKind)


class WithheldRow(Row):
    """Which parts of a work go when its references are withheld; dots lead into objects."""

    fields: Annotated[list[str], Field(min_length=1)]


class KnowledgeRow(Row):
    """How old knowledge of permissions may be before it no longer counts; ISO 8601 duration."""

    stale_after: Annotated[Duration, Field(alias="stale-after")]


class ChoiceRow(Row):
    """A choice that counts from ``since`` on, in the order of the file."""

    choice: Choice


class DefaultRow(Row):
    """The setting where no choice counts, from ``since`` until the next default."""

    setting: Setting


class ReaderRow(Row):
    """As which audience a kind of reader reads."""

    reader: ReaderKind
    audience: Audience


class OutletRow(Row):
    """Which settings each audience sees at one outlet; ``id`` is the outlet's name."""

    public: list[Setting]
    plus: list[Setting]
    owner: list[Setting]
    owner_of: Literal["work", "cited-work"] = Field(default="work", alias="owner-of")


class PolicyFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    withheld: WithheldRow
    knowledge: KnowledgeRow
    choice: Annotated[list[ChoiceRow], Field(min_length=1)]
    default: Annotated[list[DefaultRow], Field(min_length=1)]
    reader: list[ReaderRow]
    outlet: Annotated[list[OutletRow], Field(min_length=1)]

    def rows(self) -> tuple[Row, ...]:
        """Return every row, in the file's order."""
        return (
            self.withheld,
            self.knowledge,
            *self.choice,
            *self.default,
            *self.reader,
            *self.outlet,
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("id", [row.id for row in self.rows()])
        unique("choice", [row.choice for row in self.choice])
        unique("since of a default", [row.since for row in self.default])
        unique("reader", [row.reader for row in self.reader])
        missing = set(KINDS) - {row.reader for row in self.reader}
        if missing:
            raise ValueError(f"no [[reader]] row for {', '.join(sorted(missing))}")
        if min(row.since for row in self.default) != date.min:
            raise ValueError("one [[default]] row must have since = 0001-01-01, the beginning")
        for row in (self.withheld, self.knowledge, *self.reader, *self.outlet):
            # These rows are obeyed as soon as the file is read, so none may speak of the future.
            if row.since > self.published:
                raise ValueError(f"rule {row.id!r} begins after the file was published")
        for outlet in self.outlet:
            _ordered(outlet)
        return self


@dataclass(frozen=True, slots=True)
class Shown:
    """What each kind of reader sees at one outlet."""

    anyone: frozenset[Setting]
    subscriber: frozenset[Setting]
    owner: frozenset[Setting]
    operator: frozenset[Setting]


@dataclass(frozen=True, slots=True)
class ReferencesPolicy:
    """A checked policy and the table the question looks up; ``sha`` is the file's SHA-256.

    ``sources`` are the terms of third parties, where works are delivered under it.
    """

    file: PolicyFile
    sha: str
    shown: Mapping[str, Shown]
    sources: SourcesPolicy | None = None

    @property
    def version(self) -> str:
        """The version that recorded preferences quote."""
        return self.file.version

    @property
    def judged(self) -> str:
        """The versions of all that a delivery is judged under."""
        return f"{self.version}, sources {self.sources.version}" if self.sources else self.version

    @property
    def terms(self) -> str:
        """What binds deliveries of third parties' data, as one word; empty where nothing does."""
        return self.sources.binding if self.sources else ""

    @property
    def outlets(self) -> tuple[str, ...]:
        """The names of the outlets that have a row."""
        return tuple(self.shown)

    @property
    def stale_after(self) -> timedelta:
        """The age at which knowledge of permissions no longer counts."""
        return self.file.knowledge.stale_after

    @property
    def withheld_fields(self) -> tuple[str, ...]:
        """What is taken out of a work whose references are withheld."""
        return tuple(self.file.withheld.fields)

    def require(self, *outlets: str) -> None:
        """Check at start that each outlet a service serves has a row; else ``PolicyError``."""
        missing = sorted(set(outlets) - set(self.shown))
        if missing:
            raise PolicyError(
                f"policy {self.version} has no row for {', '.join(missing)}; add an [[outlet]] row"
            )

    def at(self, outlet: str) -> Shown:
        """Return who sees what at ``outlet``; raises ``PolicyError`` where it has no row."""
        try:
            return self.shown[outlet]
        except KeyError:
            raise PolicyError(f"policy {self.version} has no row for outlet {outlet!r}") from None


def _ordered(row: OutletRow) -> None:
    for audience in AUDIENCES:
        unique(f"setting for {audience} of {row.id}", getattr(row, audience))
    if not set(row.public) <= set(row.plus) and row.plus:
        raise ValueError(f"outlet {row.id!r} shows the public what it hides from plus")


def parse(text: bytes, name: str = "references.toml") -> ReferencesPolicy:
    """Read and check a policy file's bytes; raises ``PolicyError`` naming the place and remedy."""
    file = checked(PolicyFile, text, name)
    audience = {row.reader: row.audience for row in file.reader}
    shown = {
        row.id: Shown(**{kind: frozenset(getattr(row, audience[kind])) for kind in KINDS})
        for row in file.outlet
    }
    return ReferencesPolicy(file, hashlib.sha256(text).hexdigest(), MappingProxyType(shown))


def load(path: Path) -> ReferencesPolicy:
    """Read and check the policy file at ``path``; raises ``PolicyError``."""
    return parse(read(path), str(path))


def load_delivery(folder: Path) -> ReferencesPolicy:
    """Read what deliveries of metadata are judged under: references, and sources' terms.

    Raises ``PolicyError``.
    """
    return replace(load(folder / "references.toml"), sources=load_sources(folder / "sources.toml"))
