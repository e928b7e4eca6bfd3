"""``python -m services.consent [ROLE]...``: run this service, whole or in parts."""

from functools import partial

import click

from services.consent.app import ROLES, main
from services.consent.settings import Settings
from shared.runtime.service import run


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(ROLES))
def command(roles: tuple[str, ...]) -> None:
    """Run the named roles in one process, by default all.

    api: the HTTP interface. relay: publishes what was decided. expiry: ends consents that became
    too old. mail: sends what waits, and issues of lists. receipts: collects since when other
    services obey withdrawals. holders: hears of holders of accounts. erasure: obeys retention's
    orders.
    """
    run(partial(main, Settings(), roles or ROLES))


if __name__ == "__main__":
    command()
