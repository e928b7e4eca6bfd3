"""An erasure from its plan to its certificate: its steps, and what leads to the next. Pure.

``TRANSITIONS`` is the only table of that; docs/erasure-steps.md shows it. Before anything is
destroyed an erasure may be refused or taken back; from ``destroying`` on nobody gives it up, and
the one way back is to ask everybody once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from services.retention.model.erasure_states import KeptErasure, Listed, Step, Waits
from shared.events.decisions import Accepted, Refused, Unchanged

Verb = Literal[
    "look",
    "plan",
    "approve",
    "collect",
    "fence",
    "commit",
    "destroy",
    "order",
    "again",
    "evidence",
    "compact",
    "outlive",
    "scan",
    "certify",
    "close",
    "refuse",
    "turn-away",
    "take-back",
    "release",
]
Slug = Literal[
    "erasure-unknown",
    "erasure-step",
    "erasure-plan-changed",
    "erasure-overtaken",
    "processor-unknown",
    "processor-attested",
    "processor-time",
]
Attested = Literal["told", "completed"]

TRANSITIONS: Final[Mapping[Verb, Mapping[Step, Step]]] = {
    "look": {"looking": "looking", "approved": "approved", "scanned": "scanned"},
    "plan": {"looking": "planned"},
    "approve": {"planned": "approved"},
    "collect": {"approved": "collected"},
    "fence": {"collected": "fenced"},
    "commit": {"fenced": "destroying"},
    "destroy": {"destroying": "destroyed"},
    "order": {"destroyed": "ordered"},
    "again": {"ordered": "ordered", "irrecoverable": "ordered", "scanned": "ordered"},
    "evidence": {"ordered": "evidenced"},
    "compact": {"evidenced": "compacted"},
    "outlive": {"compacted": "irrecoverable"},
    "scan": {"irrecoverable": "scanned"},
    "certify": {"scanned": "certified"},
    "close": {"certified": "closed"},
    "refuse": {"looking": "refusing", "planned": "refusing", "approved": "refusing"},
    "turn-away": {"refusing": "refused"},
    "take-back": {
        "looking": "taking-back",
        "planned": "taking-back",
        "approved": "taking-back",
        "collected": "taking-back",
        "fenced": "taking-back",
    },
    "release": {"taking-back": "taken-back"},
}
ORDER: Final[tuple[Step, ...]] = get_args(Step)  # of steps, where nothing leads back
ENDS: Final[frozenset[Step]] = frozenset({"closed", "refused", "taken-back"})
GIVEN_UP: Final[frozenset[Step]] = frozenset({"refusing", "refused", "taking-back", "taken-back"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no."""

    slug: Slug
    step: Step | None = None


Decided = Accepted[KeptErasure] | Unchanged[KeptErasure] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("erasure-unknown"))


def begin(known: KeptErasure | None, new: KeptErasure) -> Decided:
    """Begin an erasure, once for its cause."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def move(known: KeptErasure | None, verb: Verb, *, at: datetime, **changes: object) -> Decided:
    """Take a step, where the table has it; nothing is awaited any more then.

    When a step was come to is written down once: an order that is given again leaves the time. Of
    what leads back, the steps behind it are not so any more: they are come to anew, later.
    """
    if known is None:
        return UNKNOWN
    to = TRANSITIONS[verb].get(known.step)
    if to is None:
        return Refused(Refusal("erasure-step", known.step))
    still = {one: was for one, was in known.times.items() if ORDER.index(one) <= ORDER.index(to)}
    times = {to: at, **still}
    said = {"awaiting": (), **changes, "step": to, "times": times, "version": known.version + 1}
    return Accepted(known.model_copy(update=said), ())


def await_(known: KeptErasure | None, waits: tuple[Waits, ...], **changes: object) -> Decided:
    """Write down what an erasure waits for, and what was come by meanwhile; the step stays."""
    if known is None:
        return UNKNOWN
    same = [one.model_copy(update={"since": None}) for one in known.awaiting]
    if same == [one.model_copy(update={"since": None}) for one in waits] and not changes:
        return Unchanged(known)
    said = {"awaiting": waits, **changes, "version": known.version + 1}
    return Accepted(known.model_copy(update=said), ())


def approve(
    known: KeptErasure | None,
    by: str,
    plan: str | None,
    *,
    at: datetime,
    rests_until: datetime,
    late_from: datetime,
) -> Decided:
    """Approve a plan, the one that was shown where ``plan`` says which; repeats change nothing."""
    if known is None:
        return UNKNOWN
    if plan is not None and known.plan_sha is not None and plan != known.plan_sha:
        return Refused(Refusal("erasure-plan-changed", known.step))
    if known.approver == by and known.step not in GIVEN_UP:
        return Unchanged(known)
    return move(known, "approve", at=at, approver=by, rests_until=rests_until, overdue_at=late_from)


def take_back(known: KeptErasure | None, by: str, *, at: datetime) -> Decided:
    """Take an erasure back while nothing is destroyed; where units are fenced it is too late.

    The fence of a single record's key has no way back: who writes under it went on without it.
    """
    if known is None:
        return UNKNOWN
    if known.step in ("taking-back", "taken-back"):
        return Unchanged(known)
    if known.step in ("collected", "fenced") and any(one.units for one in known.keys):
        return Refused(Refusal("erasure-step", known.step))
    return move(known, "take-back", at=at, ended_by=by)


def refuse(known: KeptErasure | None, by: str, reason: str, *, at: datetime) -> Decided:
    """Refuse an erasure before anything is fenced; ``reason`` is a word, never a text."""
    if known is not None and known.step in ("refusing", "refused"):
        return Unchanged(known)
    return move(known, "refuse", at=at, ended_by=by, refused_for=reason)


def attest(
    known: KeptErasure | None,
    processor: str,
    what: Attested,
    by: str,
    *,
    at: datetime,
    now: datetime,
) -> Decided:
    """Write down that a processor was told, or confirmed that it is done; once, and for good.

    It may be said after the certificate, too, which stays as it was signed.
    """
    if known is None:
        return UNKNOWN
    if known.step in GIVEN_UP:
        return Refused(Refusal("erasure-step", known.step))
    one = next((one for one in known.listed if one.processor == processor), None)
    if one is None:
        return Refused(Refusal("processor-unknown"))
    before = one.told_at if what == "told" else one.completed_at
    if before is not None:
        return Unchanged(known) if before == at else Refused(Refusal("processor-attested"))
    said = one.model_copy(update={f"{what}_at": at, f"{what}_by": by})
    if at > now or (said.told_at and said.completed_at and said.told_at > said.completed_at):
        return Refused(Refusal("processor-time"))
    listed = tuple(said if other is one else other for other in known.listed)
    changes = {"listed": listed, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def untold(known: KeptErasure) -> tuple[Listed, ...]:
    """Return the processors of which nobody attests that they were told, or are done."""
    if known.step in GIVEN_UP:
        return ()
    return tuple(one for one in known.listed if not (one.told_at or one.completed_at))


def told_late(known: KeptErasure, within: timedelta, now: datetime) -> tuple[str, ...]:
    """Return the processors that nobody told ``within`` that time since they were listed."""
    return tuple(one.processor for one in untold(known) if one.listed_at + within <= now)


def overdue(known: KeptErasure, now: datetime) -> bool:
    """Say whether an erasure that began is not certified in time; it goes on all the same."""
    if known.overdue_at is None or "certified" in known.times or known.step in GIVEN_UP:
        return False
    return known.overdue_at <= now
