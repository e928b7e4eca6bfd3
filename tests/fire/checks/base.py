"""What every check reads, and what it returns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from tests.fire.history import OK, Entry

SHOWN: Final = 20  # violations of one law in a text


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a law does not allow, and the numbers of the entries that show it."""

    law: str
    said: str
    entries: tuple[int, ...] = ()

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.entries))
        return f"{self.law}: {self.said}" + (f" (entries {numbers})" if numbers else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and how much was looked at."""

    seed: int
    violations: tuple[Violation, ...]
    counts: Mapping[str, int]

    def laws(self) -> set[str]:
        """Return the laws that were broken."""
        return {one.law for one in self.violations}

    def text(self) -> str:
        """Return the verdict for people."""
        lines = [f"seed {self.seed}"]
        lines += [f"  {count:>8,}  {name}" for name, count in sorted(self.counts.items())]
        by_law = Counter(one.law for one in self.violations)
        for law, count in sorted(by_law.items()):
            lines.append(f"BROKEN {law}: {count}")
            told = [one for one in self.violations if one.law == law]
            lines += [f"  {one}" for one in told[:SHOWN]]
            if count > SHOWN:
                lines.append(f"  ... and {count - SHOWN} more")
        if not self.violations:
            lines.append("nothing found")
        return "\n".join(lines)


@dataclass
class Run:
    """A history, by kind. What it ended in are its entries of kind ``final``, one for each part."""

    entries: Sequence[Entry]
    notes: Counter[str] = field(default_factory=Counter)  # what checks count beside violations

    @cached_property
    def kinds(self) -> dict[str, list[Entry]]:
        """Entries by kind, in the order they began."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.kind, []).append(entry)
        return found

    def of(self, *kinds: str) -> list[Entry]:
        """Return the entries of some kinds."""
        return [entry for kind in kinds for entry in self.kinds.get(kind, ())]

    def ok(self, *kinds: str) -> list[Entry]:
        """Return those that were done and said so."""
        return [entry for entry in self.of(*kinds) if entry.outcome == OK]

    @property
    def seed(self) -> int:
        """The seed it was run with."""
        return next((int(one["seed"]) for one in self.of("run")), 0)

    @cached_property
    def finals(self) -> dict[str, Any]:
        """The state in the end, by part; of a part told twice the later word."""
        return {entry["part"]: entry["data"] for entry in self.of("final")}

    @cached_property
    def seen(self) -> dict[str, list[Entry]]:
        """What was read of each topic, each record once, by partition and offset."""
        records: dict[str, dict[tuple[int, int], Entry]] = {}
        for entry in self.of("seen"):
            place = (entry["partition"], entry["offset"])
            records.setdefault(entry["topic"], {}).setdefault(place, entry)
        return {topic: [held[at] for at in sorted(held)] for topic, held in records.items()}

    def keys(self, topic: str) -> Iterator[tuple[str, list[Entry]]]:
        """Yield each key of a topic with its records, in the order of their offsets."""
        held: dict[str, list[Entry]] = {}
        for entry in self.seen.get(topic, ()):
            held.setdefault(entry["key"], []).append(entry)
        yield from held.items()

    def counts(self) -> dict[str, int]:
        """Count entries by kind and outcome, faults by what they were."""
        found: Counter[str] = Counter(self.notes)
        for entry in self.entries:
            match entry.kind:
                case "fault":
                    missed = "" if entry.outcome == OK else " (it did not come about)"
                    found[f"fault {entry['what']}{missed}"] += 1
                case "ended":
                    found[f"ended by itself: {entry['target']}"] += 1
                case "seen":
                    found[f"records of {entry['topic']}"] += 1
                case "run" | "final":
                    continue
                case kind:
                    found[f"{kind} {entry.outcome}"] += 1
        return dict(found)
