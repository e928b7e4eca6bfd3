"""What is shown: documents, tables, and an erasure's way, as plain lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

NOTHING: Final[tuple[Any, ...]] = (None, "", [], {}, ())
LEVELS: Final = ("fenced", "unreadable", "gone", "irrecoverable", "certified")


def printable(value: Any) -> str:
    """Return a value in one line that cannot steer a terminal, whatever the service says."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        pairs = (f"{name} {printable(one)}" for name, one in value.items() if one not in NOTHING)
        return ", ".join(pairs)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(printable, value))
    text = "" if value is None else str(value)
    return "".join(one if one.isprintable() else "?" for one in text)


def member(document: Mapping[str, Any], path: str) -> Any:
    """Return a member of a document by a path such as ``levels/gone``; None where it is not."""
    found: Any = document
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def without(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a document without members of these names."""
    return {name: value for name, value in document.items() if name not in names}


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """Give the lines of a table; the last column is as wide as it is."""
    names = [column.rpartition("/")[2] for column in columns]
    cells = [names, *([printable(member(row, one)) for one in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def document(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Give the lines of a document; members that hold nothing are left out."""
    for name, one in value.items():
        if one in NOTHING:
            continue
        nested = isinstance(one, Mapping)
        listed = isinstance(one, list) and any(isinstance(each, Mapping) for each in one)
        text = isinstance(one, str) and "\n" in one
        if not (nested or listed or text):
            yield f"{indent}{printable(name)}: {printable(one)}"
            continue
        yield f"{indent}{printable(name)}:"
        if nested:
            yield from document(one, indent + "  ")
        elif text:
            yield from (f"{indent}  {printable(line)}" for line in one.splitlines())
        else:
            for each in one:
                yield f"{indent}  - {printable(each)}"


def erasure(view: Mapping[str, Any]) -> Iterator[str]:
    """Give the lines of an erasure: its plan or deeds, levels, and what it waits for."""
    yield f"erasure {printable(view['erasure'])}: {printable(view['state'])}" + (
        ", OVERDUE" if view.get("overdue") else ""
    )
    for name in ("cause", "rule", "asked-by", "approved-by", "ended-by", "refused-for", "plan"):
        if view.get(name):
            yield f"  {name}: {printable(view[name])}"
    yield from _services(view.get("services", ()))
    for name in ("keys", "exempt", "blockers"):
        for one in view.get(name, ()):
            yield f"  {name}: {printable(one)}"
    yield from _processors(view.get("processors", ()))
    for one in view.get("holds", ()):
        yield f"  holds: {printable(one)}"
    yield from _levels(view)
    for one in waits(view):
        yield f"  waits for {one}"
    if view.get("certificate"):
        yield f"  certificate: {printable(view['certificate'])}"


def _levels(view: Mapping[str, Any]) -> Iterator[str]:
    if begins := member(view, "expected/begins"):
        yield f"  begins at the earliest: {printable(begins)}"
    for name in LEVELS:
        if at := member(view, f"levels/{name}"):
            yield f"  {name}: {printable(at)}"
        elif at := member(view, f"expected/{name}"):
            yield f"  {name}: expected {printable(at)}, if nothing but time is waited for"


def _processors(processors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in processors:
        late = ", OVERDUE to be told" if one.get("overdue") else ""
        yield f"  processors: {printable(without(one, ('overdue',)))}{late}"


def _services(services: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in services:
        if done := one.get("done"):
            counts = ", ".join(f"{name} {done[name]}" for name in ("erased", "kept", "remaining"))
            yield f"  {printable(one['service'])}: {printable(done['outcome'])}, {counts}"
        elif found := one.get("found"):
            said = f"{printable(found['outcome'])}, {found['matched']} records"
            yield f"  {printable(one['service'])}: {said}"
        else:
            yield f"  {printable(one['service'])}: did not answer yet"


def waits(view: Mapping[str, Any]) -> list[str]:
    """Return what an erasure waits for, each in a line."""
    lines = []
    for one in view.get("waits", ()):
        who = f" of {printable(one['who'])}" if one.get("who") else ""
        since = f", since {printable(one['since'])}" if one.get("since") else ""
        until = f", until {printable(one['until'])}" if one.get("until") else ""
        lines.append(f"{printable(one['what'])}{who}{since}{until}")
    return lines


@dataclass(frozen=True, slots=True)
class News:
    """What is new of an erasure: a step that was come to, or what it waits for now."""

    what: str  # step, waits or level
    name: str
    at: str | None = None

    def line(self) -> str:
        """Return it as a line."""
        if self.what == "waits":
            return f"{'':24}  waits for {self.name}"
        return f"{printable(self.at):24}  {printable(self.name)}"


def news(view: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[News]:
    """Return what a view says that the one before did not: steps by their times, then waits."""
    known = (before or {}).get("times", {})
    times = view.get("times", {})
    steps = [News("step", name, times[name]) for name in times if name not in known]
    for name in ("unreadable", "irrecoverable"):  # levels that are no steps of their own
        at = member(view, f"levels/{name}")
        if at and name not in times and not member(before or {}, f"levels/{name}"):
            steps.append(News("level", name, at))
    steps.sort(key=lambda one: datetime.fromisoformat(str(one.at)))
    old = [] if before is None else waits(before)
    return steps + [News("waits", one) for one in waits(view) if one not in old]
