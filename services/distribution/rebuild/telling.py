"""What whoever rebuilds is shown: a bar on a terminal, a line now and then elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from services.distribution.rebuild.changing import Changed
from shared.runtime.clock import SYSTEM, Clock

LINE_SECONDS: Final = 10.0
MILLION: Final = 1_000_000
SHOWN: Final = 20  # differences that are named

PHASES: Final = {
    "filling": "reading the log",
    "checking": "counting, comparing",
    "lists": "search indexes",
}


@dataclass(slots=True)
class Teller:
    """Shows how far it is; offsets are what is counted, and compacted ones count as done."""

    console: Console
    progress: Progress
    clock: Clock = SYSTEM
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _line: float = float("-inf")

    async def tell(self, phase: str, done: int, of: int) -> None:
        """Show that of a phase so much is done."""
        now = self.clock.monotonic()
        began = self._began.setdefault(phase, now)
        rate = done / (now - began) if now > began else 0.0
        if phase not in self._tasks:
            self._tasks[phase] = self.progress.add_task(PHASES[phase], total=of, rate=rate)
        self.progress.update(self._tasks[phase], completed=done, total=of, rate=rate)
        if not self.console.is_terminal and now - self._line >= LINE_SECONDS:
            self._line = now
            left = f", {timedelta(seconds=round((of - done) / rate))} left" if rate else ""
            self.console.print(f"{PHASES[phase]}: {done:,} of {of:,}, {rate:,.0f}/s{left}")


@contextmanager
def telling(console: Console) -> Iterator[Teller]:
    """Show progress while the block runs."""
    progress = Progress(
        TextColumn("{task.description:20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield Teller(console, progress)


def report(console: Console, changed: Changed) -> None:
    """Say how it ended."""
    outcome = changed.outcome
    for prefix in sorted(outcome.live | outcome.rebuilt):
        live, rebuilt = outcome.live[prefix], outcome.rebuilt[prefix]
        if live != rebuilt:
            console.print(f"{prefix}: {live:,} works live, {rebuilt:,} rebuilt at the first look")
    for (model, key), said in sorted(outcome.differs.items(), key=repr)[:SHOWN]:
        console.print(f"{model} {key if key is not None else '(how many)'}: {said}", markup=False)
    if len(outcome.differs) + outcome.more > SHOWN:
        console.print(f"... and {len(outcome.differs) + outcome.more - SHOWN:,} more")
    if changed.left_out:
        console.print(f"{changed.left_out:,} records could not be read or applied: dead letters?")
    works = outcome.compared["works"]
    seconds = sum(changed.seconds.values())
    spent = ", ".join(f"{phase} {took:.1f} s" for phase, took in changed.seconds.items())
    if works and seconds:
        console.print(
            f"{works:,} works in {seconds:.1f} s ({spent}): {works / seconds:,.0f} works/s,"
            f" {timedelta(seconds=round(seconds / works * MILLION))} per million works"
        )
