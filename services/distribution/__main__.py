"""``python -m services.distribution [ROLE]...``: run this service, whole or in parts."""

from functools import partial

import click

from services.distribution.app import ROLES, main
from services.distribution.settings import Settings
from shared.runtime.service import run


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def command(roles: tuple[str, ...]) -> None:
    """Run the named roles in one process, by default all.

    api: the read interfaces, with the gate and the search index of this host.
    projector: keeps works, members, prefixes and citation counts in the store.
    products: publishes works on the topics that indexers follow.
    snapshots: builds the monthly snapshots.
    access: keeps what indexers may read at the broker as their agreements say.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
