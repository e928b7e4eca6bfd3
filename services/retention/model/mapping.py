"""From events of all services to dated facts of records: one row for each kind of state. Pure.

An event carries the whole state after it, so what was missed is in the next one. What has no dates
there (what hangs on an account, which roles somebody has) is dated by the event that first showed
it to be otherwise; heard late, it keeps a record longer, never shorter.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.retention.model.facts import EVER, Fact
from services.retention.model.records import KeptRecord, fact_of, kept_facts, name_of
from shared.events.base import REGISTRY, Event, State
from shared.events.decisions import Accepted, Unchanged
from shared.events.orders import KeptUnits
from shared.events.owners import OwnerState
from shared.events.people import PersonState
from shared.events.requests import RequestState
from shared.events.volunteers import VolunteerState

Roles = Collection[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """A state that was heard: when it was decided, and the roles that volunteers have."""

    state: Any
    at: datetime
    volunteers: Roles


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a kind of state says of a record: which one, whose keys open it, and its facts.

    ``facts`` is given those that are known already, and returns what they miss.
    """

    kind: str
    service: str
    record: Callable[[Any], str]
    keys: Callable[[Any], tuple[KeptUnits, ...]]
    facts: Callable[[Collection[Fact], Heard], Iterable[Fact]]


Decided = Accepted[KeptRecord] | Unchanged[KeptRecord | None]

OF_PEOPLE: Final = frozenset({"registered", "invited", "closed"})
OF_REQUESTS: Final = frozenset(
    {"received", "paused", "resumed", "extended", "answered", "taken-back"}
)


def _person(known: Collection[Fact], heard: Heard) -> Iterable[Fact]:
    """Say since when somebody has an account, and which roles of volunteers they had and have."""
    state: PersonState = heard.state
    dated = {fact.what: fact.at for fact in state.facts}
    for fact in state.facts:
        if fact.what in OF_PEOPLE:
            yield Fact(fact.what, fact.at)
    closed = state.status == "closed"
    roles = set() if closed else set(state.roles) & set(heard.volunteers)
    changed = dated.get("closed" if closed else "roles-set", state.registered_at)
    yield from _changes(known, ("volunteer-begun", "volunteer-ended"), roles, changed)


def _owner(known: Collection[Fact], heard: Heard) -> Iterable[Fact]:
    """Say which journals hang on an account, and since when others do no more."""
    state: OwnerState = heard.state
    journals = {one.journal for one in state.journals}
    return _changes(known, ("record-linked", "record-released"), journals, heard.at)


def _volunteer(_known: Collection[Fact], heard: Heard) -> Iterable[Fact]:
    """Say what became of an application of a volunteer."""
    state: VolunteerState = heard.state
    return (Fact(fact.what, fact.at) for fact in state.facts)


def _request(_known: Collection[Fact], heard: Heard) -> Iterable[Fact]:
    """Say when somebody asked, what moved the limits, and when that had its end."""
    return of_request(heard.state)


def of_request(state: RequestState) -> tuple[Fact, ...]:
    """Return what the clocks of a request rest on."""
    return tuple(Fact(fact.what, fact.at) for fact in state.facts if fact.what in OF_REQUESTS)


def _changes(
    known: Collection[Fact], words: tuple[str, str], now: Collection[str], at: datetime
) -> Iterable[Fact]:
    """Return what began and ended at ``at``, by what is known to stand and what stands now."""
    begins, ends = words
    before = _standing(known, begins, ends)
    yield from (Fact(begins, at, about) for about in sorted(set(now) - before))
    yield from (Fact(ends, at, about) for about in sorted(before - set(now)))


def _standing(known: Collection[Fact], begins: str, ends: str) -> set[str]:
    begun: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for fact in known:
        for what, moments in ((begins, begun), (ends, ended)):
            if fact.what == what:
                moments[fact.about] = max(fact.at or EVER, moments.get(fact.about, EVER))
    return {about for about, at in begun.items() if about not in ended or ended[about] <= at}


def _account(state: PersonState | OwnerState) -> tuple[KeptUnits, ...]:
    return (KeptUnits(keys_id=f"{state.person}.account"),)


def _application(state: VolunteerState) -> tuple[KeptUnits, ...]:
    """Whoever applied and each referee has a key of their own for this application."""
    return tuple(
        KeptUnits(keys_id=f"{person}.volunteer-application", units=(state.application,))
        for person in (state.applicant, *state.referees)
    )


def _support(state: RequestState) -> tuple[KeptUnits, ...]:
    """Whoever asked has a key for this request."""
    return (KeptUnits(keys_id=f"{state.person}.support", units=(state.request,)),)


# Every event whose state is one of these; those of other states have no clock in the schedule.
TABLE: Final[Mapping[type[State], Mapped]] = {
    PersonState: Mapped("account", "accounts", lambda state: state.person, _account, _person),
    OwnerState: Mapped("account", "accounts", lambda state: state.person, _account, _owner),
    VolunteerState: Mapped(
        "volunteer-application",
        "accounts",
        lambda state: state.application,
        _application,
        _volunteer,
    ),
    RequestState: Mapped("request", "retention", lambda state: state.request, _support, _request),
}
_ROWS: Final[Mapping[type[Event], Mapped]] = {
    event: row
    for event in REGISTRY.values()
    for state, row in TABLE.items()
    if issubclass(event, state)
}
TOPICS: Final = tuple(sorted({event.topic for event in _ROWS}))


def record_of(event: Event) -> str | None:
    """Return the name of the record that an event tells of; None where clocks need not know."""
    row = _ROWS.get(type(event))
    return name_of(row.kind, row.record(event)) if row else None


def hear(known: KeptRecord | None, event: Event, at: datetime, volunteers: Roles) -> Decided:
    """Take in what an event says of its record; what is older than what was heard says nothing."""
    row = _ROWS.get(type(event))
    version = event.aggregate_version or 1
    if row is None or (known is not None and known.seen.get(event.topic, 0) >= version):
        return Unchanged(known)
    before = [fact_of(fact) for fact in known.facts] if known else []
    said = row.facts(before, Heard(event, at, volunteers))
    facts = kept_facts([*before, *said])
    keys = row.keys(event)
    if known is None:
        return Accepted(
            KeptRecord(
                kind=row.kind,
                record=row.record(event),
                service=row.service,
                facts=facts,
                keys=keys,
                seen={event.topic: version},
                version=1,
            ),
            (),
        )
    if known.facts == facts and known.keys == keys:
        return Unchanged(known)
    changes = {
        "facts": facts,
        "keys": keys,
        "seen": {**known.seen, event.topic: version},
        "version": known.version + 1,
    }
    return Accepted(known.model_copy(update=changes), ())
