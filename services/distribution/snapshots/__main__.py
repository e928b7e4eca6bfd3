"""``python -m services.distribution.snapshots``: build a month's, or list all."""

import asyncio
import signal
import sys
from typing import Final, Self

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.distribution.app import SERVICE, gated
from services.distribution.rebuild.insisting import first_of
from services.distribution.settings import Settings
from services.distribution.snapshots.months import Month, month_of, read_month
from services.distribution.snapshots.role import LEASE_SECONDS, Builder
from services.distribution.snapshots.shelf import BeingBuilt, Shelf
from shared.mongo import connect
from shared.policy.rules import load_delivery
from shared.policy.snapshots import load_snapshots
from shared.policy.sources import load_sources
from shared.runtime import log
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.service import wait_any

LINE_SECONDS: Final = 10.0
AWAY_SECONDS: Final = 120.0  # that a build waits for a broker or store which is away

logged = log.get_log(__name__)


@click.group()
def command() -> None:
    """Build and list the snapshots of this host's shelf (SNAPSHOTS_DIR)."""
    log.configure(service=SERVICE, level="warning")


@command.command()
@click.option("--month", help="Which one, as 2026-11; by default the last that has ended.")
def build(month: str | None) -> None:
    """Build a month's snapshot, or go on where a build was interrupted.

    One that runs still holds what was registered until now. It replaces an earlier one of the
    same month.
    """
    chosen = read_month(month) if month else month_of(SYSTEM.now()).plus(-1)
    if chosen is None:
        raise click.BadParameter("write it as 2026-11", param_hint="--month")
    console = Console(highlight=False, soft_wrap=True)
    try:
        built = uvloop.run(_build(Settings(), chosen, console))
    except (BeingBuilt, Transient) as reason:
        raise click.ClickException(str(reason)) from None
    if built is None:
        console.print("not finished: GET /snapshots/jobs says why; run it again to go on")
        sys.exit(1)
    console.print(f"{built} is ready")


@command.command(name="list")
def list_them() -> None:
    """List the snapshots that are ready and what they take of the disk."""
    settings = Settings()
    terms = load_sources(settings.policies_dir / "sources.toml").binding
    shelf, console = Shelf(settings.snapshots, terms), Console(highlight=False, soft_wrap=True)
    for one in shelf.ready():
        size = sum(one.manifest["bytes"].values()) / 1e6
        console.print(f"{one.month}  {one.manifest['works']:,} works  {size:,.1f} MB  {one.built}")
    console.print(f"{shelf.bytes_used() / 1e6:,.1f} MB in all")


async def _build(settings: Settings, month: Month, console: Console) -> str | None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gate = gated(settings, load_delivery(settings.policies_dir), Health())
    async with connect(
        settings.mongodb_url, settings.database_prefix + SERVICE, settings.mongodb_driver
    ) as database:
        done = asyncio.Event()
        with _Shown(console) as told:
            builder = Builder(
                settings,
                gate,
                database,
                load_snapshots(settings.policies_dir / "snapshots.toml"),
                told,
            )
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(gate.knowledge.run(done))
                    try:
                        return await _patiently(builder, month, stop)
                    finally:
                        done.set()
            except BaseExceptionGroup as faults:
                raise first_of(faults) from None


async def _patiently(builder: Builder, month: Month, stop: asyncio.Event) -> str | None:
    """Build; a lease whose process was killed is waited for, and a store that is away."""
    leased = SYSTEM.monotonic() + LEASE_SECONDS + 1
    away = SYSTEM.monotonic() + AWAY_SECONDS
    while True:
        began = SYSTEM.monotonic()
        try:
            return await builder.build(month, stop)
        except BeingBuilt:
            if stop.is_set() or SYSTEM.monotonic() > leased:
                raise
        except Transient as fault:
            if SYSTEM.monotonic() - began > AWAY_SECONDS:  # it was there in between
                away = SYSTEM.monotonic() + AWAY_SECONDS
            if stop.is_set() or SYSTEM.monotonic() > away:
                raise
            logged.warning("build waits", reason=str(fault))
        await wait_any(stop, timeout=1)


class _Shown:
    """A bar a phase; where there is no terminal, a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, object] = {}
        self._line = float("-inf")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, phase: str, done: int, total: int) -> None:
        task = self._tasks.get(phase)
        if task is None:
            task = self._tasks[phase] = self._progress.add_task(phase, total=total)
        self._progress.update(task, completed=done, total=total)  # type: ignore[arg-type]
        now = SYSTEM.monotonic()
        if not self._console.is_terminal and now - self._line >= LINE_SECONDS:
            self._line = now
            self._console.print(f"{phase}: {done:,} of {total:,}")


if __name__ == "__main__":
    command()
