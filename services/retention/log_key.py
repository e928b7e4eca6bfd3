"""``python -m services.retention.log_key``: change the key that signs checkpoints.

The new key is made beside the old one, takes over at the next checkpoint, which both sign, and
then stands in the old one's place. The old private key is gone after it; its public key is kept for
ever. May be run again after it was interrupted. Where retention runs on several hosts, copy the
file to the others: until then they sign nothing.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Final

import click
import uvloop

from services.retention.commands.comparing import Comparing
from services.retention.commands.log import Log, LogKey
from services.retention.model.log import keys_of
from services.retention.settings import Settings
from services.retention.store.tree import open_checkpoints, open_leaves, open_log_keys, prepare_tree
from shared.mongo import connect
from shared.privacy.checkpoints import NoteSigner
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health

SERVICE: Final = "retention"


async def change(settings: Settings, *, lost: bool = False) -> str:
    """Change the key; return the public key that signs from now on.

    ``lost``: the old key does not sign along.

    Raises ``Transient`` while store or broker are away.
    """
    path = settings.log_key_file
    draft = path.with_name(f"{path.name}.next")
    async with AsyncExitStack() as stack:
        name = settings.database_prefix + SERVICE
        database = await stack.enter_async_context(connect(settings.mongodb_url, name))
        await prepare_tree(database)
        comparing = Comparing(settings.kafka_bootstrap, settings.topic_prefix, Health())
        log = Log(
            open_leaves(database, unheard, SYSTEM),
            open_checkpoints(database, unheard),
            open_log_keys(database, unheard),
            await asyncio.to_thread(LogKey, path, settings.log_origin),
            comparing,
        )
        comparing.log = log
        successor = await asyncio.to_thread(NoteSigner, draft, settings.log_origin)
        known = await log.change_key(successor, lost=lost)
        crashpoint("tree.key-changed")
        await asyncio.to_thread(draft.replace, path)
        return str(keys_of(known)[-1].verifier)


@click.command()
@click.option("--lost", is_flag=True, help="The old key is lost: only the new one signs.")
def command(*, lost: bool) -> None:
    """Let a new key sign checkpoints from now on."""
    try:
        click.echo(uvloop.run(change(Settings(), lost=lost)))
    except Transient as fault:
        sys.exit(f"colophon: {fault}")


if __name__ == "__main__":
    command()
