"""By when a request is to be answered, and who is told when that comes near. Pure.

The limits are rules of the schedule, each with a length of its own. A pause moves some of them by
as long as it lasts, an extension some by a period of the calendar, once; a working day is found
last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from services.retention.model.calendar import WorkingDays, after, end_of_day, moved
from services.retention.model.requests.state import KeptRequest
from shared.events.requests import RequestState
from shared.policy.periods import Period
from shared.policy.requests import RequestsPolicy
from shared.policy.retention import RuleRow


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one request, as it stands at a moment; while paused it recedes."""

    rule: str
    clause: str
    version: str
    due: datetime
    paused: bool
    extended: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is to be told of a limit that comes near or has passed; ``about`` is the row."""

    what: Literal["reminded", "escalated"]
    about: str
    due: datetime
    to: str
    number: int = 1  # which of several about the same


def limits(request: RequestState, policy: RequestsPolicy, now: datetime) -> tuple[Limit, ...]:
    """Return every limit of a request, nearest first."""
    found = [_limit(request, policy, rule, now) for rule in policy.answers]
    return tuple(sorted(found, key=lambda one: one.due))


def due_at(request: RequestState, policy: RequestsPolicy, now: datetime) -> datetime:
    """Return when the nearest limit ends."""
    return limits(request, policy, now)[0].due


def waited(request: RequestState, now: datetime) -> timedelta:
    """Return for how long a request waited for the person until ``now``."""
    return sum(((one.until or now) - one.since for one in request.pauses), timedelta(0))


def extendable_until(request: RequestState, policy: RequestsPolicy, now: datetime) -> datetime:
    """Return the end of the first period: until then the person can be told of an extension."""
    first = request.model_copy(update={"extended_at": None})
    named = policy.file.extension.rules
    return min(one.due for one in limits(first, policy, now) if one.rule in named)


def tellings(request: KeptRequest, policy: RequestsPolicy, now: datetime) -> tuple[Telling, ...]:
    """Return who is to be told of what now, and was not yet; nobody while it waits.

    Of reminders that fell due together only the last is told. A limit that moved is told of anew.
    """
    if not request.open or request.paused:
        return ()
    due = due_at(request, policy, now)
    if now >= due:
        return _overdue(request, policy, due, now)
    told = {(fact.about, fact.due) for fact in request.facts if fact.what == "reminded"}
    passed = [about for at, about in _reminders(policy, due) if at <= now]
    if not passed or (passed[-1], due) in told:
        return ()
    return (Telling("reminded", passed[-1], due, handled_by(request, policy)),)


def handled_by(request: KeptRequest, policy: RequestsPolicy) -> str:
    """Return the role that has a mailbox and hears of a request: nobody whom it is about."""
    routing = policy.file.routing
    if request.handler in (routing.first, routing.instead):
        return request.handler
    return routed(policy, request.against) or request.handler


def routed(policy: RequestsPolicy, against: tuple[str, ...]) -> str | None:
    """Return the role that a request goes to first; None where it is about all of them."""
    routing = policy.file.routing
    return next((one for one in (routing.first, routing.instead) if one not in against), None)


def _limit(request: RequestState, policy: RequestsPolicy, rule: RuleRow, now: datetime) -> Limit:
    schedule, file = policy.schedule, policy.file
    extended = request.extended_at is not None and rule.id in file.extension.rules
    period = _sum(rule.period, file.extension.period) if extended else rule.period
    over = after(request.received_at, period, schedule.zone)
    stands = rule.id in file.pause.rules
    if stands:
        over += waited(request, now)
    if rule.falls == "end-of-day":
        over = end_of_day(over, schedule.zone)
    over = moved(over, rule.moved, WorkingDays.of(schedule.file.days), schedule.zone)
    waiting = bool(request.pauses) and request.pauses[-1].until is None
    return Limit(
        rule.id,
        rule.clause,
        schedule.version,
        # A limit is never before the request itself, whatever days are off.
        max(over, request.received_at),
        paused=stands and waiting,
        extended=extended,
    )


def _reminders(policy: RequestsPolicy, due: datetime) -> Iterator[tuple[datetime, str]]:
    """Give when each reminder of a limit is told, on a working day, first to last."""
    days, zone = WorkingDays.of(policy.schedule.file.days), policy.schedule.zone
    for row in sorted(policy.file.reminders, key=lambda one: one.before, reverse=True):
        yield moved(due - row.before, "working-day-before", days, zone), row.id


def _overdue(
    request: KeptRequest, policy: RequestsPolicy, due: datetime, now: datetime
) -> tuple[Telling, ...]:
    row = policy.file.escalation
    told = [one.at for one in request.facts if one.what == "escalated" and one.due == due]
    if told and now < told[-1] + row.again:
        return ()
    to = row.to if row.to not in request.against else routed(policy, request.against) or row.to
    return (Telling("escalated", row.id, due, to, len(told) + 1),)


def _sum(one: Period, other: Period) -> Period:
    return Period(**{f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(Period)})
