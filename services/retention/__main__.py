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

    api: shows operators what became of keys. relay: tells every service which keys are fenced.
    reactions: writes the proofs of all services into the transparency log, and signs checkpoints.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
