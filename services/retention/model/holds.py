"""Holds: decisions that records stay, with a reason, who agreed and when to look again. Pure.

A hold stands from when everybody agreed whom its reason asks for; until then nothing is held, for
the default is to delete (DOAJ-6a4, 6a5). It never ends by itself: a date of review that has passed
is shown, and somebody decides (law P4).
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.retention.errors import Refusal
from services.retention.model.calendar import after, start_of_day
from services.retention.model.clocks import Hold
from services.retention.model.records import KeptRecord, name_of
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import KeptUnits, Uuid, Word
from shared.events.personal import Pseudonym, RetentionClass
from shared.policy.retention import HoldRow, Schedule
from shared.privacy.lifecycle import KeptKeys

Matter = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,60}$",
        description="What it is about, as a number or a word that says nothing of a person.",
        examples=["case-2031-7"],
    ),
]
Staff = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{0,60}$",
        description="Who does it, as staff call each other: operators share one credential.",
        examples=["operator-3"],
    ),
]
Why = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="A word for why.")]
Outcome = Literal["pending", "held", "fenced", "destroyed", "released"]


class Named(State):
    """One record by its name in the fact table."""

    kind: Word
    record: Annotated[str, Field(min_length=1, max_length=200)]


class Scope(State):
    """Which records are meant: those that agree with all that is said; new ones join."""

    kind: Word | None = None
    service: Word | None = None
    rule: Word | None = Field(default=None, description="Records on which its clock runs.")
    cls: RetentionClass | None = Field(
        default=None, description="Class of the keys that would go with the record."
    )
    person: Pseudonym | None = Field(default=None, description="Whose keys they are.")
    about: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="What a fact of the record is about, such as an organisation."
    )

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("say what it means; a hold on everything is no hold")
        return self

    def means(self, record: KeptRecord, rules: Collection[str]) -> bool:
        """Say whether a record is meant; ``rules`` are those that a clock of it was started by."""
        persons_classes = [one.keys_id.partition(".") for one in record.keys]
        return (
            self.kind in (None, record.kind)
            and self.service in (None, record.service)
            and (self.rule is None or self.rule in rules)
            and (self.about is None or any(one.about == self.about for one in record.facts))
            and (
                (self.cls is None and self.person is None)
                or any(
                    self.cls in (None, cls) and self.person in (None, person)
                    for person, _, cls in persons_classes
                )
            )
        )


class Signed(State):
    """Who did something to a hold, when and why."""

    by: Staff
    at: Instant
    why: Why | None = None
    review_on: date | None = None


class Asked(State):
    """What a hold is asked for as."""

    matter: Matter
    reason: Word
    placed_by: Staff
    review_on: date
    records: tuple[Named, ...] = ()
    keys: tuple[KeptUnits, ...] = ()
    scope: Scope | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.records and not self.keys and self.scope is None:
            raise ValueError("say what it holds: records, keys or a scope")
        return self


class KeptHold(Asked):
    """A hold's document.

    ``spread``: every record that it means was sought once; ``settled``: after its release, every
    key was let go of.
    """

    hold: Uuid
    placed_at: Instant
    needs: int = Field(default=0, ge=0, description="How many others must agree.")
    approvals: tuple[Signed, ...] = ()
    stood_from: Instant | None = None
    reviews: tuple[Signed, ...] = ()
    released: Signed | None = None
    spread: bool = False
    settled: bool = False
    version: Version

    def stands(self, at: datetime) -> bool:
        """Say whether it stood at a moment."""
        return (
            self.stood_from is not None
            and self.stood_from <= at
            and (self.released is None or self.released.at > at)
        )

    @property
    def standing(self) -> bool:
        """Whether it stands until somebody releases it."""
        return self.stood_from is not None and self.released is None

    @property
    def as_clocks_know_it(self) -> Hold:
        """The hold as ``judge`` takes it."""
        return Hold(self.hold, self.released.at if self.released else None)


class OnKeys(State):
    """What became of the keys of one person in one class under a hold."""

    keys_id: str
    outcome: Outcome
    at: Instant | None = Field(default=None, description="When it was fenced or destroyed.")
    cause: str | None = Field(default=None, description="The erasure that was there first.")


class KeptMember(State):
    """A record, or keys without one, under a hold."""

    member: str
    hold: Uuid
    kind: Word | None = None
    record: str | None = None
    keys: tuple[KeptUnits, ...] = ()
    came_at: Instant
    on: tuple[OnKeys, ...] = ()
    pending: bool = True
    version: Version


Decided = Accepted[KeptHold] | Unchanged[KeptHold] | Refused[Refusal]
UNKNOWN: Refused[Refusal] = Refused(Refusal("hold-unknown"))


def row_of(schedule: Schedule, reason: str) -> HoldRow | None:
    """Return the row of a reason, or None."""
    return next((row for row in schedule.file.holds if row.id == reason), None)


def stated(known: KeptHold | None, schedule: Schedule) -> dict[str, str]:
    """Say to the person whom it is about why a hold stands, and when it is looked at again."""
    row = row_of(schedule, known.reason) if known is not None else None
    return {
        "why": row.says if row else "It stays by a decision.",
        "clause": row.clause if row else "",
        "reviewed-by": known.review_on.isoformat() if known is not None else "not known",
    }


def refused(asked: Asked, schedule: Schedule, now: datetime) -> Refusal | None:
    """Say why a hold may not be asked for as this; None where it may."""
    row = row_of(schedule, asked.reason)
    if row is None:
        known = ", ".join(one.id for one in schedule.file.holds)
        return Refusal("reason-unknown", f"Reasons are {known}.", places=("/reason",))
    kinds = {one.kind for one in asked.records} | ({asked.scope.kind} if asked.scope else set())
    if not {kind for kind in kinds if kind} <= set(schedule.rules):
        return Refusal("kind-unknown", f"Kinds are {', '.join(schedule.rules)}.")
    rule = asked.scope.rule if asked.scope else None
    if rule and rule not in {one.id for one in schedule.file.rules}:
        return Refusal("rule-unknown", places=("/scope/rule",))
    return _refused_date(row, asked.review_on, schedule, now)


def place(known: KeptHold | None, new: KeptHold) -> Decided:
    """Place a hold, or ask for one that others must agree to; twice the same is once."""
    if known is None:
        return Accepted(new, ())
    same = all(getattr(known, name) == getattr(new, name) for name in Asked.model_fields)
    if same:
        return Unchanged(known)
    return Refused(Refusal("hold-differs", "It was asked for with another body."))


def approve(known: KeptHold | None, by: str, *, now: datetime) -> Decided:
    """Agree to a hold that needs it; nobody agrees to their own (DOAJ-6a4, 6a5)."""
    if known is None:
        return UNKNOWN
    if known.released is not None:
        return Refused(Refusal("hold-released"))
    if by == known.placed_by:
        return Refused(Refusal("approver-asked", rule=known.reason, places=("/by",)))
    if known.stood_from is not None or any(one.by == by for one in known.approvals):
        return Unchanged(known)
    approvals = (*known.approvals, Signed(by=by, at=now))
    stood_from = now if len(approvals) >= known.needs else None
    return _next(known, approvals=approvals, stood_from=stood_from)


def look_again(
    known: KeptHold | None, signed: Signed, schedule: Schedule, *, now: datetime
) -> Decided:
    """Say that a hold must go on, and when to look again."""
    if known is None or signed.review_on is None:
        return UNKNOWN
    if known.released is not None:
        return Refused(Refusal("hold-released"))
    row = row_of(schedule, known.reason)
    no = _refused_date(row, signed.review_on, schedule, now) if row else None
    if no is not None:
        return Refused(no)
    return _next(known, review_on=signed.review_on, reviews=(*known.reviews, signed))


def release(known: KeptHold | None, signed: Signed) -> Decided:
    """End a hold; what it alone kept is free from then on."""
    if known is None:
        return UNKNOWN
    if known.released is not None:
        return Unchanged(known)
    return _next(known, released=signed, settled=known.stood_from is None)


def spread(known: KeptHold | None) -> Decided:
    """Note that every record that it means was sought; those that come later join."""
    if known is None:
        return UNKNOWN
    return Unchanged(known) if known.spread else _next(known, spread=True)


def settle(known: KeptHold | None) -> Decided:
    """Note that every key was let go of after the release."""
    if known is None:
        return UNKNOWN
    if known.released is None or known.settled:
        return Unchanged(known)
    return _next(known, settled=True)


def gone(known: KeptKeys | None, units: Collection[str]) -> OnKeys | None:
    """Say what was there before a hold: keys that are fenced or destroyed; None where none are.

    Units are gone where each that is meant is: where one is left, there is something to hold.
    """
    if known is None:
        return None
    said = {"keys_id": known.keys_id, "cause": known.cause}
    if known.fence == "destroyed":
        return OnKeys(outcome="destroyed", at=known.destroyed_at, **said)
    if known.fence == "fenced":
        return OnKeys(outcome="fenced", at=known.fenced_at, **said)
    lost = [known.fenced_unit(unit) for unit in units]
    ends = [one.destroyed_at for one in lost if one is not None and one.destroyed_at is not None]
    if units and len(ends) == len(units):
        return OnKeys(outcome="destroyed", at=max(ends), **said)
    return None


def member_of(hold: str, record: KeptRecord | Named, *, now: datetime) -> KeptMember:
    """Make what stands for a record under a hold."""
    keys = record.keys if isinstance(record, KeptRecord) else ()
    return KeptMember(
        member=f"{hold}|{name_of(record.kind, record.record)}",
        hold=hold,
        kind=record.kind,
        record=record.record,
        keys=keys,
        came_at=now,
        version=1,
    )


def member_by_keys(hold: str, keys: KeptUnits, *, now: datetime) -> KeptMember:
    """Make what stands for keys that were named themselves."""
    member = f"{hold}|keys|{keys.keys_id}"
    return KeptMember(member=member, hold=hold, keys=(keys,), came_at=now, version=1)


def join(known: KeptMember | None, new: KeptMember) -> Accepted[KeptMember] | Unchanged[KeptMember]:
    """Bring a record under a hold, or keys that it got since."""
    if known is None:
        return Accepted(new, ())
    more = tuple(one for one in new.keys if one not in known.keys)
    if not more:
        return Unchanged(known)
    changes = {"keys": (*known.keys, *more), "pending": True, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def bound(
    known: KeptMember | None, on: tuple[OnKeys, ...]
) -> Accepted[KeptMember] | Unchanged[KeptMember]:
    """Write down what became of each of a member's keys.

    What is fenced may be taken back, and keys that are not there may be made: both are asked about
    again until they are held or destroyed.
    """
    assert known is not None  # members are never deleted
    pending = any(one.outcome in ("pending", "fenced") for one in on)
    if (known.on, known.pending) == (on, pending):
        return Unchanged(known)
    changes = {"on": on, "pending": pending, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def _refused_date(row: HoldRow, on: date, schedule: Schedule, now: datetime) -> Refusal | None:
    latest = after(now, row.review_within, schedule.zone)
    if now < start_of_day(on, schedule.zone) <= latest:
        return None
    detail = f"A hold for {row.id} is looked at again within {row.review_within}."
    return Refusal("review-date-invalid", detail, row.clause, ("/review-on",))


def _next(known: KeptHold, **fields: object) -> Accepted[KeptHold]:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
