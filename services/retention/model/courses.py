"""What becomes of a clock by the order of a record's facts, whatever their dates. Pure.

Which fact a clock began with, whether it was cancelled, and what keeps the record follow from the
order in which facts came, and from which came at once. Very many records have lives of the same
shape: it is worked out for the shape, and a record's own moments are put in afterwards (folding).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from services.retention.model.facts import EVER
from shared.policy.retention import KeepRow, RuleRow

# Of each fact by date: what, the place of its moment among those of the record, 0 for none, and a
# number for what it is about.
Shape = tuple[tuple[str, int, int], ...]
CANCEL: Final = 4
RESTART: Final = 2
START: Final = 1


class Told(NamedTuple):
    """The facts of a record, by date: their shape, and its moments by their places there."""

    shape: Shape
    moments: tuple[datetime, ...]


class Course(NamedTuple):
    """What became of one rule's clock that was started and not cancelled.

    ``begun`` and ``free``, when the last thing that kept the record let go of it, are places of
    moments; 0 where the fact has no date. ``unsure``: a fact without a date may have ended it.
    ``stood`` are places from which until which it stood still; ``longer``: it was extended.
    """

    begun: int
    unsure: bool
    kept: bool = False
    free: int = 0
    stood: tuple[tuple[int, int], ...] = ()
    longer: bool = False


@dataclass(frozen=True, slots=True)
class Starts:
    """What each fact does to a clock, and how many different ones start it."""

    roles: Mapping[str, int]
    wanted: int

    @classmethod
    def of(cls, row: RuleRow) -> Self:
        """Make it of a rule's row."""
        roles = dict.fromkeys(row.cancel, CANCEL)
        for name in row.triggers:
            roles[name] = roles.get(name, 0) | START
        for name in row.restart:
            roles[name] = roles.get(name, 0) | RESTART
        return cls(roles, 1 if row.any else len(set(row.all)))


@dataclass(frozen=True, slots=True)
class Moves:
    """Which facts let a clock stand still, which let it run on, and which make it longer."""

    pauses: frozenset[str]
    resumes: frozenset[str]
    extends: frozenset[str]

    @classmethod
    def of(cls, row: RuleRow) -> Self:
        """Make it of a rule's row."""
        return cls(frozenset(row.pauses), frozenset(row.resumes), frozenset(row.extends))

    def __bool__(self) -> bool:
        return bool(self.pauses or self.extends)


@dataclass(frozen=True, slots=True)
class Keep:
    """Which facts begin to keep a record, and which end it."""

    begins: frozenset[str]
    until: frozenset[str]

    @classmethod
    def of(cls, row: KeepRow) -> Self:
        """Make it of a row."""
        return cls(frozenset(row.begins), frozenset(row.until))


def told_of(facts: Iterable[Mapping[str, Any]]) -> Told:
    """Read the facts of a kept record, as its JSON has them: each once and by date."""
    read = datetime.fromisoformat
    moments, shape = [EVER], []
    abouts: dict[str, int] = {}
    last = EVER
    place = 0
    for one in facts:
        at, about = one["at"], one["about"]
        if at and (moment := read(at)) != last:
            moments.append(moment)
            last = moment
            place += 1
        number = abouts.setdefault(about, len(abouts) + 1) if about else 0
        shape.append((one["what"], place if at else 0, number))
    return Told(tuple(shape), tuple(moments))


def course(starts: Starts, keeps: Sequence[Keep], moves: Moves, shape: Shape) -> Course | None:
    """Return what becomes of a clock in lives of a shape; None where none runs."""
    begun, unsure = _begun(starts, shape)
    if begun is None:
        return None
    every = [_kept(keep, shape) for keep in keeps]
    kept, free = any(one for one, _ in every), max((one for _, one in every), default=0)
    if not moves or not begun or unsure:
        return Course(begun, unsure, kept, free)
    stood, still = _stood(moves, shape, begun)
    longer = any(what in moves.extends and (not at or at >= begun) for what, at, _ in shape)
    return Course(begun, unsure, kept or still, free, stood, longer)


def _stood(moves: Moves, shape: Shape, begun: int) -> tuple[tuple[tuple[int, int], ...], bool]:
    """Return from when until when a clock stood still since it began, and whether it does now."""
    named = [one for one in shape if one[0] in moves.pauses or one[0] in moves.resumes]
    # Of one moment, what pauses comes last.
    named.sort(key=lambda one: (one[1], one[0] in moves.pauses))
    open_: set[int] = set()
    since, found = begun, []
    for what, place, about in named:
        if what in moves.pauses:
            since = since if open_ else max(place, begun)
            open_.add(about)
        elif place and about in open_:
            open_.remove(about)
            if not open_:
                found.append((since, max(place, begun)))
    return tuple(found), bool(open_)


def _kept(keep: Keep, shape: Shape) -> tuple[bool, int]:
    """Say whether a row keeps the record now, and when it last let go of it."""
    begun: dict[int, int] = {}
    ended: dict[int, int] = {}
    for what, place, about in shape:
        if what in keep.begins:
            begun[about] = place
        elif place and what in keep.until:
            # An end without a date may have come before the beginning: it frees nothing.
            ended[about] = place
    kept = any(about not in ended or ended[about] <= place for about, place in begun.items())
    return kept, max((ended[about] for about in begun if about in ended), default=0)


def _begun(starts: Starts, shape: Shape) -> tuple[int | None, bool]:
    """Return when a running clock began, and whether a fact without a date may have ended it.

    0 where a fact that it began with has no date; None where no clock runs.
    """
    named = [(place, role, what) for what, place, _ in shape if (role := starts.roles.get(what))]
    # Of one moment, what cancels comes last.
    named.sort(key=lambda one: (one[0], one[1] == CANCEL))
    unsure = any(not place and role > START for place, role, _ in named)
    return _run(named, starts.wanted), unsure


def _run(named: Sequence[tuple[int, int, str]], wanted: int) -> int | None:
    seen: dict[str, int] = {}
    running = False
    restarted: int | None = None
    for place, role, what in named:
        if role == CANCEL:
            seen, running, restarted = {}, False, None
        elif running:
            if role & RESTART:
                restarted = place
        elif role & START:
            seen.setdefault(what, place)
            running = len(seen) == wanted
    if not running:
        return None
    if restarted is not None:
        return restarted
    return 0 if 0 in seen.values() else max(seen.values())
