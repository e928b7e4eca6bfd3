"""The retention schedule as data: kinds of records, what keeps them, which clocks run on them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import PolicyError, Row, checked, read, unique
from shared.policy.periods import CalendarPeriod

Action = Literal["delete", "report", "review"]
Falls = Literal["end-of-day", "same-time"]
Moved = Literal["working-day-before", "working-day-after"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Words = Annotated[list[Word], Field(min_length=1)]
R = TypeVar("R", bound="KeepRow | RuleRow")


class DaysRow(Row):
    """Days that are no working days."""

    weekend: Annotated[list[Weekday], Field(max_length=6)]
    holidays: list[date]

    @model_validator(mode="after")
    def _once(self) -> Self:
        unique("weekend", list(self.weekend))
        unique("holiday", list(self.holidays))
        return self


class LimitsRow(Row):
    """How a change of the schedule comes into force, and how much may be ordered at once.

    ``share``: of all records, how many a change may make due at once before it needs
    ``approvers_above`` people rather than ``approvers``; nobody approves their own. ``burst``: the
    most deletions that are begun in one tick.
    """

    share: Annotated[float, Field(ge=0, le=1)]
    approvers: Annotated[int, Field(ge=1, le=5)]
    approvers_above: Annotated[int, Field(alias="approvers-above", ge=1, le=5)]
    preview_good_for: Annotated[CalendarPeriod, Field(alias="preview-good-for")]
    burst: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _stricter(self) -> Self:
        if self.approvers_above <= self.approvers:
            raise ValueError("approvers-above is more than approvers, or the share says nothing")
        return self


class HoldRow(Row):
    """A reason for which records are held: who must agree, and how soon it is looked at again."""

    approvers: Annotated[int, Field(ge=0, le=5)]
    review_within: Annotated[CalendarPeriod, Field(alias="review-within")]


class KindRow(Row):
    """A kind of record, and the facts of its life that rows below may speak of."""

    facts: Words


class OfRow(Row):
    """A row about one kind of record."""

    of: Word

    @property
    def named(self) -> tuple[str, ...]:
        """Every fact that the row speaks of."""
        raise NotImplementedError


class KeepRow(OfRow):
    """What may not happen to a record from one fact until another."""

    begins: Annotated[Words, Field(alias="from")]
    until: Words
    stops: Annotated[list[Action], Field(min_length=1)]

    @property
    def named(self) -> tuple[str, ...]:
        """Every fact that the row speaks of."""
        return (*self.begins, *self.until)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        both = set(self.begins) & set(self.until)
        if both:
            raise ValueError(f"keep {self.id!r} begins and ends with {_list(both)}; choose one")
        return self


class RuleRow(OfRow):
    """One clock: what starts, restarts and cancels it, how long it runs, and what happens then.

    From a fact of ``pauses`` until one of ``resumes`` it stands still, and runs so much longer; a
    fact of ``extends`` makes its period longer by ``extension``, once.
    """

    any: list[Word] = Field(default_factory=list)
    all: list[Word] = Field(default_factory=list)
    restart: list[Word] = Field(default_factory=list)
    cancel: list[Word] = Field(default_factory=list)
    pauses: list[Word] = Field(default_factory=list)
    resumes: list[Word] = Field(default_factory=list)
    extends: list[Word] = Field(default_factory=list)
    extension: CalendarPeriod | None = None
    period: CalendarPeriod
    falls: Falls
    moved: Moved | None = None
    action: Action
    classes: list[Word] = Field(default_factory=list)
    every: CalendarPeriod | None = None
    review: Word | None = None
    approvers: Annotated[int, Field(ge=1, le=5)] = 1

    @property
    def triggers(self) -> list[str]:
        """The facts that start it."""
        return self.any or self.all

    @property
    def named(self) -> tuple[str, ...]:
        """Every fact that the row speaks of."""
        moving = (*self.pauses, *self.resumes, *self.extends)
        return (*self.any, *self.all, *self.restart, *self.cancel, *moving)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for wrong, remedy in (
            (bool(self.any) == bool(self.all), "needs `any` or `all`, and not both"),
            (
                bool(set(self.cancel) & {*self.triggers, *self.restart}),
                "is cancelled by what starts it; take the fact out of one",
            ),
            (
                bool(self.pauses) != bool(self.resumes) or bool({*self.pauses} & {*self.resumes}),
                "stands still from one fact until another, or does neither",
            ),
            (
                bool(self.extends) != bool(self.extension),
                "is extended by a fact and by a period, or by neither",
            ),
            (
                self.falls == "end-of-day" and self.period.timed,
                'counts hours; such a period falls on the "same-time"',
            ),
            (
                (self.action == "report") != (self.every is not None),
                "reports each `every`, or does neither",
            ),
            (
                (self.action == "delete") == (self.review is not None),
                "names in `review` who decides, or deletes without asking",
            ),
            (
                self.action != "delete" and bool(self.classes),
                "deletes nothing, so that `classes` says nothing",
            ),
            (
                self.action == "delete" and self.moved == "working-day-before",
                "would delete before its period is over; leave `moved` out",
            ),
            (
                self.action == "delete" and self.approvers > 1,
                "deletes without asking, so that `approvers` says nothing",
            ),
        ):
            if wrong:
                raise ValueError(f"rule {self.id!r} {remedy}")
        return self


class RetentionFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    zone: str
    days: DaysRow
    limits: LimitsRow
    holds: Annotated[list[HoldRow], Field(alias="hold", min_length=1)]
    kinds: Annotated[list[KindRow], Field(alias="kind", min_length=1)]
    keeps: Annotated[list[KeepRow], Field(alias="keep", default_factory=list)]
    rules: Annotated[list[RuleRow], Field(alias="rule", min_length=1)]

    def rows(self) -> tuple[Row, ...]:
        """Return every row, in the file's order."""
        return (self.days, self.limits, *self.holds, *self.kinds, *self.keeps, *self.rules)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        zone_of(self.zone)
        unique("kind", [row.id for row in self.kinds])
        unique("hold", [row.id for row in self.holds])
        # Explanations name either, so one name is one row.
        unique("id", [row.id for row in (*self.keeps, *self.rules)])
        facts = {row.id: set(row.facts) for row in self.kinds}
        rows: tuple[OfRow, ...] = (*self.keeps, *self.rules)
        for row in rows:
            if row.of not in facts:
                raise ValueError(f"{row.id!r} is of {row.of!r}; add a [[kind]] row for it")
            unknown = set(row.named) - facts[row.of]
            if unknown:
                raise ValueError(
                    f"{row.id!r} names {_list(unknown)}, no fact of {row.of!r}; "
                    "add it to the kind's `facts` or mend it"
                )
        return self


@dataclass(frozen=True, slots=True)
class Schedule:
    """A checked file and what is looked up in it; ``sha`` is its SHA-256."""

    file: RetentionFile
    sha: str
    zone: tzinfo
    keeps: Mapping[str, tuple[KeepRow, ...]]
    rules: Mapping[str, tuple[RuleRow, ...]]

    @property
    def version(self) -> str:
        """The version that decisions quote."""
        return self.file.version

    def keeps_of(self, kind: str) -> tuple[KeepRow, ...]:
        """Return what may keep a record of a kind; raises ``PolicyError`` for an unknown kind."""
        return self._of(self.keeps, kind)

    def rules_of(self, kind: str) -> tuple[RuleRow, ...]:
        """Return the rules for a kind; raises ``PolicyError`` for an unknown kind."""
        return self._of(self.rules, kind)

    def rule(self, name: str) -> RuleRow:
        """Return a rule; raises ``PolicyError`` where there is none."""
        for row in self.file.rules:
            if row.id == name:
                return row
        raise PolicyError(f"policy {self.version} has no [[rule]] row {name!r}; add one")

    def require(self, *, classes: Iterable[str]) -> None:
        """Check that each class a rule names is among ``classes``; else ``PolicyError``."""
        known = set(classes)
        for row in self.file.rules:
            missing = set(row.classes) - known
            if missing:
                raise PolicyError(
                    f"policy {self.version}: rule {row.id!r} deletes records of {_list(missing)}; "
                    "add a [[class]] row to personal.toml or mend the rule"
                )

    def _of(self, rows: Mapping[str, tuple[R, ...]], kind: str) -> tuple[R, ...]:
        try:
            return rows[kind]
        except KeyError:
            raise PolicyError(
                f"policy {self.version} has no [[kind]] row {kind!r}; add one"
            ) from None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name; raises ``ValueError`` where this machine knows none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"no time zone is called {name!r} here; write UTC or a name such as Europe/London"
        ) from None


def parse_retention(text: bytes, name: str = "retention.toml") -> Schedule:
    """Read and check a schedule's bytes; raises ``PolicyError`` naming the place and remedy."""
    file = checked(RetentionFile, text, name)
    kinds = [row.id for row in file.kinds]
    return Schedule(
        file,
        hashlib.sha256(text).hexdigest(),
        zone_of(file.zone),
        _by_kind(kinds, file.keeps),
        _by_kind(kinds, file.rules),
    )


def load_retention(path: Path) -> Schedule:
    """Read and check the schedule at ``path``; raises ``PolicyError``."""
    return parse_retention(read(path), str(path))


def _by_kind(kinds: Iterable[str], rows: Iterable[R]) -> Mapping[str, tuple[R, ...]]:
    every = list(rows)
    return MappingProxyType({kind: tuple(row for row in every if row.of == kind) for kind in kinds})


def _list(names: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, names)))
