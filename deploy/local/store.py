"""The embedded store: SecantusDB, a MongoDB for one machine, in a process of its own.

Every service has a user that may read and write its own database only. The passwords lie in the
state folder, readable by its owner only. MongoDB is what production runs (docs/operations.md).
"""

import json
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.children import Child
from deploy.local.home import write_private
from deploy.local.nodes import Embedded
from deploy.local.obstacle import Obstacle
from deploy.local.ports import HOST, free_port

ADMINISTRATOR = "colophon"
START_PATIENCE = 300.0  # seconds; 0.5 are usual, 3 after a kill -9, 30 over a million works
END_GRACE = 10.0  # seconds
# With less room for what is not written out yet it stands still for good (docs/embedded-store.md):
# by default its threads have to make room when updates fill a tenth of the cache.
CACHE = "2G"
ROOM = "eviction_dirty_trigger=75,eviction_updates_trigger=75\n"  # per cent of the cache
ROOM_FILE = "WiredTiger.config"  # read by the engine from the folder of its data
USER_EXISTS = 51003  # MongoDB's code for it

Rights = Mapping[str, Sequence[str]]  # user -> databases it may read and write


def store(
    state: Path,
    port: int,
    *,
    log: Path,
    keep_open: tuple[int, ...] = (),
) -> Embedded:
    """Return the embedded store over `state`: with its administrator, not started.

    Raises Obstacle.
    """
    try:
        (state / "data").mkdir(parents=True, exist_ok=True)
        (state / "data" / ROOM_FILE).write_text(ROOM, encoding="ascii")
        if not _passwords(state):
            _make_administrator(state, log)
    except OSError as failure:
        raise Obstacle(
            f"The store's state folder {state} cannot be used: {failure}.",
            f"Move it away (`mv {state} {state}.broken`); the next start makes a new one.",
        ) from failure
    return _node(state, port, log=log, keep_open=keep_open, more=["--auth"])


def administrator_url(state: Path, port: int) -> str:
    """Return the address for the user who may do everything."""
    return _url(ADMINISTRATOR, _passwords(state)[ADMINISTRATOR], port)


def grant(state: Path, port: int, rights: Rights) -> dict[str, str]:
    """Give each user its databases and no other, in a store that runs; returns their addresses."""
    passwords = _passwords(state)
    new = {user: secrets.token_urlsafe(24) for user in rights if user not in passwords}
    if new:
        passwords |= new
        write_private(_password_file(state), json.dumps(passwords))
    with _client(administrator_url(state, port)) as client:
        for user, databases in rights.items():
            roles = [{"role": "readWrite", "db": database} for database in databases]
            _put_user(client, user, password=passwords[user], roles=roles)
    return {user: _url(user, passwords[user], port) for user in rights}


def user_url(state: Path, port: int, user: str) -> str | None:
    """Return a user's address in a store that runs; None where this state knows no such user."""
    password = _passwords(state).get(user)
    return _url(user, password, port) if password else None


def _make_administrator(state: Path, log: Path) -> None:
    """Make the first user before the port that others know is open: there is no `--auth` yet.

    The store is killed after it, as that is quicker than its end: what it acknowledged is on disk.
    """
    password = secrets.token_urlsafe(24)
    port = free_port()
    node = _node(state, port, log=log)
    node.start()
    try:
        with _client(f"mongodb://{HOST}:{port}/?directConnection=true") as client:
            root = [{"role": "root", "db": "admin"}]
            _put_user(client, ADMINISTRATOR, password=password, roles=root)
        write_private(_password_file(state), json.dumps({ADMINISTRATOR: password}))
    except PyMongoError as failure:
        raise Obstacle(
            f"The store in {state} refused its first user: {failure}.",
            f"Move it away (`mv {state} {state}.broken`); the next start makes a new one.",
        ) from failure
    finally:
        node.kill()


def _put_user(
    client: MongoClient[dict[str, Any]], user: str, *, password: str, roles: list[dict[str, str]]
) -> None:
    definition: dict[str, Any] = {"pwd": password, "roles": roles}
    try:
        client.admin.command("createUser", user, **definition)
    except OperationFailure as failure:
        if failure.code != USER_EXISTS:
            raise
        client.admin.command("updateUser", user, **definition)


def _node(
    state: Path,
    port: int,
    *,
    log: Path,
    keep_open: tuple[int, ...] = (),
    more: Sequence[str] = (),
) -> Embedded:
    place = ["--host", HOST, "--port", str(port), "--storage-path", str(state / "data")]
    return Embedded(
        child=Child(
            name="store",
            command=[*_daemon(), *place, "--sync-on-commit", *more],
            log=log,
            folder=state,
            keep_open=keep_open,
        ),
        port=port,
        state=state,
        patience=START_PATIENCE,
        grace=END_GRACE,
    )


def _daemon() -> list[str | Path]:
    """Return the quicker Rust daemon where it is installed, else the one from our requirements."""
    rust = shutil.which("secantusd-rs")
    if rust is not None:
        return [rust]
    python = Path(sys.executable).with_name("secantusd-py")
    if not python.exists():
        raise Obstacle(
            f"The embedded store is not installed beside {sys.executable}.",
            "Run `make environment`, or set MONGODB_URL to a MongoDB you already have.",
        )
    return [python, "--cache-size", CACHE]


def _client(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=10_000)


def _url(user: str, password: str, port: int) -> str:
    return (
        f"mongodb://{quote(user)}:{quote(password)}@{HOST}:{port}"
        "/?authSource=admin&directConnection=true"
    )


def _password_file(state: Path) -> Path:
    return state / "users.json"


def _passwords(state: Path) -> dict[str, str]:
    path = _password_file(state)
    if not path.exists():
        return {}
    try:
        passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as failure:
        raise Obstacle(
            f"The store's list of users {path} cannot be read: {failure}.",
            f"Restore it, or move the store away (`mv {state} {state}.broken`).",
        ) from failure
    return passwords
