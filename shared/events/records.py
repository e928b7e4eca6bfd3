"""Events on the wire: binary-mode CloudEvents 1.0 (Kafka protocol binding section 3.2).

Reading never raises: what arrives is an event, a watermark, a nudge, a type this build does not
know, or unreadable; the caller decides what each means on its topic.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from pydantic import ValidationError

from shared.events.base import REGISTRY, Event

WATERMARK_KEY: Final = b"__watermark"
WATERMARK_TYPE: Final = "gate.watermark.v1"
NUDGE_KEY: Final = b"__nudge"
NUDGE_TYPE: Final = "topic.nudge.v1"
Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Meta:
    """The CloudEvents attributes of one event; ``time`` is when it was decided, RFC 3339."""

    id: str
    source: str
    time: str
    causation: str | None = None
    correlation: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record ready to be sent; ``partition`` is only set where the key does not decide."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A known event and its envelope."""

    event: Event
    meta: Meta


@dataclass(frozen=True, slots=True)
class Watermark:
    """All that was decided before ``at`` stands before this record in the partition."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Nudge:
    """Says nothing: it makes the broker roll a segment, so that what stands before is compacted."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A well-formed record of a type that this build does not know."""

    type: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that should be readable and is not; ``reason`` never quotes its content."""

    reason: str


def to_record(event: Event, meta: Meta) -> Outgoing:
    """Wrap an event for its topic; the value is its JSON."""
    return Outgoing(
        event.topic,
        event.key.encode(),
        event.model_dump_json().encode(),
        headers_of(
            kind=event.type,
            meta=meta,
            subject=event.key,
            version=event.aggregate_version,
        ),
    )


def headers_of(
    *, kind: str, meta: Meta, subject: str, version: int | None
) -> tuple[tuple[str, bytes], ...]:
    """Return the ``ce_`` headers, absent attributes left out."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": meta.id,
        "ce_source": meta.source,
        "ce_type": kind,
        "ce_subject": subject,
        "ce_time": meta.time,
        "ce_aggregateversion": None if version is None else str(version),
        "ce_causationid": meta.causation,
        "ce_correlationid": meta.correlation,
        "content-type": "application/json",
    }
    return tuple((name, text.encode()) for name, text in attributes.items() if text is not None)


def watermark(topic: str, partition: int, at: str, *, source: str) -> Outgoing:
    """Make the watermark record of one partition; ``at`` is RFC 3339."""
    meta = Meta(id=f"{topic}-{partition}-{at}", source=source, time=at)
    headers = headers_of(kind=WATERMARK_TYPE, meta=meta, subject="__watermark", version=None)
    return Outgoing(topic, WATERMARK_KEY, orjson.dumps({"at": at}), headers, partition)


def nudge(topic: str, partition: int, at: str, *, source: str) -> Outgoing:
    """Make the nudge record of one partition; ``at`` is RFC 3339."""
    meta = Meta(id=f"{topic}-{partition}-{at}", source=source, time=at)
    headers = headers_of(kind=NUDGE_TYPE, meta=meta, subject="__nudge", version=None)
    return Outgoing(topic, NUDGE_KEY, b"{}", headers, partition)


def from_record(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Received | Watermark | Nudge | Unknown | Unreadable:
    """Read a record of any topic. Never raises."""
    try:
        named = {name: text.decode() for name, text in headers if text is not None}
        if named.get("content-type", "").startswith("application/cloudevents"):
            return _structured(value, key)
        kind = named["ce_type"]
        if kind == WATERMARK_TYPE:
            at = orjson.loads(value or b"")["at"]
            return Watermark(_instant(at))
        if kind == NUDGE_TYPE:
            return Nudge()
        meta = Meta(
            id=named["ce_id"],
            source=named["ce_source"],
            time=named["ce_time"],
            causation=named.get("ce_causationid"),
            correlation=named.get("ce_correlationid"),
        )
        return _event(kind, value, meta, key)
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as fault:
        return Unreadable(f"{type(fault).__name__} in the envelope")


def _structured(value: bytes | None, key: bytes | None) -> Received | Unknown | Unreadable:
    envelope = orjson.loads(value or b"")
    if not all(isinstance(envelope[name], str) for name in ("id", "source", "type", "time")):
        raise TypeError("an attribute that is no text")
    meta = Meta(
        id=envelope["id"],
        source=envelope["source"],
        time=envelope["time"],
        causation=envelope.get("causationid"),
        correlation=envelope.get("correlationid"),
    )
    return _event(envelope["type"], orjson.dumps(envelope["data"]), meta, key)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its offset from UTC")
    return at


def _event(
    kind: str, value: bytes | None, meta: Meta, key: bytes | None
) -> Received | Unknown | Unreadable:
    declared = REGISTRY.get(kind)
    if declared is None:
        return Unknown(kind)
    _instant(meta.time)  # read models and gauges rely on it
    try:
        event = declared.model_validate_json(value or b"", extra="ignore")
    except ValidationError as fault:
        places = sorted({".".join(map(str, error["loc"])) or "(whole)" for error in fault.errors()})
        return Unreadable(f"{kind} does not hold what its type promises: {', '.join(places[:5])}")
    if key is not None and event.key.encode() != key:
        return Unreadable(f"{kind} stands under another record's key")
    return Received(event, meta)
