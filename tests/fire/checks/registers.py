"""What a preference or an owner may have been, to whoever looked at a moment.

A register is one key of a gate topic: its states in the order in which readers obey them. From
when the broker had a state, somebody may obey it; a second after it took effect everybody must, and
five seconds after it was decided everybody must whatever befell them, or show nothing: by then
what they know is stale.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from tests.fire.checks.base import Run
from tests.fire.history import Entry

OBEYED_SECONDS: Final = 1.0  # law L3: "plus the stated second"
STALE_SECONDS: Final = 5.0  # deploy/policies/references.toml: stale-after
NEVER: Final = float("inf")
CLOCK: Final = 0.005  # LogAppendTime has milliseconds, and comes from another clock

T = TypeVar("T")


class Absent:
    """What a key is before its first record."""


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class State(Generic[T]):
    """One state; ``value`` None denies: a record that cannot be read.

    ``effect`` is the last moment at which it may have taken effect; ``decided`` the same of its
    decision, infinite where nobody was told.
    """

    value: T | None
    appended: float
    effect: float
    decided: float = NEVER


@dataclass(slots=True)
class Register(Generic[T]):
    """The states of one key."""

    states: Sequence[State[T]]
    _strict: list[float] = field(init=False)
    _excused: list[float] = field(init=False)

    def __post_init__(self) -> None:
        """Find out since when each state may no longer be obeyed."""
        self._strict = self._ends(OBEYED_SECONDS)
        self._excused = self._ends(STALE_SECONDS)

    def _ends(self, seconds: float) -> list[float]:
        """For each state: until when a look may begin that still obeys it."""
        ends, least = [], NEVER
        for state in reversed(self.states):
            ends.append(least)
            least = min(least, state.effect + seconds, state.decided + STALE_SECONDS)
        # Before the first there was nothing; that, too, is over when the first must be obeyed.
        return [least, *reversed(ends)]

    def possible(
        self, begin: float, end: float, *, excused: bool = False
    ) -> Iterator[T | Absent | None]:
        """Yield each value that a look from ``begin`` to ``end`` may obey."""
        ends = self._excused if excused else self._strict
        if ends[0] >= begin:
            yield ABSENT
        # Ends never fall: those before the first that reaches to ``begin`` are over.
        for index in range(max(bisect_left(ends, begin, lo=1) - 1, 0), len(self.states)):
            state = self.states[index]
            if state.appended > end + CLOCK:
                return
            yield state.value


def gated(
    records: Sequence[Entry], value: Callable[[Entry], T]
) -> Iterator[tuple[Entry, T | None]]:
    """Fold one key's records as a gate does: yield each that counts, None where it denies."""
    known, denied = 0, False
    for record in records:
        if record.get("unreadable"):
            stated = record.get("floor")
            if stated is not None and stated < known:
                continue
            if denied:
                known = max(stated or 0, known)
                continue
            known, denied = (known + 1 if stated is None else stated), True
            yield record, None
        elif record["version"] > known:
            known, denied = record["version"], False
            yield record, value(record)


@dataclass(frozen=True, slots=True)
class Told:
    """When somebody was told of a version: that it was decided, that it is in effect."""

    decided: float = NEVER
    effect: float = NEVER

    def and_by(self, end: float, *, in_effect: bool) -> "Told":
        """Return what is known with one more answer, which ended at ``end``."""
        return Told(min(self.decided, end), min(self.effect, end) if in_effect else self.effect)


def told(run: Run) -> dict[tuple[str, int], Told]:
    """Return by key and version what the callers of changes were told."""
    found: dict[tuple[str, int], Told] = {}
    for call in run.ok("flip", "move-prefix", "default", "move"):
        assert call.end is not None
        for key, version in call.get("versions", ()):
            # Of a title or a work is said that it is durable, not that readers know.
            in_effect = call.kind != "move" and call.get("status") == 200
            before = found.get((key, version), Told())
            found[key, version] = before.and_by(call.end, in_effect=in_effect)
    return found


def registers(
    run: Run, topic: str, value: Callable[[Entry], T], said: Mapping[tuple[str, int], Told]
) -> dict[str, Register[T]]:
    """Return the registers of a topic; ``said`` is what callers were told.

    What somebody was told of and nobody read is a state that none obeys, and that all must heed.
    """
    found = {}
    for key, records in run.keys(topic):
        states, newest = [], 0
        for record, held in gated(records, value):
            assert record.end is not None
            newest = record["version"] or newest
            known = said.get((key, record["version"] or -1), Told())
            effect = min(record.end, known.effect)
            states.append(State(held, record.begin, effect, known.decided))
        unread = [
            one.decided for (of, version), one in said.items() if of == key and version > newest
        ]
        states += [State(None, NEVER, NEVER, min(unread))] if unread else []
        found[key] = Register(states)
    return found
