"""``python -m services.retention [ROLE]...``: run this service, whole or in parts."""

from functools import partial

import click

from services.retention.app import ROLES, main
from services.retention.settings import Settings
from shared.runtime.service import run


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def command(roles: tuple[str, ...]) -> None:
    """Run the named roles in one process, by default all.

    api: what operators and people ask. relay: tells every service what was decided. reactions:
    obeys orders about its own records, and keeps the log of proof. clocks: hears the facts that
    clocks rest on, acts on what is due, and looks after requests, holds, reviews and lists.
    erasures: carries erasures and packages on. deliver: mails.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
