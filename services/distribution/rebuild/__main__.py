"""``python -m services.distribution.rebuild``: rebuild the read models beside the live ones."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import click
import uvloop
from rich.console import Console

from services.distribution.rebuild import telling, watching, wishes
from services.distribution.rebuild.changing import Changing, abandon
from services.distribution.rebuild.filling import pace_of
from services.distribution.rebuild.insisting import first_of
from services.distribution.rebuild.notes import Notes
from services.distribution.rebuild.pointer import NotNow, ReadModels
from services.distribution.rebuild.source import Log
from services.distribution.settings import Settings
from shared.mongo import Database, Lease, connect
from shared.mongo.leases import LEASE_SECONDS
from shared.runtime import log
from shared.runtime.faults import Transient

SERVICE: Final = "distribution"
ACTIONS: Final = ("run", "back", "abandon", "status")

Part = Literal["store", "search"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    only: Part | None
    gentle: bool
    keep: timedelta
    despite: bool
    patience: float


@click.command()
@click.argument("action", type=click.Choice(ACTIONS), default="run")
@click.option("--only", type=click.Choice(["store", "search"]), help="Only one of the two.")
@click.option(
    "--pace",
    type=click.Choice(["gentle", "full"]),
    default="gentle",
    show_default=True,
    help="gentle: rest as long as the store was kept busy; full: no rests.",
)
@click.option(
    "--keep",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="Hours for which what was live is kept, and written, for going back.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds that what differs may stay so before the change-over is refused.",
)
@click.option(
    "--despite-differences",
    "despite",
    is_flag=True,
    help="Change over though the rebuilt one differs: it is the live one that is wrong.",
)
def command(
    action: str, only: Part | None, pace: str, keep: float, patience: float, *, despite: bool
) -> None:
    """Rebuild the read models of distribution beside the live ones, and change over.

    run: works, members and prefixes in the store, then each host's search index, from the topics;
    goes on where a rebuild was interrupted. Nothing changes for readers before both are equal.

    back: make the generation that was live before live again.

    abandon: give up what is under way; what is live stays live.

    status: say which generation is live and what is under way.
    """
    console = Console(highlight=False, soft_wrap=True)
    wanted = Wanted(only, pace == "gentle", timedelta(hours=keep), despite, patience)
    log.configure(service=SERVICE, level="warning")
    try:
        status = uvloop.run(_main(Settings(), action, wanted, console))
    except (NotNow, Transient) as reason:
        raise click.ClickException(str(reason)) from None
    except KeyboardInterrupt:
        console.print("interrupted: what is live stays live; run it again to go on")
        status = 130
    sys.exit(status)


async def _main(settings: Settings, action: str, wanted: Wanted, console: Console) -> int:
    async with connect(
        settings.mongodb_url, settings.database_prefix + SERVICE, settings.mongodb_driver
    ) as database:
        models = ReadModels(database)
        match action:
            case "status":
                return await _status(models, console)
            case "abandon":
                return await _abandon(models, wanted, console)
        async with _alone(database, _name(settings)):
            return await _change(settings, database, action, wanted, console)


async def _change(
    settings: Settings, database: Database, action: str, wanted: Wanted, console: Console
) -> int:
    with telling.telling(console) as teller:
        changing = Changing(
            database,
            Log(settings.kafka_bootstrap, settings.topic_prefix),
            pace_of(gentle=wanted.gentle),
            _name(settings),
            wanted.keep,
            wanted.despite,
            wanted.patience,
            tell=teller.tell,
        )
        if action == "back":
            changed = await changing.back()
            console.print(f"generation {changed.live} is live again")
            return 0
        if wanted.only != "search":
            changed = await changing.rebuild()
            telling.report(console, changed)
            if not changed.over:
                console.print(
                    "not changed over: they differ. Run it again to compare again, with"
                    " --despite-differences where the live one is wrong, or abandon it"
                )
                return 1
            console.print(f"generation {changed.live} is live")
        if wanted.only == "store":
            return 0
        return _said(await watching.rebuild_lists(changing.models, teller.tell), console)


def _said(hosts: list[watching.Ended], console: Console) -> int:
    """Say what became of the hosts' indexes; returns the exit status."""
    for one in hosts:
        million = timedelta(seconds=round(one.seconds / max(one.works, 1) * telling.MILLION))
        console.print(
            f"search index of {one.replica}: {one.state}, {one.works:,} works in"
            f" {one.seconds:.1f} s, {million} per million works"
        )
        for line in one.said:
            console.print(f"  {line}", markup=False)
    if not hosts:
        console.print("no host answered: each rebuilds its search index when it runs again")
    return 0 if all(one.state == "done" for one in hosts) else 1


async def _abandon(models: ReadModels, wanted: Wanted, console: Console) -> int:
    """Give up what is under way, in the store and at the hosts."""
    number = 0 if wanted.only == "store" else await wishes.give_up(models)
    if number:
        console.print(f"rebuild {number} of the search indexes is not wanted any more")
    if wanted.only == "search":
        return 0
    try:
        pointer = await abandon(models)
    except NotNow:
        if number:
            return 0
        raise
    console.print(f"given up; generation {pointer.live} stays live")
    return 0


async def _status(models: ReadModels, console: Console) -> int:
    pointer = await models.fresh()
    console.print(f"generation {pointer.live} is live")
    if pointer.next is not None:
        noted = await Notes(models).of(pointer.next)
        console.print(
            f"generation {pointer.next} is made ready: {pointer.state},"
            f" by {pointer.by} since {pointer.since:%Y-%m-%d %H:%M:%S} UTC"
            + (f", last noted {noted['at']:%H:%M:%S}" if "at" in noted else "")
        )
    if pointer.kept is not None:
        console.print(f"generation {pointer.kept} is kept until {pointer.kept_until:%F %T} UTC")
    for one in await wishes.told(models):
        console.print(
            f"search index of {one['replica']}: rebuild {one['search']} {one['state']},"
            f" {one['works']:,} works"
        )
    return 0


@contextlib.asynccontextmanager
async def _alone(database: Database, name: str) -> AsyncIterator[None]:
    """Hold the lease of who rebuilds. Raises ``NotNow`` where another holds it, or takes it."""
    lease = Lease(database["leases"], "rebuild", name)
    await _take(lease)

    async def keep() -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            with contextlib.suppress(Transient):
                if not await lease.hold():
                    raise NotNow("another rebuild took over")

    try:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(keep())
            yield
            keeping.cancel()
    except BaseExceptionGroup as reasons:
        raise first_of(reasons) from None
    finally:
        with contextlib.suppress(Transient):
            await lease.release()


async def _take(lease: Lease) -> None:
    """Take the lease, waiting for one that a dead rebuild left."""
    for _ in range(int(LEASE_SECONDS) + 2):
        if await lease.hold():
            return
        await asyncio.sleep(1)
    raise NotNow("another rebuild runs")


def _name(settings: Settings) -> str:
    """Name who rebuilds; under a name of its own it takes up at once what it left in a crash."""
    return f"{settings.replica_name}-rebuild"


if __name__ == "__main__":
    command()
