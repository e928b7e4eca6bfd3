"""L3 and L4: what readers were shown, and when they may be shown it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.fire.checks.base import Run, Violation
from tests.fire.checks.registers import (
    NEVER,
    STALE_SECONDS,
    Absent,
    Register,
    registers,
    told,
)
from tests.fire.history import Entry
from tests.fire.observer import PRODUCTS
from tests.fire.world import may_see, references, title_of

PREFIXES: Final = "accounts.prefixes.v1"
OWNERSHIP: Final = "deposits.ownership.v1"
Standing = tuple[str, int]  # a setting in force, and the owner


@dataclass(frozen=True, slots=True)
class Look:
    """One answer, or one record of a product, as far as references are concerned."""

    entry: Entry
    doi: str
    caller: str
    who: tuple[str, ...]  # whose misfortunes excuse it: replicas, and the broker
    begin: float
    end: float


class Gate:
    """What the gate may have known, by the history alone."""

    def __init__(self, run: Run) -> None:
        said = told(run)
        self.prefixes: dict[str, Register[Standing]] = registers(
            run, PREFIXES, lambda one: (one["setting"], one["owner"]), said
        )
        self.owners: dict[str, Register[str]] = registers(
            run, OWNERSHIP, lambda one: str(one["owner_prefix"]), said
        )
        self.faults: dict[str, list[tuple[float, float]]] = {}
        for fault in run.of("fault"):
            end = (fault.end or NEVER) + STALE_SECONDS
            for held in fault.get("holds", ()):
                self.faults.setdefault(held, []).append((fault.begin, end))

    def allows(self, look: Look, *, excused: bool = False) -> bool:
        """Say whether anything that may have been known allows what was shown."""
        for prefix in self._prefixes(look, excused=excused):
            register = self.prefixes.get(prefix)
            if register is None:
                continue
            for value in register.possible(look.begin, look.end, excused=excused):
                if not isinstance(value, Absent | None) and may_see(look.caller, *value):
                    return True
        return False

    def _prefixes(self, look: Look, *, excused: bool) -> Iterator[str]:
        """Yield the prefixes that may have owned the work: its own, else its title's."""
        own: Register[str] | None = self.owners.get(look.doi)
        by_title = own is None
        if own is not None:
            for value in own.possible(look.begin, look.end, excused=excused):
                if isinstance(value, Absent):
                    by_title = True
                elif value is not None:
                    yield value
        title = self.owners.get(title_of(look.doi))
        if by_title and title is not None:
            for value in title.possible(look.begin, look.end, excused=excused):
                if value is not None and not isinstance(value, Absent):
                    yield value

    def struck(self, look: Look) -> bool:
        """Say whether a fault held whoever answered, or the broker, shortly before or then."""
        since = look.begin - STALE_SECONDS
        return any(
            begin <= look.end and end >= since
            for who in look.who
            for begin, end in self.faults.get(who, ())
        )


def withheld(run: Run) -> Iterator[Violation]:
    """L3: no answer and no record of a product shows what nothing in force allows.

    An answer that came late because a fault held its replica or the broker is counted apart, as
    long as it obeys what its knowledge may be when it grows stale.
    """
    gate = Gate(run)
    for look in _looks(run):
        if gate.allows(look):
            continue
        if gate.struck(look) and gate.allows(look, excused=True):
            run.notes["late answers while a fault held the reader or the broker"] += 1
            continue
        what = look.entry.get("path") or look.entry.get("topic")
        yield Violation(
            "L3",
            f"{look.caller} was shown references of {look.doi} by {what} at {look.begin:.3f}",
            (look.entry.number,),
        )
    for entry in run.of("read", "seen"):
        if entry.get("leaked"):
            said = f"{entry['leaked']} references stand outside of their list"
            yield Violation("L3", said, (entry.number,))


def _looks(run: Run) -> Iterator[Look]:
    """Yield what was shown with references, once an answer and owner."""
    for entry in run.ok("read"):
        assert entry.end is not None
        asked: set[str] = set()
        who = (entry["replica"], "broker")
        for doi, _, shown, *_ in entry["items"]:
            run.notes["works read"] += 1
            # Of one answer, works of one title have one owner, but for those that have their own.
            same = title_of(doi) if doi.partition("/")[2][:1] in "hct" else doi
            if not shown or same in asked:
                continue
            asked.add(same)
            run.notes["works read with references"] += 1
            yield Look(entry, doi, entry["caller"], who, entry.begin, entry.end)
    writers = tuple(sorted(_products(run)))
    for topic, audience in PRODUCTS.items():
        for entry in run.seen.get(topic, ()):
            if entry.get("shown"):
                assert entry.end is not None
                run.notes[f"records with references in {topic}"] += 1
                yield Look(entry, entry["key"], audience, writers, entry.begin, entry.end)


def _products(run: Run) -> set[str]:
    """Return whose misfortunes may make a product late."""
    return {"broker"} | {
        held for fault in run.of("fault") for held in fault.get("holds", ()) if "products" in held
    }


def counted(run: Run) -> Iterator[Violation]:
    """L4: a work's counts follow from its version, whoever asks and whatever is withheld."""
    for entry in run.ok("read"):
        for doi, timestamp, shown, count, reason, _ in entry["items"]:
            expected = references(doi, timestamp)
            if count != expected or shown not in {None, expected}:
                said = f"{doi} at {timestamp} has {expected} references, shown {shown} of {count}"
                yield Violation("L4", said, (entry.number,))
            elif expected and shown is None and not reason and "select=" not in entry["path"]:
                said = f"{doi} has neither references nor a reason in {entry['path']}"
                yield Violation("L3", said, (entry.number,))
    for topic in PRODUCTS:
        for entry in run.seen.get(topic, ()):
            if not entry.get("unreadable") and entry["count"] != references(
                entry["key"], entry["timestamp"]
            ):
                said = f"{topic} counts {entry['count']} references of {entry['key']}"
                yield Violation("L4", said, (entry.number,))


def shown_in_the_end(run: Run) -> Iterator[Violation]:
    """L3 the other way: when all is quiet, everybody sees what the settings say, and no less."""
    gate = Gate(run)
    views: dict[str, dict[str, list[object]]] = run.finals.get("views", {})
    for caller, works in views.items():
        for doi, (_, shown, count, reason, _) in works.items():
            last = max((one.end or 0.0 for one in run.entries), default=0.0) + 60
            entry = Entry(0, "final", last, last, "ok", {})
            may = gate.allows(Look(entry, doi, caller, (), last, last))
            if bool(count) and (shown is not None) is not may:
                said = f"in the end {caller} sees {shown} of {count} references of {doi}: {reason}"
                yield Violation("L3", said)
