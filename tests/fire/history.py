"""What was asked, when, and what came of it: one line each, on one monotonic clock, as it happens.

Something that changes the registry is written before it is sent and again when it is answered, so
that the file of a killed run still says what may have happened. ``Entry`` is what a reader gets.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import aiohttp
import orjson

OK: Final = "ok"
REFUSED: Final = "refused"  # it was not done, and never will be
UNKNOWN: Final = "unknown"  # nobody answered, or not so that one could tell
# Answers of 503 before anything was written; of any other what was asked may have been done.
NOT_DONE: Final = frozenset(
    {"too-many-pending", "queue-full", "knowledge-stale", "credentials-stale", "busy"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One invocation, fault or observation; times in seconds, ``end`` None where none came."""

    number: int
    kind: str
    begin: float
    end: float | None
    outcome: str
    said: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.said[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return what was said of it under ``name``."""
        return self.said.get(name, default)


@dataclass(slots=True)
class Call:
    """An invocation under way; without a word its outcome stays unknown."""

    outcome: str = UNKNOWN
    came: dict[str, Any] = field(default_factory=dict)

    def ok(self, **came: Any) -> None:
        """It was done."""
        self.outcome, self.came = OK, came

    def answered(self, status: int, *, slug: str = "", retry: str | None = None) -> None:
        """Judge by the status of an answer alone."""
        if status < 400:
            self.outcome = OK
        elif status < 500 or (status == 503 and slug in NOT_DONE):
            self.outcome = REFUSED
        self.came |= {"status": status, "slug": slug, "retry": retry}


class History:
    """The history of one run; ``counts`` are by kind and outcome."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str]] = Counter()
        self._file: BinaryIO = path.open("ab")
        self._number = 0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @contextlib.contextmanager
    def call(self, kind: str, **asked: Any) -> Iterator[Call]:
        """Write an invocation before and after; a connection that breaks makes it unknown."""
        number = self._next()
        self._write({"n": number, "kind": kind, "begin": time.monotonic(), "said": asked})
        call = Call()
        end: float | None = None
        try:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                yield call
                end = time.monotonic()
        finally:
            self._write({"n": number, "end": end, "outcome": call.outcome, "said": call.came})
            self.counts[kind, call.outcome] += 1

    def note(
        self,
        kind: str,
        *,
        begin: float | None = None,
        end: float | None = None,
        outcome: str = OK,
        **said: Any,
    ) -> None:
        """Write what is over: a read, a fault, an observation."""
        now = time.monotonic()
        self._write(
            {
                "n": self._next(),
                "kind": kind,
                "begin": now if begin is None else begin,
                "end": now if end is None else end,
                "outcome": outcome,
                "said": said,
            }
        )
        self.counts[kind, outcome] += 1

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()


def read(path: Path) -> list[Entry]:
    """Return the entries of a file, in the order they began; a line cut off by a kill is left."""
    raw: dict[int, dict[str, Any]] = {}
    with path.open("rb") as file:
        for line in file:
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                break
            held = raw.setdefault(found["n"], {"end": None, "outcome": UNKNOWN})
            said = {**held.get("said", {}), **found["said"]}
            held |= found
            held["said"] = said
    entries = [
        Entry(n, one["kind"], one["begin"], one["end"], one["outcome"], one["said"])
        for n, one in raw.items()
    ]
    return sorted(entries, key=lambda one: (one.begin, one.number))
