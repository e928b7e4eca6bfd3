"""Reviews: what a due clock asks somebody to decide, and what they decided. Pure.

A review is of one record, or the list of a round that many records stand in (DOAJ-6b2). That a
record goes is a decision of as many people as its rule asks for; keeping it needs a reason and a
date on which the question comes back.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from services.retention.errors import Refusal
from services.retention.model.calendar import start_of_day
from services.retention.model.holds import Staff, Why
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import Uuid, Word
from shared.policy.retention import Action, Schedule

Choice = Literal["delete", "keep", "done"]
WHOLE = ""  # in the place of a record: the list itself


class Counts(State):
    """What a list held when it was made."""

    records: int = Field(ge=0, description="Records of the kind.")
    listed: int = Field(ge=0, description="Those that the rule names.")
    undated: int = Field(ge=0, description="Those of which nobody can say; shown apart.")
    held: int = Field(ge=0, description="Of the listed, those under a hold.")


class Decision(State):
    """What was decided of a record, or of the list."""

    record: str = WHOLE
    choice: Choice
    by: tuple[Staff, ...]
    at: Instant
    why: Why
    until: date | None = None
    erasure: str | None = Field(default=None, description="The erasure that came of it.")


class KeptReview(State):
    """A review's document. ``due`` is when its clock was; for a list, as of when it was made."""

    review: Uuid
    rule: Word
    clause: str
    schedule: str
    action: Action
    office: Word = Field(description="Who decides.")
    needs: int = Field(ge=1, description="How many must agree that a record goes.")
    service: Word | None = None
    kind: Word
    record: str | None = None
    due: Instant
    asked_at: Instant
    counts: Counts | None = None
    open: bool = True
    decisions: tuple[Decision, ...] = ()
    version: Version

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self.record is None

    def of(self, record: str) -> Decision | None:
        """Return the newest decision about a record."""
        return next((one for one in reversed(self.decisions) if one.record == record), None)

    @property
    def back_on(self) -> date | None:
        """When the question of a kept record comes back."""
        last = self.of(WHOLE)
        return last.until if last and last.choice == "keep" else None


class Deciding(State):
    """What somebody decides."""

    record: str = WHOLE
    choice: Choice
    by: Staff
    why: Why
    until: date | None = None


Decided = Accepted[KeptReview] | Unchanged[KeptReview] | Refused[Refusal]
UNKNOWN: Refused[Refusal] = Refused(Refusal("review-unknown"))


def ask(known: KeptReview | None, new: KeptReview) -> Decided:
    """Ask for a review, once."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def decide(
    known: KeptReview | None, said: Deciding, schedule: Schedule, *, now: datetime
) -> Decided:
    """Write down what somebody decided; another who agrees to the same completes it.

    The decision that a record goes is complete when ``needs`` people made it; ``carried`` notes the
    erasure that comes of it.
    """
    if known is None:
        return UNKNOWN
    no = _unfit(known, said, schedule, now)
    if no is not None:
        return Refused(no)
    before = known.of(said.record)
    if not known.open or (before is not None and before.erasure is not None):
        again = before is not None and before.choice == said.choice
        return Unchanged(known) if again else Refused(Refusal("review-decided"))
    if before is None or (before.choice, before.until) != (said.choice, said.until):
        new = Decision(**said.model_dump(exclude={"by"}), by=(said.by,), at=now)
        return _next(known, decisions=(*known.decisions, new), open=_open_after(known, new))
    if said.by in before.by:
        return Unchanged(known)
    joined = before.model_copy(update={"by": (*before.by, said.by), "at": now})
    rest = tuple(one for one in known.decisions if one is not before)
    return _next(known, decisions=(*rest, joined), open=_open_after(known, joined))


def agreed(known: KeptReview, record: str) -> bool:
    """Say whether enough people decided that a record goes, and nobody began its erasure yet."""
    last = known.of(record)
    return (
        last is not None
        and last.choice == "delete"
        and last.erasure is None
        and len(last.by) >= known.needs
    )


def carried(known: KeptReview | None, record: str, erasure: str) -> Decided:
    """Note the erasure that came of a decision."""
    if known is None:
        return UNKNOWN
    last = known.of(record)
    if last is None or last.erasure == erasure:
        return Unchanged(known)
    done = last.model_copy(update={"erasure": erasure})
    decisions = tuple(done if one is last else one for one in known.decisions)
    return _next(known, decisions=decisions, open=known.open and known.is_list)


def come_back(known: KeptReview | None, schedule: Schedule, *, now: datetime) -> Decided:
    """Open a review again on the day that was named when its record was kept."""
    if known is None:
        return UNKNOWN
    on = known.back_on
    if known.open or on is None or start_of_day(on, schedule.zone) > now:
        return Unchanged(known)
    return _next(known, open=True, decisions=known.decisions, due=start_of_day(on, schedule.zone))


def _open_after(known: KeptReview, last: Decision) -> bool:
    """Say whether it stays open: a deletion until it is carried out, a list until it is done."""
    return last.choice == "delete" or (known.is_list and last.record != WHOLE)


def _unfit(known: KeptReview, said: Deciding, schedule: Schedule, now: datetime) -> Refusal | None:
    """Say why a decision does not fit the review."""
    if known.is_list and said.choice == "delete" and said.record == WHOLE:
        return Refusal("review-needs-record", places=("/record",))
    if not known.is_list and said.record != WHOLE:
        return Refusal("review-not-of-record", places=("/record",))
    until = start_of_day(said.until, schedule.zone) if said.until else now
    if said.choice == "keep" and until <= now:
        return Refusal("review-date-invalid", places=("/until",))
    return None


def _next(known: KeptReview, **fields: object) -> Accepted[KeptReview]:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
