"""How a command ends: the exit status, and the faults that lead to it."""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any


class End(IntEnum):
    """Exit statuses; click itself ends with 2 where a command is used wrongly."""

    DONE = 0
    REFUSED = 1  # or failed
    USAGE = 2
    SILENT = 3  # the service did not answer
    WAITING = 4  # still under way


class Fault(Exception):
    """Ends a command, with a sentence or none."""

    end = End.REFUSED


class Silent(Fault):
    """The service did not answer, or said that it cannot now."""

    end = End.SILENT


class Waiting(Fault):
    """It is not done yet."""

    end = End.WAITING


class Said(Fault):
    """The service said no: a problem document (RFC 9457), with the places that it names."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__("\n".join(said(status, document)))
        self.status = status
        self.document = document


def said(status: int, document: Mapping[str, Any]) -> Iterator[str]:
    """Give the lines that say a problem: title, detail, each place, and what to ask the log for."""
    yield f"{document.get('title', 'The service refused')} ({status})"
    if document.get("detail"):
        yield f"  {document['detail']}"
    faults = document.get("errors", ())
    for one in faults if isinstance(faults, Sequence) else ():
        place = one.get("at") or "/"
        line = f", line {one['line']}" if "line" in one else ""
        yield f"  at {place}{line}: {one.get('remedy') or one.get('rule', '')}"
    if document.get("correlation"):
        yield f"  correlation {document['correlation']}"
