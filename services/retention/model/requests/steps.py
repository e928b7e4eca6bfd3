"""From where each verb may be done, as a table, and how a step is written down."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import CLOSED, Decided, KeptRequest, no
from shared.events.base import Event
from shared.events.decisions import Accepted, Refused, saying
from shared.events.personal import RetentionRecordKept, Sealed, record_key
from shared.events.requests import RequestFact, RequestState, RequestStatus, RequestWhat

Verb = Literal[
    "ask-code",
    "confirm",
    "assign",
    "assess",
    "do",
    "begin-erasing",
    "pause",
    "resume",
    "extend",
    "refuse",
    "answer",
    "take-back",
]
UNCONFIRMED: Final[frozenset[RequestStatus]] = frozenset({"received", "confirming"})
DECIDED: Final[frozenset[RequestStatus]] = frozenset({"assessed", "doing"})
CONFIRMED: Final[frozenset[RequestStatus]] = frozenset({"confirmed"})
OPEN: Final[frozenset[RequestStatus]] = UNCONFIRMED | CONFIRMED | DECIDED

FROM: Final[Mapping[Verb, frozenset[RequestStatus]]] = {
    "ask-code": UNCONFIRMED,
    "confirm": UNCONFIRMED,
    "assign": OPEN,
    "assess": CONFIRMED,
    "do": DECIDED,
    "begin-erasing": DECIDED,
    "pause": OPEN,
    "resume": OPEN,
    "extend": OPEN,
    "refuse": OPEN,
    "answer": DECIDED,
    "take-back": OPEN,
}


def barred(known: KeptRequest, verb: Verb) -> Refused[Refusal] | None:
    """Refuse what cannot be done with a request as it stands."""
    if known.status in FROM[verb]:
        return None
    return no("not-now", f"The request is {known.status}.")


def fact(
    what: RequestWhat,
    actor: str,
    at: datetime,
    about: str | None = None,
    due: datetime | None = None,
) -> RequestFact:
    """Make a dated fact."""
    return RequestFact(at=at, what=what, actor=actor, about=about, due=due)


def stepped(
    known: KeptRequest,
    event: type[RequestState],
    facts: Sequence[RequestFact],
    notes: Mapping[str, Sealed] | None = None,
    **changes: Any,
) -> Decided:
    """Write a step down: its facts, what changed, what was sealed, and the event that tells it.

    Whatever ends a request ends its pause too.
    """
    if changes.get("status") in CLOSED:
        changes["pauses"] = _ended(known, facts[-1].at)
        changes["ended_at"] = facts[-1].at
    new = dict(notes or {})
    state = known.model_copy(
        update={
            **changes,
            "records": {**known.records, **new},
            "facts": (*known.facts, *facts),
            "version": known.version + 1,
        }
    )
    return Accepted(state, (*records(state, new), told(event, state)))


def records(state: KeptRequest, new: Mapping[str, Sealed]) -> list[Event]:
    """Return the events of sealed records of a request."""
    return [
        RetentionRecordKept(
            record_key=record_key(sealed),
            sealed=sealed,
            # A representative is somebody else, and is found by their own pseudonym alone.
            subjects=state.subjects if sealed.person == state.person else (),
            version=state.version,
        )
        for sealed in new.values()
    ]


def told(event: type[RequestState], state: KeptRequest) -> Event:
    """Say a request's public part."""
    assert issubclass(event, Event)
    return saying(event, state)


def _ended(known: KeptRequest, at: datetime) -> tuple[Any, ...]:
    if not known.paused:
        return known.pauses
    *before, last = known.pauses
    return (*before, last.model_copy(update={"until": at}))
