"""Requests of people as data: kinds, tasks, codes, reminders, and what moves a limit."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, PolicyError, Row, checked, read, unique
from shared.policy.retention import RuleRow, Schedule

R = TypeVar("R", bound=Row)
Limit = Literal["codes-of-an-address", "asks-of-a-client", "codes-tried-by-a-client"]
LIMITS: tuple[Limit, ...] = (
    "codes-of-an-address",
    "asks-of-a-client",
    "codes-tried-by-a-client",
)
OF = "request"  # the kind of record in the schedule
RECEIVED = "received"  # the fact there that starts the clock of an answer
EXTENDED = "extended"  # the fact there that makes it longer
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Names = Annotated[list[Name], Field(min_length=1)]
Reason = Literal[
    "legal-obligation", "legal-claims", "archiving-research", "public-interest", "expression"
]


class CodeRow(Row):
    """How long a mailed code counts, and how often it may be tried."""

    lives: Duration
    tries: Annotated[int, Field(gt=0)]


class NoticeRow(Row):
    """The notice whose version a request names."""

    notice: Name


class FeeRow(Row):
    """What an answer costs."""

    amount: Annotated[int, Field(ge=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class MovingRow(Row):
    """For which reasons limits may be moved; which are, and by how much, the schedule says."""

    reasons: Names


class RoutingRow(Row):
    """Who gets requests, and who does where those are whom one is about."""

    first: Name
    instead: Name


class EscalationRow(Row):
    """Who hears of what is overdue, and how often."""

    to: Name
    again: Duration


class KeptRow(Row):
    """The class of data that an erasure keeps, why, and by which rule that is looked at again."""

    cls: Annotated[Name, Field(alias="class")]
    reason: Reason
    rule: Name


class LimitRow(Row):
    """How often something may be, within which time."""

    most: Annotated[int, Field(gt=0)]
    within: Duration


class ReminderRow(Row):
    """How long before a limit whoever handles a request is reminded."""

    before: Duration


Scope = Literal["everything", "portable"]


class KindRow(Row):
    """One kind of request."""

    erases: bool = False
    packs: Scope | None = None
    apart: bool = False


class TaskRow(Row):
    """What is done for a kind, in a service."""

    # It stands in the name of the record that holds the evidence.
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
    of: Name
    service: Name


class RefusalRow(Row):
    """A reason to refuse, and the word of the Data Rights Protocol for it."""

    drp: Annotated[str, Field(pattern=r"^[a-z_]+$")]


class RequestsFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    code: CodeRow
    notice: NoticeRow
    fee: FeeRow
    pause: MovingRow
    extension: MovingRow
    routing: RoutingRow
    escalation: EscalationRow
    kept: KeptRow
    limits: Annotated[list[LimitRow], Field(alias="limit")]
    reminders: Annotated[list[ReminderRow], Field(alias="reminder", default_factory=list)]
    kinds: Annotated[list[KindRow], Field(alias="kind", min_length=1)]
    tasks: Annotated[list[TaskRow], Field(alias="task")]
    refusals: Annotated[list[RefusalRow], Field(alias="refusal", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, rows in (
            ("limit", self.limits),
            ("reminder", self.reminders),
            ("kind", self.kinds),
            ("task", self.tasks),
            ("refusal", self.refusals),
        ):
            unique(what, [row.id for row in rows])
        missing = set(LIMITS) - {row.id for row in self.limits}
        if missing:
            raise ValueError(f"no [[limit]] row for {', '.join(sorted(missing))}")
        kinds = {row.id for row in self.kinds}
        for task in self.tasks:
            if task.of not in kinds:
                raise ValueError(f"task {task.id!r} is of {task.of!r}; add a [[kind]] row for it")
        idle = kinds - {row.of for row in self.tasks} - {k.id for k in self.kinds if k.erases}
        if idle:
            raise ValueError(f"nothing is done for {', '.join(sorted(idle))}; add a [[task]] row")
        if self.routing.first == self.routing.instead:
            raise ValueError("`first` and `instead` are the same; a complaint needs two")
        if self.escalation.to not in (self.routing.first, self.routing.instead):
            raise ValueError("what is overdue goes to one of the two of [routing]")
        return self


@dataclass(frozen=True, slots=True)
class RequestsPolicy:
    """A checked file beside the schedule whose limits it moves; ``sha`` is its SHA-256."""

    file: RequestsFile
    schedule: Schedule
    sha: str

    @property
    def version(self) -> str:
        """The version that decisions quote."""
        return self.file.version

    @property
    def answers(self) -> tuple[RuleRow, ...]:
        """The rules of the schedule by which an answer is due."""
        return tuple(
            row
            for row in self.schedule.rules_of(OF)
            if row.action == "review" and RECEIVED in row.triggers
        )

    @property
    def kept(self) -> RuleRow:
        """The rule of the schedule by which a request that had its end is looked at again."""
        return self.schedule.rule(self.file.kept.rule)

    def kind(self, name: str) -> KindRow | None:
        """Return a kind."""
        return _named(self.file.kinds, name)

    def refusal(self, name: str) -> RefusalRow | None:
        """Return a reason to refuse."""
        return _named(self.file.refusals, name)

    def limit(self, name: Limit) -> LimitRow:
        """Return a limit."""
        row = _named(self.file.limits, name)
        if row is None:
            raise PolicyError(f"policy {self.version} has no [[limit]] row {name!r}; add one")
        return row

    def tasks_of(self, kinds: tuple[str, ...]) -> tuple[TaskRow, ...]:
        """Return what is to be done for kinds, in the order of the file."""
        return tuple(row for row in self.file.tasks if row.of in kinds)

    def erases(self, kinds: tuple[str, ...]) -> bool:
        """Say whether a request of these kinds begins an erasure."""
        return any(row.erases for row in self.file.kinds if row.id in kinds)

    def packs(self, kinds: tuple[str, ...]) -> bool:
        """Say whether a request of these kinds has a package made once it is confirmed."""
        return self.packed(kinds) is not None

    def packed(self, kinds: tuple[str, ...]) -> Scope | None:
        """Return what the package of a request of these kinds holds; None: it has none."""
        asked = {row.packs for row in self.file.kinds if row.id in kinds} - {None}
        return "everything" if "everything" in asked else next(iter(asked), None)


def parse_requests(text: bytes, schedule: Schedule, name: str = "requests.toml") -> RequestsPolicy:
    """Read and check the file's bytes; raises ``PolicyError`` naming the place and remedy."""
    file = checked(RequestsFile, text, name)
    policy = RequestsPolicy(file, schedule, hashlib.sha256(text).hexdigest())
    if not any(EXTENDED in row.extends for row in policy.answers):
        raise PolicyError(
            f"no rule of schedule {schedule.version} says when a request is to be answered, and by "
            f"how much {EXTENDED!r} extends that; {name} has an [extension]"
        )
    if policy.kept.of != OF:
        raise PolicyError(f"{name}: the rule of [kept] is of {policy.kept.of!r}, not of requests")
    return policy


def load_requests(folder: Path, schedule: Schedule) -> RequestsPolicy:
    """Read and check ``requests.toml`` of a folder; raises ``PolicyError``."""
    path = folder / "requests.toml"
    return parse_requests(read(path), schedule, str(path))


def _named(rows: list[R], name: str) -> R | None:
    return next((row for row in rows if row.id == name), None)
