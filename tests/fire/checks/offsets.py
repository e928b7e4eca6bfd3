"""L5: no committed offset passes what was not applied, and what cannot be applied is listed."""

from collections.abc import Iterator
from typing import Any, Final

from tests.fire.checks.base import Run, Violation

WORKS: Final = "deposits.works.v1"
# What each group reads, of the topics that are observed.
GROUPS: Final = {
    "distribution.projector": (WORKS, "accounts.prefixes.v1"),
    "distribution.products": (WORKS,),
}


def committed(run: Run) -> Iterator[Violation]:
    """At each look: what stands before the committed offsets is in the read model."""
    records: dict[int, list[tuple[int, str, int]]] = {}
    for entry in run.seen.get(WORKS, ()):
        if not entry.get("unreadable"):
            held = records.setdefault(entry["partition"], [])
            held.append((entry["offset"], entry["key"], entry["version"]))
    applied: dict[int, tuple[int, int, dict[str, int]]] = {}  # index, offset, newest before it
    for probe in run.of("probe"):
        versions: dict[str, int] = probe["versions"]
        for text, offset in probe["committed"].items():
            partition = int(text)
            index, before, newest = applied.get(partition, (0, 0, {}))
            if offset < before:
                index, newest = 0, {}  # a replay from zero
            ours = records.get(partition, [])
            while index < len(ours) and ours[index][0] < offset:
                _, key, version = ours[index]
                newest[key] = max(newest.get(key, 0), version)
                index += 1
            applied[partition] = (index, offset, newest)
            for key, version in newest.items():
                if versions.get(key, 0) < version:
                    said = f"committed {partition}:{offset}, {key} is {versions.get(key, 0)}"
                    yield Violation("L5", f"{said}, not {version}", (probe.number,))


def parked(run: Run) -> Iterator[Violation]:
    """The letters of a group are the records that cannot be read, each of them and no other."""
    letters: dict[str, list[list[Any]]] = run.finals.get("letters", {})
    for group, found in letters.items():
        expected = {
            (topic, entry["partition"], entry["offset"])
            for topic in GROUPS[group]
            for entry in run.seen.get(topic, ())
            if entry.get("unreadable")
        }
        listed = {(topic, int(partition), int(offset)) for topic, partition, offset in found}
        run.notes[f"letters of {group}"] += len(listed)
        for place in sorted(expected - listed):
            yield Violation("L5", f"{place} cannot be read and is no letter of {group}")
        for place in sorted(listed - expected):
            yield Violation("L5", f"{place} is a letter of {group} and can be read")
