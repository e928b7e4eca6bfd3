"""``python -m services.deposits [ROLE]...``: run this service, whole or in parts."""

from functools import partial

import click

from services.deposits.app import ROLES, main
from services.deposits.settings import Settings
from shared.runtime.service import run


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def command(roles: tuple[str, ...]) -> None:
    """Run the named roles in one process, by default all.

    api: takes deposits and shows what became of them.
    relay: publishes works and submissions; one at a time is active.
    worker: reads submissions and judges their records; several may run.
    deliver: calls depositors back whose submissions ended; several may run.
    reactions: follows what accounts says of people who own journals; several may run.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
