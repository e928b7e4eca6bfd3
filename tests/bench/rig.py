"""What every bench shares: the pair, the machine line, rounds in turn, and the closing line."""

import os
import platform as machine
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console

from shared.events import WorkRegistered
from shared.kafka import topics
from shared.mongo import Database, connect
from shared.runtime.ids import new_id
from tests.platform import Platform, shared_platform

T = TypeVar("T")
console = Console(width=110, highlight=False)


NUMBER_FROM: Final = 1_000  # what SCALE= names is how many from here on, below it how many times


@dataclass(frozen=True, slots=True)
class Rig:
    """The pair of this run, names of its own on it, and a folder."""

    bootstrap: str
    mongodb_url: str
    prefix: str
    database: Database
    folder: Path


def sized(usual: int, *, least: int = 1) -> int:
    """Return how many there are: ``SCALE=0.1`` a tenth of the usual, ``SCALE=1000000`` so many."""
    scale = float(os.environ.get("SCALE", "1"))
    return max(least, int(scale if scale >= NUMBER_FROM else usual * scale))


def kept_folder() -> Path | None:
    """Return the folder that ``KEEP=`` names: what is made there is found by the next run."""
    named = os.environ.get("KEEP")
    return Path(named).resolve() if named else None


@asynccontextmanager
async def rig(kept: Path | None = None) -> AsyncIterator[Rig]:
    """Start or use a broker and a store, over a folder kept or not; say on what this runs."""
    with ExitStack() as stack:
        pair = stack.enter_context(shared_platform(kept))
        folder = kept or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="colophon-bench-"))
        )
        prefix = "kept." if kept else f"bench{new_id()[:8]}."
        await topics.create(pair.kafka_bootstrap, prefix=prefix)
        describe(pair)
        async with connect(pair.mongodb_url, prefix.replace(".", "_")) as database:
            yield Rig(pair.kafka_bootstrap, pair.mongodb_url, prefix, database, folder)


def describe(pair: Platform) -> None:
    """Print the machine, the commit and where broker and store come from."""
    describe_machine()
    console.print(
        f"broker: {pair.broker_source}; store: {pair.store_source}, synced at each commit"
    )


def describe_machine() -> None:
    """Print the machine and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    console.print(
        f"machine: {os.cpu_count()} cores, {machine.machine()}, Python {machine.python_version()};"
        f" load {os.getloadavg()[0]:.1f}; commit {commit}"
    )


async def in_turn(
    rounds: int, ours: Callable[[int], Awaitable[float]], bare: Callable[[int], Awaitable[float]]
) -> tuple[list[float], list[float]]:
    """Run both in turn and return the figures of each; who begins changes every round."""
    a, b = [], []
    for number in range(rounds):
        first, second = (ours, bare) if number % 2 else (bare, ours)
        x, y = await first(number), await second(number)
        mine, plain = (x, y) if number % 2 else (y, x)
        a.append(mine)
        b.append(plain)
        console.print(
            f"round {number + 1}: ours {mine:,.1f}, bare {plain:,.1f}, {mine / plain:.2f}"
        )
    return a, b


async def spending(what: str, run: Awaitable[T]) -> T:
    """Print what a run took of the processors, by process; return what it returns."""
    before = _spent()
    figure = await run
    took = {name: seconds - before.get(name, 0.0) for name, seconds in _spent().items()}
    said = ", ".join(f"{name} {seconds:.1f}" for name, seconds in took.items() if seconds >= 0.05)
    console.print(f"{what}: CPU seconds of {said}")
    return figure


def say_held(folder: Path) -> None:
    """Print what a folder takes of the disk, and processes of memory at their peak."""
    held = 512 * sum(one.stat().st_blocks for one in folder.rglob("*") if one.is_file())
    peaks = defaultdict[str, int](int)
    for pid in _processes():
        with suppress(OSError, IndexError):  # it ended
            status = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2]
            peaks[_named(pid)] = max(peaks[_named(pid)], int(status.split()[0]) * 1024)
    said = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in peaks.items())
    console.print(f"{held / 1e6:,.0f} MB of disk; MB of memory at the peak, the greatest: {said}")


def _spent() -> dict[str, float]:
    """Return the CPU seconds of this process and all below it, by what they are."""
    found = defaultdict[str, float](float)
    for pid, said in _processes().items():
        with suppress(OSError):  # it ended
            found[_named(pid)] += (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")
    return dict(found)


def _processes() -> dict[int, list[str]]:
    """Return this process and all below it, with what the system says of each (proc(5), stat)."""
    fields: dict[int, list[str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended
            number, _, rest = path.read_text().partition(" (")
            fields[int(number)] = rest.rpartition(") ")[2].split()
    ours = {os.getpid()}
    while more := {pid for pid, said in fields.items() if int(said[1]) in ours} - ours:
        ours |= more
    return {pid: said for pid, said in fields.items() if pid in ours}


def _named(pid: int) -> str:
    if pid == os.getpid():
        return "the bench"
    line = Path(f"/proc/{pid}/cmdline").read_bytes()
    kinds = {b"kafka.Kafka": "broker", b"secantusd": "store", b"forkserver": "services"}
    return next((name for mark, name in kinds.items() if mark in line), "others")


def close(name: str, ours: Sequence[float], bare: Sequence[float], unit: str) -> None:
    """Print the medians and, last, the line ``<name> <ratio>``."""
    ratios = [x / y for x, y in zip(ours, bare, strict=True)]
    console.print(
        f"ours {statistics.median(ours):,.1f} {unit}, bare {statistics.median(bare):,.1f} {unit};"
        f" ratios {min(ratios):.2f} to {max(ratios):.2f}"
    )
    print(f"{name} {statistics.median(ratios):.2f}")  # noqa: T201  (the promised last line)


def work(number: int, *, references: int = 20, version: int = 1, prefix: str = "10.5555") -> Any:
    """Make a work of about 3.5 KB with ``references`` references, most of them with a DOI."""
    listed = [
        {
            "key": f"ref{n}",
            "author": "Ångström",
            "year": str(1990 + n % 30),
            "journal-title": "Annals of Measured Things",
            "first-page": str(100 + n),
            **({"DOI": f"10.5555/{(number * 31 + n * 977) % 50_000}"} if n % 4 else {}),
        }
        for n in range(references)
    ]
    return WorkRegistered(
        doi=f"{prefix}/{number}",
        prefix=prefix,
        timestamp=str(20260101 + version),
        created="2026-01-01T00:00:00Z",
        deposited="2026-01-01T00:00:00Z",
        submission=f"{number}#0",
        version=version,
        work={
            "type": "journal-article",
            "DOI": f"{prefix}/{number}",
            "title": [f"On the measurement of thing {number} and what may be learned from it"],
            "container-title": ["Annals of Measured Things"],
            "ISSN": ["1234-5679"],
            "issn-type": [{"type": "print", "value": "1234-5679"}],
            "published": {"date-parts": [[2000 + number % 25, 1 + number % 12]]},
            "issued": {"date-parts": [[2000 + number % 25, 1 + number % 12]]},
            "author": [
                {"given": "Ada", "family": f"Author{n}", "sequence": "first", "affiliation": []}
                for n in range(4)
            ],
            "resource": {"primary": {"URL": f"https://example.org/{number}"}},
            "URL": f"https://doi.org/{prefix}/{number}",
            "reference": listed,
            "references-count": references,
            "reference-count": references,
        },
    )
