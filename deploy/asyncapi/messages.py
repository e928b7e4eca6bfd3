"""What stands on topics: events as CloudEvents, watermarks, nudges and parked records.

Payloads are the golden schemas with their ``$defs`` moved to the components: an AsyncAPI document
resolves references from its own root.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.schemas import schema_of
from shared.events import NUDGE_KEY, REGISTRY, WATERMARK_KEY, Event
from shared.events.records import NUDGE_TYPE, WATERMARK_TYPE

BINDING: Final = "0.5.0"  # of Kafka's bindings
JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
HEADERS: Final = "cloudevents.headers"
Node = dict[str, Any]

ALWAYS: Final[Mapping[str, Node]] = {
    "ce_specversion": {"const": "1.0", "description": "Of CloudEvents."},
    "ce_id": {"description": "Names the event; one that comes again has the same."},
    "ce_source": {"description": "The service that decided it, as `/services/<name>`."},
    "ce_type": {"description": "The name of the event and its major version."},
    "ce_subject": {"description": "The record's key."},
    "ce_time": {"format": "date-time", "description": "When it was decided."},
    "content-type": {"const": JSON, "description": "Of the value."},
}
SOMETIMES: Final[Mapping[str, Node]] = {
    "ce_aggregateversion": {"description": "The version of the aggregate after it."},
    "ce_causationid": {"description": "The event that it follows from."},
    "ce_correlationid": {"description": "The request that it began with."},
}
PARKED: Final[Mapping[str, Node]] = {
    "dead_key": {"description": "The record's own key; empty: it had none."},
    "dead_reason": {"description": "Why it could not be applied; never quotes what it holds."},
    "dead_group": {"description": "The group that parked it."},
    "dead_topic": {"description": "Where it stood."},
    "dead_partition": {"description": "Where it stood."},
    "dead_offset": {"description": "Where it stood."},
    "dead_time": {"description": "When it was parked."},
}
RESOLVED: Final[Mapping[str, Node]] = {
    "dead_resolution": {"description": "`replayed`, or `dropped:` and why."},
    "dead_time": {"description": "When that was done."},
}


def messages() -> Iterator[tuple[str, Node]]:
    """Yield each message and its name: events by their type, then what the topics need."""
    for kind, event in sorted(REGISTRY.items()):
        yield (
            kind,
            {
                "name": kind,
                "title": event.__name__,
                "summary": " ".join((event.__doc__ or "").split()),
                "contentType": JSON,
                "headers": _cloudevent(kind, versioned="version" in event.model_fields),
                "payload": {"$ref": f"#/components/schemas/{kind}"},
                "bindings": _keyed(_key_of(event)),
            },
        )
    yield from _marks()
    yield from _dead()


def schemas() -> Node:
    """Return each event's schema and, once, each one that events share.

    Raises ``ValueError`` where two different ones have the same name.
    """
    found: Node = {HEADERS: _named(ALWAYS, SOMETIMES)}
    for kind in sorted(REGISTRY):
        schema = _hoisted(schema_of(kind))
        parts = schema.pop("$defs", {})
        for name, part in {**parts, kind: schema}.items():
            if found.setdefault(name, part) != part:
                raise ValueError(f"two classes of events are called {name}, and they differ")
    return found


def _marks() -> Iterator[tuple[str, Node]]:
    at: Node = {"type": "string", "format": "date-time"}
    complete: Node = {"type": "object", "required": ["at"], "properties": {"at": at}}
    said = "All that was decided before `at` stands before this record in the partition."
    yield WATERMARK_TYPE, _mark(WATERMARK_TYPE, "Watermark", said, WATERMARK_KEY, complete)
    said = "Says nothing: it lets the broker close a segment, so that what is in it is compacted."
    yield NUDGE_TYPE, _mark(NUDGE_TYPE, "Nudge", said, NUDGE_KEY, {"type": "object"})


def _mark(kind: str, title: str, said: str, key: bytes, payload: Node) -> Node:
    return {
        "name": kind,
        "title": title,
        "summary": said,
        "contentType": JSON,
        "headers": _cloudevent(kind, versioned=False),
        "payload": payload,
        "bindings": _keyed({"type": "string", "const": key.decode(), "description": "Reserved."}),
    }


def _dead() -> Iterator[tuple[str, Node]]:
    place: Node = {"type": "string", "description": "`topic-partition-offset` of the record."}
    own: Node = {"type": "string", "description": "The record's own."}
    said = "A record as it was: its own headers stay, and these are added."
    yield "dead.letter", _parked("Dead letter", said, place, _named(PARKED))
    said = "What became of the letter under the same key; the value is empty."
    yield "dead.resolution", _parked("Resolution", said, place, _named(RESOLVED))
    yield "dead.replayed", _parked("Replayed record", "A record as it was.", own, {})


def _parked(title: str, said: str, key: Node, headers: Node) -> Node:
    return {
        "title": title,
        "summary": said,
        "contentType": BYTES,
        **({"headers": headers} if headers else {}),
        "bindings": _keyed(key),
    }


def _keyed(key: Node) -> Node:
    return {"kafka": {"key": key, "bindingVersion": BINDING}}


def _key_of(event: type[Event]) -> Node:
    field = schema_of(event.type)["properties"][event.key_field]
    held = {name: field[name] for name in ("pattern", "maxLength", "examples") if name in field}
    same = held if field.get("type") == "string" else {}
    return {"type": "string", "description": f"The payload's `{event.key_field}`.", **same}


def _cloudevent(kind: str, *, versioned: bool) -> Node:
    exact: Node = {"properties": {"ce_type": {"const": kind}}}
    if versioned:
        exact["required"] = ["ce_aggregateversion"]
    return {"type": "object", "allOf": [{"$ref": f"#/components/schemas/{HEADERS}"}, exact]}


def _named(always: Mapping[str, Node], sometimes: Mapping[str, Node] | None = None) -> Node:
    """Return the schema of headers; each is text."""
    every = {**always, **(sometimes or {})}
    return {
        "type": "object",
        "required": [*always],
        "properties": {name: {"type": "string", **said} for name, said in every.items()},
    }


def _hoisted(node: Any) -> Any:
    """Return a schema as a part of this document: references from its root, no identity."""
    if isinstance(node, list):
        return [_hoisted(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: value.replace("#/$defs/", "#/components/schemas/")
        if name == "$ref"
        else _hoisted(value)
        for name, value in node.items()
        if name not in {"$schema", "$id"}
    }
