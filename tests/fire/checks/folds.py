"""L2: read models are the folds of their topics, and no version goes down."""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, Final

from tests.fire.checks.base import Run, Violation
from tests.fire.observer import PRODUCTS

# What the store holds of the aggregates of a topic, and which read model is the topic's fold.
HELD: Final = {
    "deposits.works.v1": "works",
    "deposits.ownership.v1": None,
    "accounts.prefixes.v1": "prefixes",
}


def folded(run: Run) -> Iterator[Violation]:
    """Each read model holds the newest record of each key, whole, and nothing else."""
    for topic, model in HELD.items():
        if model is None:
            continue
        fold: dict[str, list[Any]] = run.finals.get(f"fold {topic}", {})
        shown: dict[str, list[Any]] = run.finals.get(model, {})
        for key in sorted(fold.keys() | shown.keys()):
            if fold.get(key) != shown.get(key):
                said = f"{key} is {shown.get(key)} in {model}, the topic's fold {fold.get(key)}"
                yield Violation("L2", said)
    works = run.finals.get("works", {})
    for caller, listed in run.finals.get("views", {}).items():
        for doi in sorted(works.keys() | listed.keys()):
            version = works.get(doi, [0, 0])[1]
            seen = listed.get(doi, [0])[0]
            if version != seen:
                said = f"{caller} sees {doi} at {seen} in lists, the read model has {version}"
                yield Violation("L2", said)
            elif (cited := run.finals["cited"].get(doi, 0)) != listed[doi][4]:
                said = f"{doi} is cited {cited} times, and said to be {listed[doi][4]} times"
                yield Violation("L4", said)


def published(run: Run) -> Iterator[Violation]:
    """All that was decided is published, first occurrences in order, the highest version last."""
    for topic in HELD:
        for key, records in run.keys(topic):
            numbers = tuple(one.number for one in records[-5:])
            versions = [one["version"] for one in records if not one.get("unreadable")]
            first = list(dict.fromkeys(versions))
            if first != sorted(first):
                yield Violation("L1", f"{topic} has {first[-5:]} of {key} in this order", numbers)
            if versions and versions[-1] != max(versions):
                said = f"{topic} ends with version {versions[-1]} of {key}, after {max(versions)}"
                yield Violation("L2", said, numbers)
    yield from _gaps(run)
    names = {one.get("submission") for one in run.seen.get("deposits.works.v1", ())}
    for submission, judged in run.finals.get("verdicts", {}).items():
        for index, (doi, status, _) in enumerate(judged):
            if status != "Failure" and f"{submission}#{index}" not in names:
                yield Violation("L1", f"{doi} of {submission} was accepted and never published")


def _gaps(run: Run) -> Iterator[Violation]:
    """Of prefixes and owners each version is an event; refusals take up versions of works."""
    for topic in HELD.keys() - {"deposits.works.v1"}:
        keys = dict(run.keys(topic))
        for key, newest in run.finals.get(f"held {topic}", {}).items():
            versions = {one["version"] for one in keys.get(key, ())}
            missing = sorted(set(range(1, newest + 1)) - versions)
            if missing:
                yield Violation("L1", f"{topic} has nothing of {key} at {missing[:5]}")


def monotone(run: Run) -> Iterator[Violation]:
    """Whoever reads a work after somebody read it reads the same version or a later one."""
    reads: dict[str, list[tuple[float, float, int, int]]] = {}
    for entry in run.of("read"):
        assert entry.end is not None
        if entry["status"] == 404 and entry["path"].startswith("/works/"):
            doi = entry["path"].removeprefix("/works/")
            reads.setdefault(doi, []).append((entry.begin, entry.end, 0, entry.number))
        for doi, timestamp, *_ in entry.get("items", ()):
            reads.setdefault(doi, []).append((entry.begin, entry.end, timestamp, entry.number))
    for doi, looks in reads.items():
        over: list[tuple[float, int, int]] = []  # reads by their ends
        newest, number = 0, 0
        for begin, end, timestamp, entry_number in sorted(looks):
            while over and over[0][0] < begin:
                _, seen, seen_number = heappop(over)
                if seen > newest:
                    newest, number = seen, seen_number
            if timestamp < newest:
                said = f"{doi} was read at {newest} and later at {timestamp}"
                yield Violation("L2", said, (number, entry_number))
            heappush(over, (end, timestamp, entry_number))


def products_in_order(run: Run) -> Iterator[Violation]:
    """In a product no later record of a key shows an older version of its work."""
    for topic in PRODUCTS:
        for key, records in run.keys(topic):
            newest = 0
            for record in records:
                if record.get("unreadable"):
                    continue
                if record["version"] < newest:
                    said = f"{topic} shows version {record['version']} of {key} after {newest}"
                    yield Violation("L2", said, (record.number,))
                newest = max(newest, record["version"])
        fold: dict[str, list[Any]] = run.finals.get(f"fold {topic}", {})
        works = run.finals.get("works", {})
        for doi in sorted(works.keys() | fold.keys()) if fold else ():
            if works.get(doi, [0, 0])[1] != fold.get(doi, [0, 0])[1]:
                said = f"{topic} ends with {fold.get(doi)} of {doi}, registered {works.get(doi)}"
                yield Violation("L2", said)
