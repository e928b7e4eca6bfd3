"""What of all services is written into the tree: which facts, and how each becomes a record.

A record says what happened and when, and holds a commitment to the whole fact: SHA-256 of its
canonical JSON. Nothing can be taken out of the tree again, so nothing of a person goes in. Whoever
has the fact compares it; whoever has not cannot guess it, for each holds a random id or pseudonym
of at least 74 bits that is published nowhere.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from shared.events import REGISTRY, Received
from shared.events.base import Event
from shared.events.retention import KeysState
from shared.privacy.receipts import canonical

TYPE: Final = "Audited/1"

Fact = tuple[str, datetime, Mapping[str, Any]]  # what happened, when, and all that is known of it
Facts = Callable[[Received], Iterator[Fact]]


def record(what: str, at: datetime, fact: Mapping[str, Any]) -> bytes:
    """Return the record of a fact: the same fact makes the same bytes, so it is appended once.

    ``fact`` is JSON without fractions and holds something random that nobody can guess.
    """
    return canonical(
        {
            "type": TYPE,
            "what": what,
            "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "commitment": sha256(canonical(fact)).hexdigest(),
        }
    )


def records(received: Received) -> list[bytes]:
    """Return the records that an event makes; none where it is not worth one."""
    facts = AUDITED.get(received.event.type)
    return [record(*fact) for fact in facts(received)] if facts else []


def _whole(received: Received) -> Iterator[Fact]:
    """Give the event itself, under its own id."""
    event, meta = received.event, received.meta
    fact = {"id": meta.id, "type": event.type, "data": event.model_dump(mode="json")}
    yield event.type, datetime.fromisoformat(meta.time), fact


def _if_any(name: str) -> Facts:
    """Give the event where a list of it says anything."""

    def facts(received: Received) -> Iterator[Fact]:
        if getattr(received.event, name):
            yield from _whole(received)

    return facts


def _keys_gone(received: Received) -> Iterator[Fact]:
    """Give each key that is gone by now, of the state: compaction may have taken earlier events."""
    state = received.event
    assert isinstance(state, KeysState)
    if state.destroyed_at is not None:
        yield _gone("retention.keys-destroyed", state.keys_id, "", state.destroyed_at)
    for unit in state.gone:
        if unit.destroyed_at is not None:
            yield _gone("retention.key-unit-destroyed", state.keys_id, unit.unit, unit.destroyed_at)


def _gone(what: str, keys: str, unit: str, at: datetime) -> Fact:
    return what, at, {"keys": keys, "unit": unit, "destroyed_at": at.isoformat()}


# Event types, and what each makes. A part of retention whose decisions are worth it adds a row.
AUDITED: Final[Mapping[str, Facts]] = {
    "accounts.account-accessed.v1": _whole,
    "accounts.accounts-obeys.v1": _if_any("applied"),
    "accounts.accounts-evidence-given.v1": _whole,
    "consent.consent-evidence-given.v1": _whole,
    "deposits.deposits-evidence-given.v1": _whole,
    "retention.retention-evidence-given.v1": _whole,
    "distribution.preference-applied.v1": _whole,
    "retention.erasure-ordered.v1": _whole,
    "retention.keys-destroyed.v1": _keys_gone,
    "retention.keys-released.v1": _keys_gone,
    "retention.keys-restricted.v1": _keys_gone,
    "retention.key-unit-fenced.v1": _keys_gone,
    "retention.key-unit-destroyed.v1": _keys_gone,
    "retention.keys-fenced.v1": _keys_gone,
}


def topics() -> list[str]:
    """Return where the audited events travel."""
    return sorted({_kind(name).topic for name in AUDITED})


def _kind(name: str) -> type[Event]:
    return REGISTRY[name]
