"""What is done to the registry, and when: a schedule as data, from a seed.

After Faust's killer (TERM every few seconds, then bursts of KILL), with pauses longer than any
lease, session or transaction, a broker and a store that are killed and frozen, members of a group
that come and go, replays, poison, jumping clocks and full disks.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

TERM = "term"
KILLS = "kills"
PAUSE = "pause"
BROKER_KILL, BROKER_FREEZE, BROKER_FULL = "broker-kill", "broker-freeze", "broker-full"
STORE_KILL, STORE_FREEZE, STORE_FULL = "store-kill", "store-freeze", "store-full"
LEAVE = "leave"
REPLAY = "replay"
POISON_WORKS, POISON_GATE = "poison-works", "poison-gate"
JUMP = "jump"
CRASH = "crash"

LONGER: Final = (11.0, 16.0)  # than the lease of 5 s, the session and the transaction of 10 s
JUMPS: Final = (-3600.0, -30.0, 30.0, 3600.0)  # seconds
# What was received by a clock that is ahead is refused only when all clocks have come as far: an
# hour, which nobody waits for here.
BOUNDED_JUMPS: Final = (-3600.0, -30.0, 30.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """``what`` befalls ``target`` at ``at`` seconds of the run, for ``seconds``, by ``much``.

    ``point`` names the place at which it is killed, or frozen where it ends with ``:stop``.
    """

    at: float
    what: str
    target: str = ""
    seconds: float = 0.0
    much: float = 0.0
    point: str = ""


@dataclass(frozen=True, slots=True)
class Targets:
    """Slots: ``all`` that may be killed, ``joining`` that may leave a group and come back.

    ``receiving`` are those that take deposits in; ``points`` the named places that slots pass.
    """

    all: Sequence[str]
    receiving: Sequence[str] = ()
    points: Mapping[str, Sequence[str]] = field(default_factory=dict)
    joining: Sequence[str] = ()
    platform: bool = False  # whether broker and store are ours to break
    full: bool = False  # whether their disks are ours to fill


def schedule(seed: int, seconds: float, targets: Targets) -> list[Fault]:
    """Return the faults of a run, in order; each is over before ``seconds`` are."""
    chance = random.Random(f"{seed} schedule")
    phases: list[Callable[[random.Random, float, Targets, int], Iterator[Fault]]]
    phases = [_terms, _bursts, _crashes, _pauses, _platform, _members, _oddities]
    found: list[Fault] = []
    at, cycle = 3.0, 0
    while at < seconds:
        for phase in phases:
            faults = list(phase(chance, at, targets, cycle))
            found += faults
            at = max((one.at + one.seconds for one in faults), default=at) + chance.uniform(4, 12)
        cycle += 1
        at += chance.uniform(5, 15)  # quiet
    return sorted((one for one in found if one.at + one.seconds < seconds), key=lambda one: one.at)


def _terms(chance: random.Random, at: float, targets: Targets, _cycle: int) -> Iterator[Fault]:
    """TERM now and then."""
    for _ in range(chance.randint(3, 6)):
        at += chance.uniform(1, 8)
        yield Fault(at, TERM, chance.choice(targets.all))


def _bursts(chance: random.Random, at: float, targets: Targets, _cycle: int) -> Iterator[Fault]:
    """Bursts of KILL: while one goes on, no process of the slot lives for a second."""
    for _ in range(3):
        seconds = chance.uniform(2, 5)
        yield Fault(at, KILLS, chance.choice(targets.all), seconds)
        at += seconds + chance.uniform(1, 5)


def _crashes(chance: random.Random, at: float, targets: Targets, _cycle: int) -> Iterator[Fault]:
    """Killed or frozen exactly where one thing is done and the next is not."""
    slots = [name for name in targets.all if targets.points.get(name)]
    for target in chance.sample(slots, min(3, len(slots))):
        point = f"{chance.choice(list(targets.points[target]))}:{chance.randint(1, 3)}"
        stop = ":stop" if chance.random() < 0.3 else ""
        yield Fault(at, CRASH, target, chance.uniform(*LONGER), point=point + stop)
        at += chance.uniform(1, 4)


def _pauses(chance: random.Random, at: float, targets: Targets, _cycle: int) -> Iterator[Fault]:
    """Processes that wake up long after everybody took them for dead; one sleeps shorter."""
    for target in chance.sample(list(targets.all), min(3, len(targets.all))):
        yield Fault(at, PAUSE, target, chance.uniform(*LONGER))
        at += chance.uniform(2, 6)
    yield Fault(at, PAUSE, chance.choice(targets.all), chance.uniform(1, 4))


def _platform(chance: random.Random, at: float, targets: Targets, cycle: int) -> Iterator[Fault]:
    """What everybody depends on, in turns."""
    if not targets.platform:
        return
    turns = [BROKER_KILL, STORE_KILL, BROKER_FREEZE, STORE_FREEZE]
    turns += [BROKER_FULL, STORE_FULL] if targets.full else []
    what = turns[cycle % len(turns)]
    yield Fault(at, what, what.partition("-")[0], chance.uniform(3, 14))


def _members(chance: random.Random, at: float, targets: Targets, _cycle: int) -> Iterator[Fault]:
    """Replicas leave the group and join it again."""
    for target in targets.joining:
        yield Fault(at, LEAVE, target, chance.uniform(2, 15))
        at += chance.uniform(1, 6)


def _oddities(chance: random.Random, at: float, targets: Targets, cycle: int) -> Iterator[Fault]:
    """One of the rest, in turns."""
    match (REPLAY, POISON_WORKS, JUMP, POISON_GATE)[cycle % 4]:
        case "jump":
            target = chance.choice(targets.all)
            much = chance.choice(BOUNDED_JUMPS if target in targets.receiving else JUMPS)
            yield Fault(at, JUMP, target, chance.uniform(6, 20), much)
        case what:
            yield Fault(at, what)
