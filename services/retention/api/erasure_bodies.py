"""What comes in and goes out about erasures: counts, times and words, never who."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from services.retention.model.answers import Answers
from services.retention.model.erasure_states import KeptErasure, Reason, Step, Waiting
from services.retention.model.erasures import Attested, overdue, told_late
from services.retention.model.expecting import Expected
from shared.events.orders import EvidenceState, KeptUnits, Outcome
from shared.events.personal import BlindIndexed, Pseudonym, RetentionClass
from shared.policy.erasure import ErasurePolicy
from shared.privacy.blind import LONGEST
from shared.web import Answer, Body

Who = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
PAGE: Literal[50] = 50


class NewExemption(Body):
    """A class of data that is kept, why, and when that is looked at again."""

    cls: Annotated[RetentionClass, Field(alias="class")]
    reason: Reason
    review_at: AwareDatetime


class NewErasure(Body):
    """Whom an erasure is about: an address, blind indexes, a pseudonym, or single keys."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=LONGEST + 40)] | None = None
    subjects: tuple[BlindIndexed, ...] = ()
    person: Pseudonym | None = None
    records: tuple[KeptUnits, ...] = Field(default=(), max_length=100)
    exempt: tuple[NewExemption, ...] = ()
    requester: Who

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if sum(map(bool, (self.email, self.subjects, self.person, self.records))) != 1:
            raise ValueError("say one of email, subjects, person and records")
        return self


class Approval(Body):
    """Who approves, which plan they saw, and whether the cooling-off is waived."""

    approver: Who
    plan: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    at_once: bool = False


class TakingBack(Body):
    """Who takes an erasure back."""

    requester: Who


class Refusing(Body):
    """Who refuses an erasure, and for which reason, in a word."""

    approver: Who
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


class Attesting(Body):
    """What happened with a processor, when, and who says so."""

    what: Attested
    at: AwareDatetime
    attester: Who


class Listing(BaseModel):
    """Which erasures to list."""

    state: Step | None = None
    untold: bool = Field(
        default=False, description="Those with a processor that nobody attests to have been told."
    )
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


class WaitsView(Answer):
    """One thing that is waited for."""

    what: Waiting
    who: tuple[str, ...]
    since: datetime | None
    until: datetime | None


class CountsView(Answer):
    """What one service found, or did, by a second look."""

    outcome: Outcome
    matched: int
    erased: int
    kept: int
    remaining: int
    tombstones: int
    looked_at: datetime

    @classmethod
    def of(cls, said: EvidenceState) -> "CountsView":
        """Show evidence."""
        return cls(
            outcome=said.outcome,
            matched=sum(one.matched for one in said.looked),
            erased=sum(one.erased for one in said.looked),
            kept=sum(one.kept for one in said.looked),
            remaining=sum(one.remaining for one in said.looked),
            tombstones=sum(one.count for one in said.tombstones),
            looked_at=said.looked_at,
        )


class ServiceView(Answer):
    """What a service found when it looked, and what it did when it was told to erase."""

    service: str
    found: CountsView | None
    done: CountsView | None


class ExemptionView(Answer):
    """What is kept."""

    cls: Annotated[str, Field(alias="class")]
    reason: Reason
    review_at: datetime


class BlockerView(Answer):
    """What has to be done first."""

    what: str
    count: int


class ProcessorView(Answer):
    """A processor that was given something; of a plan that is not carried out yet none is listed.

    ``overdue``: it had to be told by now, and nobody attests that it was.
    """

    processor: str
    listed_at: datetime | None
    told_at: datetime | None
    told_by: str | None
    completed_at: datetime | None
    completed_by: str | None
    overdue: bool

    @classmethod
    def all_of(cls, known: KeptErasure, late: Collection[str]) -> tuple["ProcessorView", ...]:
        """Show those that are listed, or before that those that the plan names."""
        if known.listed or known.plan is None:
            return tuple(
                cls(**one.model_dump(), overdue=one.processor in late) for one in known.listed
            )
        none = dict.fromkeys(("listed_at", "told_at", "told_by", "completed_at", "completed_by"))
        named = known.plan.processors
        return tuple(
            cls.model_validate({"processor": one, **none, "overdue": False}) for one in named
        )


class LevelsView(Answer):
    """How far it went, each level with its own time."""

    fenced: datetime | None
    unreadable: datetime | None
    gone: datetime | None
    irrecoverable: datetime | None
    certified: datetime | None


class ExpectedView(Answer):
    """When it begins, when each level is expected that is still to come, and when it is late.

    Where nothing but time is waited for; of a plan that nobody approved, as if it were approved now
    and its cooling-off not waived.
    """

    begins: datetime | None
    fenced: datetime | None
    unreadable: datetime | None
    gone: datetime | None
    irrecoverable: datetime | None
    late: datetime | None


class ErasureSummary(Answer):
    """An erasure in a list."""

    erasure: str
    state: Step
    cause: Literal["request", "due-clock"]
    since: datetime
    waits: tuple[WaitsView, ...]
    overdue: bool
    processors_overdue: tuple[str, ...] = Field(
        description="Those that had to be told by now, and nobody attests that they were."
    )

    @classmethod
    def of(cls, known: KeptErasure, policy: ErasurePolicy, now: datetime) -> "ErasureSummary":
        """Show an erasure in short."""
        return cls(
            erasure=known.erasure,
            state=known.step,
            cause=known.cause,
            since=known.times[known.step],
            waits=_waits(known),
            overdue=overdue(known, now),
            processors_overdue=told_late(known, policy.file.processors_told.lasts, now),
        )


class ErasurePage(Answer):
    """A page of erasures, the newest first; ``cursor`` asks for the next one."""

    erasures: tuple[ErasureSummary, ...]
    cursor: str | None


class ErasureView(Answer):
    """An erasure with all that operators may know; never whom it is about.

    ``salt`` opens the certificate's commitment: it is handed to the person and to nobody else.
    """

    erasure: str
    state: Step
    cause: Literal["request", "due-clock"]
    cause_id: str
    rule: str | None
    asked_by: str
    approved_by: str | None
    ended_by: str | None
    refused_for: str | None
    times: Mapping[Step, datetime]
    levels: LevelsView
    expected: ExpectedView
    overdue: bool
    waits: tuple[WaitsView, ...]
    plan: str | None
    services: tuple[ServiceView, ...]
    keys: tuple[KeptUnits, ...]
    exempt: tuple[ExemptionView, ...]
    blockers: tuple[BlockerView, ...]
    holds: tuple[str, ...] = Field(description="Those that stand now on keys that are to go.")
    processors: tuple[ProcessorView, ...]
    rounds: int
    certificate: str | None
    salt: str

    @classmethod
    def of(
        cls,
        known: KeptErasure,
        looked: Answers,
        done: Answers,
        policy: ErasurePolicy,
        now: datetime,
        *,
        holds: tuple[str, ...],
        expected: Expected,
    ) -> "ErasureView":
        """Show an erasure, with what services answered to the last look and the last order."""
        late = told_late(known, policy.file.processors_told.lasts, now)
        certified = f"/erasures/{known.erasure}/certificate" if known.certificate else None
        return cls(
            erasure=known.erasure,
            state=known.step,
            cause=known.cause,
            cause_id=known.cause_id,
            rule=known.rule,
            asked_by=known.asked_by,
            approved_by=known.approver,
            ended_by=known.ended_by,
            refused_for=known.refused_for,
            times=known.times,
            levels=LevelsView(
                fenced=known.times.get("fenced"),
                unreadable=known.unreadable_at,
                gone=known.times.get("scanned" if known.left_at else "compacted"),
                irrecoverable=known.irrecoverable_at,
                certified=known.times.get("certified"),
            ),
            expected=ExpectedView(**asdict(expected), late=known.overdue_at),
            overdue=overdue(known, now),
            waits=_waits(known),
            plan=known.plan_sha,
            services=tuple(
                ServiceView(
                    service=name,
                    found=CountsView.of(looked[name]) if name in looked else None,
                    done=CountsView.of(done[name]) if name in done else None,
                )
                for name in known.services
            ),
            keys=known.keys,
            exempt=tuple(
                ExemptionView(cls=one.cls, reason=one.reason, review_at=one.review_at)
                for one in known.exempt
            ),
            blockers=tuple(BlockerView(what=one.what, count=one.count) for one in known.blockers),
            holds=holds,
            processors=ProcessorView.all_of(known, late),
            rounds=len(known.rounds),
            certificate=certified,
            salt=known.salt,
        )


def _waits(known: KeptErasure) -> tuple[WaitsView, ...]:
    return tuple(WaitsView.model_validate(one, from_attributes=True) for one in known.awaiting)
