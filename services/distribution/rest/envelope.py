"""The answers around messages: envelopes, error bodies, and the content types of the wire.

Two content types, because the wire has two (crossref.md 1.1, 1.9): clients compare them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.distribution.rest.failure import Failure
from services.distribution.rest.names import Page
from services.distribution.rest.params import ListQuery
from services.distribution.rest.plan import CursorInvalid

JSON: Final = "application/json"
JSON_UTF8: Final = "application/json;charset=utf-8"
PLAIN: Final = "text/plain"
VERSION: Final = "1.0.0"
NOT_FOUND: Final = b"Resource not found."


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer but for its other headers."""

    status: int
    content_type: str
    body: bytes


OK_TYPES: Final[Mapping[str, str]] = {
    "work": JSON,
    "work-list": JSON,
    "member": JSON,
    "member-list": JSON,
    "prefix": JSON_UTF8,
    "work-position": JSON,
    "work-agency": JSON_UTF8,
    "work-quality": JSON_UTF8,
    "journal": JSON,
    "journal-list": JSON,
    "funder": JSON,
    "funder-list": JSON,
    "type": JSON_UTF8,
    "type-list": JSON_UTF8,
    "license-list": JSON_UTF8,
    "style-list": JSON_UTF8,
    "locale-list": JSON_UTF8,
    "source-list": JSON_UTF8,
    "citing-work-list": JSON,
    "work-changes": JSON,
}
"""Message type -> content type of a success."""

NOT_FOUND_TYPES: Final[Mapping[str, str]] = {
    "work": PLAIN,
    "member": PLAIN,
    "prefix": JSON_UTF8,
    "work-list": JSON_UTF8,
    "journal": PLAIN,
    "funder": PLAIN,
    "type": JSON_UTF8,
    "work-agency": JSON_UTF8,
    "work-quality": JSON_UTF8,
    "work-transform": "text/plain;charset=utf-8",
}
"""What was looked for -> content type of its 404; work-list: the works of an unknown id."""


def success(message_type: str, message: Mapping[str, Any] | Sequence[Any]) -> Answer:
    """Return a success: four keys, always these."""
    envelope = {
        "status": "ok",
        "message-type": message_type,
        "message-version": VERSION,
        "message": message,
    }
    return Answer(200, OK_TYPES[message_type], orjson.dumps(envelope))


def work_list(
    items: Sequence[Mapping[str, Any]],
    *,
    total: int,
    rows: int,
    offset: int,
    terms: str | None,
    facets: Mapping[str, Any],
    cursor: str | None,
) -> dict[str, Any]:
    """Return the message of a works list: five keys, and next-cursor with a cursor."""
    message = {
        "facets": facets,
        "total-results": total,
        "items": items,
        "items-per-page": rows,
        "query": {"start-index": offset, "search-terms": terms},
    }
    return message if cursor is None else {**message, "next-cursor": cursor}


def name_list(
    items: Iterable[Mapping[str, Any]], *, page: Page[Any], query: ListQuery
) -> dict[str, Any]:
    """Return the message of a list of members, journals or funders.

    Four keys, and next-cursor with a cursor.
    """
    message = {
        "items-per-page": query.rows,
        "query": {"start-index": query.offset, "search-terms": query.terms},
        "total-results": page.total,
        "items": list(items),
    }
    return message if page.next_cursor is None else {**message, "next-cursor": page.next_cursor}


def plain_list(
    items: Sequence[Any], *, total: int | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """Return the message of a list that says no more than how many there are, and which."""
    message = {"total-results": len(items) if total is None else total, "items": items}
    return message if cursor is None else {**message, "next-cursor": cursor}


def validation_failure(failures: Iterable[Failure]) -> Answer:
    """Return 400 with all failures."""
    return Answer(400, JSON_UTF8, _failed("validation-failure", failures))


def cursor_invalid(cursor: CursorInvalid) -> Answer:
    """Return the answer to a cursor that is not ours or not of this question."""
    failure = Failure("cursor-invalid", cursor.value, "Cursor specified but it is invalid")
    return Answer(404, JSON, _failed("resource-failure", [failure]))


def resource_not_found(looked_for: str) -> Answer:
    """Return the answer for an unknown id."""
    return Answer(404, NOT_FOUND_TYPES[looked_for], NOT_FOUND)


def route_not_found() -> Answer:
    """Return the answer for a path that is no route."""
    body = {
        "status": "error",
        "message-type": "route-not-found",
        "message-version": VERSION,
        "message": "Route not found",
    }
    return Answer(404, JSON, orjson.dumps(body))


def _failed(message_type: str, failures: Iterable[Failure]) -> bytes:
    listed = [{"type": f.type, "value": f.value, "message": f.message} for f in failures]
    return orjson.dumps({"status": "failed", "message-type": message_type, "message": listed})
