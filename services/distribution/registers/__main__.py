"""``python -m services.distribution.registers``: import a register, or show what is live."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from services.distribution.registers import keeping
from services.distribution.registers.records import KINDS, MOST_FAULTS, Fault, Record, check, read
from services.distribution.settings import Settings
from shared.mongo import connect
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Transient

SERVICE: Final = "distribution"
AWAY: Final = "{fault}. Nothing was changed; see that MONGODB_URL is right and run it again."


@click.group()
def command() -> None:
    """Import registers that others keep, and show which are live."""


@command.command("import")
@click.argument("register", type=click.Choice(sorted(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Say what is wrong, import nothing.")
def import_register(register: str, file: Path, *, only_check: bool) -> None:
    """Make FILE, a file of JSON lines, all that is known of REGISTER.

    Readers see the old register or the new one, within seconds and without a restart.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    with Progress(console=console, transient=True) as progress:
        records = _records(register, file, progress)
        if only_check:
            console.print(f"{file} is right: {len(records)} records of {register}.")
            return
        try:
            done = asyncio.run(_replace(register, records, progress))
        except Transient as fault:
            raise click.ClickException(AWAY.format(fault=fault)) from None
    console.print(f"{done.records} records of {register} are live, revision {done.revision}.")


@command.command("show")
def show() -> None:
    """Say which registers are live."""
    try:
        found = asyncio.run(_live())
    except Transient as fault:
        raise click.ClickException(AWAY.format(fault=fault)) from None
    for register in KINDS:
        live = found.get(register)
        said = "nothing was imported"
        if live is not None:
            said = f"{live.records} records, imported {live.imported}, revision {live.revision}"
        click.echo(f"{register}: {said}")


def _records(register: str, file: Path, progress: Progress) -> list[Record]:
    """Read and check a file; end with what is wrong with it."""
    records: list[tuple[int, Record]] = []
    faults: list[Fault] = []
    with file.open("rb") as lines:
        task = progress.add_task("reading", total=file.stat().st_size)
        for number, found in read(register, _told(lines, progress, task)):
            if isinstance(found, Fault):
                faults.append(found)
            else:
                records.append((number, found))
    faults = faults or check(register, records)
    if not records and not faults:
        faults = [Fault(1, "empty", "give a file with at least one line")]
    if faults:
        for fault in faults[:MOST_FAULTS]:
            click.echo(f"{file}, {fault}", err=True)
        count = "1 line is" if len(faults) == 1 else f"{len(faults)} lines are"
        raise click.ClickException(f"{count} wrong. Nothing was imported.")
    return [record for _, record in records]


def _told(lines: Iterable[bytes], progress: Progress, task: TaskID) -> Iterator[bytes]:
    for line in lines:
        progress.advance(task, len(line))
        yield line


async def _replace(register: str, records: list[Record], progress: Progress) -> keeping.Live:
    settings = Settings()
    name = settings.database_prefix + SERVICE
    task = progress.add_task("writing", total=len(records))
    async with connect(settings.mongodb_url, name, settings.mongodb_driver) as database:
        return await keeping.replace(
            database,
            register,
            records,
            clock=SYSTEM,
            wrote=lambda done: progress.update(task, completed=done),
        )


async def _live() -> dict[str, keeping.Live]:
    settings = Settings()
    name = settings.database_prefix + SERVICE
    async with connect(settings.mongodb_url, name, settings.mongodb_driver) as database:
        found = [await keeping.live(database, register) for register in KINDS]
    return {one.register: one for one in found if one is not None}


if __name__ == "__main__":
    command(prog_name="python -m services.distribution.registers")
