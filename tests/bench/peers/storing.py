"""The store of all programs: that of the run, or one beside it without users.

MongoDB's connector asks the store what its user may do, and refuses to start without an answer.
MongoDB lists a user's privileges; the embedded store knows roles alone and lists none (0.7.0b3):
there the connector begins only where nobody asks who calls.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import HOST, free_port
from deploy.local.store import _node
from shared.mongo import connect
from tests.bench.rig import Rig, console


@asynccontextmanager
async def storing(here: Rig, folder: Path) -> AsyncIterator[Rig]:
    """Return the rig with a store that every program can use; the same for all."""
    status = await here.database.client.admin.command("connectionStatus", showPrivileges=True)
    said = status["authInfo"]
    if said["authenticatedUserPrivileges"] or not said["authenticatedUsers"]:
        yield here
        return
    console.print("store: another one, without users: this one does not say what a user may do")
    (folder / "store" / "data").mkdir(parents=True)
    node = _node(folder / "store", free_port(), log=folder / "store.log")
    node.start()
    try:
        url = f"mongodb://{HOST}:{node.port}/?directConnection=true"
        async with connect(url, here.database.name) as database:
            yield Rig(here.bootstrap, url, here.prefix, database, folder)
    finally:
        node.kill()
