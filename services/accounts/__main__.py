"""``python -m services.accounts [ROLE]...``: run this service, whole or in parts."""

from functools import partial

import click

from services.accounts.app import ROLES, main
from services.accounts.settings import Settings
from shared.runtime.service import run


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def command(roles: tuple[str, ...]) -> None:
    """Run the named roles in one process, by default all.

    api: the HTTP interface. relay: publishes what was decided. reactions: collects the receipts
    of readers, obeys orders of erasure, deletes accounts that nothing hangs on any more, and
    finishes what a crash interrupted. deliver: sends mail.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
