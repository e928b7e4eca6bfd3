"""Versions of the schedule: published, previewed, approved, in force from a moment on. Pure.

The first is the one that the registry was started with. Which version is in force at a moment
never changes afterwards: a version comes into force in the future of its last approval, or never,
so that a look at a past date says what was true then (law P6).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.retention.errors import Refusal
from services.retention.model.calendar import after
from services.retention.model.facts import EVER
from services.retention.model.holds import Signed, Staff
from services.retention.model.previews import Preview
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import Digest
from shared.policy.retention import Schedule

Label = Annotated[str, Field(min_length=1, max_length=64)]
Stage = Literal["proposed", "previewed", "approved", "withdrawn"]


class KeptSchedule(State):
    """A version's document; ``text`` is the file, ``starts`` when it is wished to be in force."""

    schedule: Label
    text: str
    sha: Digest
    published_by: Staff
    published_at: Instant
    starts: Instant
    preview: Preview | None = None
    approvals: tuple[Signed, ...] = ()
    in_force_from: Instant | None = None
    withdrawn: Signed | None = None
    version: Version

    @property
    def stage(self) -> Stage:
        """How far it came."""
        if self.withdrawn is not None:
            return "withdrawn"
        if self.in_force_from is not None:
            return "approved"
        return "previewed" if self.preview else "proposed"


Decided = Accepted[KeptSchedule] | Unchanged[KeptSchedule] | Refused[Refusal]
UNKNOWN: Refused[Refusal] = Refused(Refusal("schedule-unknown"))


def first(schedule: Schedule, text: str, *, now: datetime) -> KeptSchedule:
    """Make the version that a registry is started with: in force since ever."""
    return KeptSchedule(
        schedule=schedule.version,
        text=text,
        sha=schedule.sha,
        published_by="deployment",
        published_at=now,
        starts=EVER,
        in_force_from=EVER,
        version=1,
    )


def publish(known: KeptSchedule | None, new: KeptSchedule, *, now: datetime) -> Decided:
    """Publish a version; nothing follows from it before it was previewed and approved."""
    if known is not None:
        if known.sha == new.sha:
            return Unchanged(known)
        detail = "Another text has this version; raise `version` in it."
        return Refused(Refusal("schedule-label-reused", detail, places=("/text",)))
    if new.starts < now:
        detail = "A version comes into force in the future."
        return Refused(Refusal("schedule-past", detail, places=("/starts",)))
    return Accepted(new, ())


def previewed(known: KeptSchedule | None, preview: Preview) -> Decided:
    """Keep what a preview came to. Approvals of another preview are void."""
    no = _closed(known)
    if no is not None or known is None:
        return no or UNKNOWN
    return _next(known, preview=preview, approvals=())


def approve(known: KeptSchedule | None, by: str, in_force: Schedule, *, now: datetime) -> Decided:
    """Approve a version; with the last approval that it needs it is decided from when it counts.

    Nobody approves what they published. The preview must be recent, and against what is in force.
    """
    if known is not None and any(one.by == by for one in known.approvals):
        return Unchanged(known)
    no = _closed(known)
    if no is not None or known is None:
        return no or UNKNOWN
    if by == known.published_by:
        return Refused(Refusal("approver-asked", places=("/by",)))
    preview = known.preview
    if preview is None or not _good(preview, in_force, now):
        good_for = in_force.file.limits.preview_good_for
        detail = f"Preview it first; a preview is good for {good_for}, and against one version."
        return Refused(Refusal("schedule-not-previewed", detail))
    approvals = (*known.approvals, Signed(by=by, at=now))
    if len(approvals) < preview.needs:
        return _next(known, approvals=approvals)
    return _next(known, approvals=approvals, in_force_from=max(known.starts, now))


def withdraw(known: KeptSchedule | None, signed: Signed) -> Decided:
    """Take a version back before it is in force."""
    if known is None:
        return UNKNOWN
    if known.withdrawn is not None:
        return Unchanged(known)
    if known.in_force_from is not None and known.in_force_from <= signed.at:
        return _in_force()
    return _next(known, withdrawn=signed)


def in_force(every: Iterable[KeptSchedule], at: datetime) -> KeptSchedule | None:
    """Return the version that was in force at a moment: the one that came last until then."""
    began = [
        one
        for one in every
        if one.withdrawn is None and one.in_force_from is not None and one.in_force_from <= at
    ]
    return max(began, key=lambda one: (one.in_force_from or EVER, _approved(one)), default=None)


def _good(preview: Preview, in_force: Schedule, now: datetime) -> bool:
    good_for = in_force.file.limits.preview_good_for
    return preview.against_sha == in_force.sha and after(preview.at, good_for, in_force.zone) >= now


def _approved(one: KeptSchedule) -> tuple[datetime, str]:
    """Return when it was decided: of two that begin at one moment, the later decision counts."""
    return (one.approvals[-1].at if one.approvals else EVER, one.schedule)


def _closed(known: KeptSchedule | None) -> Refused[Refusal] | None:
    if known is None:
        return UNKNOWN
    if known.withdrawn is not None:
        return Refused(Refusal("schedule-withdrawn"))
    return _in_force() if known.in_force_from is not None else None


def _in_force() -> Refused[Refusal]:
    return Refused(Refusal("schedule-in-force", "It is approved; publish another version."))


def _next(known: KeptSchedule, **fields: object) -> Accepted[KeptSchedule]:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
