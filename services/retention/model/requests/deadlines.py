"""By when a request is to be answered, and who is told when that comes near. Pure.

The limits are clocks of the schedule, folded from the facts of the request: a pause and an
extension are facts as others are, so that what is told here and what comes due there is one moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.retention.model.calendar import WorkingDays, moved
from services.retention.model.clocks import clocks
from services.retention.model.facts import Fact, History
from services.retention.model.mapping import of_request
from services.retention.model.requests.state import KeptRequest
from shared.events.requests import RequestState
from shared.policy.requests import EXTENDED, OF, RequestsPolicy


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
    return _limits(of_request(request), policy, now)


def due_at(request: RequestState, policy: RequestsPolicy, now: datetime) -> datetime:
    """Return when the nearest limit ends."""
    return limits(request, policy, now)[0].due


def extendable_until(request: RequestState, policy: RequestsPolicy, now: datetime) -> datetime:
    """Return the end of the first period: until then the person can be told of an extension."""
    first = [fact for fact in of_request(request) if fact.what != EXTENDED]
    extends = {row.id for row in policy.answers if EXTENDED in row.extends}
    return min(one.due for one in _limits(first, policy, now) if one.rule in extends)


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


def _limits(facts: Sequence[Fact], policy: RequestsPolicy, now: datetime) -> tuple[Limit, ...]:
    """Fold the clocks of answers as if the request went on now, and had no end yet."""
    answers = {row.id: row for row in policy.answers}
    ends = {what for row in answers.values() for what in row.cancel}
    goes_on = {what for row in answers.values() for what in row.resumes}
    open_ = [fact for fact in facts if fact.what not in ends]
    running = [*open_, *(Fact(what, now) for what in sorted(goes_on))]
    still = {one.rule: one.kept for one in clocks(History(OF, "", tuple(open_)), policy.schedule)}
    found = [
        Limit(
            one.rule,
            one.clause,
            one.version,
            one.due,
            paused=bool(still[one.rule]),
            extended=one.extended_by is not None,
        )
        for one in clocks(History(OF, "", tuple(running)), policy.schedule)
        if one.rule in answers and one.due is not None
    ]
    return tuple(sorted(found, key=lambda one: one.due))


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
