"""Comparing an answer with a recorded one: each difference by its place, none left out.

A difference is written as ``how where``: ``value message.score``, ``missing message.title``,
``extra``, ``type`` (of JSON), ``length`` (of a list). The table of docs/interfaces/differences.md
says which are meant, and why.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

HOWS: Final = ("value", "missing", "extra", "type", "length")


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One place at which an answer is not as it was recorded."""

    how: str
    where: str

    def __str__(self) -> str:
        return f"{self.how} {self.where}"


def differences(recorded: Any, ours: Any, at: str = "") -> Iterator[Difference]:
    """Yield every difference of two JSON values; elements of lists are compared in order."""
    if _kind(recorded) != _kind(ours):
        yield Difference("type", at)
    elif isinstance(recorded, dict):
        yield from _of_objects(recorded, ours, at)
    elif isinstance(recorded, list):
        if len(recorded) != len(ours):
            yield Difference("length", at)
        for one, other in zip(_ordered(recorded, at), _ordered(ours, at), strict=False):
            yield from differences(one, other, at + "[]")
    elif recorded != ours:
        yield Difference("value", at)


def _of_objects(
    recorded: Mapping[str, Any], ours: Mapping[str, Any], at: str
) -> Iterator[Difference]:
    for name in recorded.keys() | ours.keys():
        below = f"{at}.{name}" if at else name
        if name not in ours:
            yield Difference("missing", below)
        elif name not in recorded:
            yield Difference("extra", below)
        else:
            yield from differences(recorded[name], ours[name], below)


UNORDERED: Final = ("**.prefixes", "**.prefix", "**.names", "**.tokens")
"""Lists that mean sets: theirs stand in no order that anybody could keep to."""


def _ordered(values: Sequence[Any], at: str) -> Sequence[Any]:
    if any(_matches(one, at) for one in UNORDERED):
        return sorted(values, key=lambda one: json.dumps(one, sort_keys=True))
    return values


def _kind(value: Any) -> type:
    """Return the JSON type: one for all numbers, as readers of JSON see it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return type(value)
    return float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: in which answers, where, how and why something differs."""

    of: tuple[str, ...]
    where: tuple[str, ...]
    hows: tuple[str, ...]
    why: str

    def covers(self, names: Iterable[str], found: Difference) -> bool:
        """Whether it speaks of a difference in an answer that goes by these names."""
        return (
            found.how in self.hows
            and any(fnmatchcase(name, one) for one in self.of for name in names)
            and any(_matches(one, found.where) for one in self.where)
        )


def _matches(pattern: str, where: str) -> bool:
    """Match a place: ``*`` is one step of it, ``**`` any number of steps."""
    parts = re.split(r"(\*\*|\*)", pattern)
    steps = {"**": ".*", "*": r"[^.]*"}
    return re.fullmatch("".join(steps.get(one, re.escape(one)) for one in parts), where) is not None


def rows(document: Path) -> tuple[Row, ...]:
    """Return the rows of the first table of a document whose columns are of, where, how, why."""
    found = []
    for line in document.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 4:
            continue
        of, where, hows = (tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells[:3])
        assert set(hows) <= set(HOWS), line
        assert all((of, where, hows, cells[3])), line
        found.append(Row(of, where, hows, cells[3]))
    return tuple(found)


def absent(document: Path) -> frozenset[str]:
    """Return what a document's table of two columns says is not here at all."""
    found = set()
    for line in document.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 2:
            assert cells[1], line
            found.update(re.findall(r"`([^`]+)`", cells[0]))
    return frozenset(found)


def headers(recorded: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the differences of headers: recorded ones of another value, and those not sent.

    ``date`` is of its moment. More headers than were recorded are no difference: readers ignore
    what they do not know.
    """
    for name, value in recorded.items():
        if name == "date":
            continue
        if name not in ours:
            yield Difference("missing", f"header {name}")
        elif _tokens(name, ours[name]) != _tokens(name, value):
            yield Difference("value", f"header {name}")


LISTED: Final = ("vary", "access-control-allow-headers", "access-control-expose-headers")


def _tokens(name: str, value: str) -> Any:
    if name not in LISTED:
        return value
    return frozenset(one.strip().lower() for one in value.split(","))


def undocumented(
    names: Sequence[str], found: Iterable[Difference], table: Sequence[Row]
) -> list[str]:
    """Return the differences that no row speaks of, in order, each once."""
    return [
        str(one) for one in sorted(set(found)) if not any(row.covers(names, one) for row in table)
    ]
