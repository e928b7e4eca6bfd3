"""The state folder: what a copy of Colophon on this machine keeps, and who may use it now."""

import contextlib
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.obstacle import Obstacle
from deploy.local.waiting import until

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / ".local"
PRIVATE = 0o600
LOCK_PATIENCE = 3.0  # seconds: what a killed launcher leaves needs a moment to die


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside one state folder."""

    path: Path

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "log"

    @property
    def keys(self) -> Path:
        """Key-encryption keys, made by the services that own them."""
        return self.path / "keys"

    @property
    def operator_token(self) -> Path:
        """The operator's bearer token, in clear, readable by its owner only."""
        return self.path / "operator.token"

    def log(self, name: str) -> Path:
        """Return the log file of one process."""
        return self.logs / f"{name}.log"


def home_of(environment: Mapping[str, str]) -> Home:
    """Return the state folder that `COLOPHON_HOME` names, by default `.local` in the checkout."""
    given = environment.get("COLOPHON_HOME")
    return Home(Path(given).expanduser().resolve() if given else DEFAULT)


def prepare(home: Home) -> Home:
    """Make the folder and the operator's token where they are missing; raises Obstacle."""
    remedy = (
        f"Move it away (`mv {home.path} {home.path}.broken`), or name another folder"
        " with COLOPHON_HOME=..."
    )
    try:
        for folder in (home.path, home.logs, home.keys):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not home.operator_token.exists():
            write_private(home.operator_token, secrets.token_urlsafe(32) + "\n")
        token = home.operator_token.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as failure:
        raise Obstacle(
            f"The state folder {home.path} cannot be used: {failure}.", remedy
        ) from failure
    if not token:
        raise Obstacle(
            f"The operator's token {home.operator_token} is empty.",
            "Delete that file; the next start makes a new token.",
        )
    return home


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


@contextlib.contextmanager
def locked(home: Home) -> Iterator[int]:
    """Hold the folder for this process; yields the lock's file descriptor.

    Children that inherit the descriptor hold the lock too, so a folder is free only when nothing
    that uses it is left. Raises Obstacle when another launcher has it.
    """
    path = home.path / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        if not until(lambda: _take(descriptor), LOCK_PATIENCE):
            holder = path.read_text(encoding="ascii").strip() or "unknown"
            raise Obstacle(
                f"Colophon already runs over the state folder {home.path} (process {holder}).",
                "Stop it with Ctrl-C in its terminal, or start a second copy beside it with"
                " COLOPHON_HOME=<another folder> PORT_SHIFT=20000.",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clean(home: Home) -> None:
    """Remove all state but the broker's program files; refuses while something runs over it."""
    if not home.path.is_dir():
        return
    with locked(home):
        for entry in home.path.iterdir():
            if entry.name == "broker":
                shutil.rmtree(entry / "state", ignore_errors=True)
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


if __name__ == "__main__":
    try:
        clean(home_of(os.environ))
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
