"""Disks that fill up: the broker's and the store's folders on file systems of a few hundred MB."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.local.home import Home
from deploy.local.platform import Wishes, platform
from deploy.local.ports import free_ports
from tests.platform import OwnPlatform

SIZE: Final = "2g"  # of memory at most, taken as it is written
BALLAST: Final = "ballast"


@dataclass(frozen=True, slots=True)
class Disks:
    """Where the broker and the store have their state, each on a file system of its own."""

    folders: dict[str, Path]

    async def fill(self, name: str, node: Any, seconds: float) -> None:
        """Leave no byte free for a while; start the node again if it ended of it."""
        ballast = self.folders[name] / BALLAST
        try:
            await asyncio.to_thread(_fill, ballast)
            await asyncio.sleep(seconds)
        finally:
            ballast.unlink(missing_ok=True)
        await asyncio.to_thread(_revive, node)


def _fill(ballast: Path) -> None:
    # Where the last byte is taken already the file itself cannot be made.
    with contextlib.suppress(OSError), ballast.open("wb") as file:
        while True:
            free = os.statvfs(ballast).f_bavail * os.statvfs(ballast).f_frsize
            if free <= 0:
                return
            file.write(b"\0" * min(free, 1 << 20))
            file.flush()


def _revive(node: Any) -> None:
    """Start a node anew: what met a full disk may have ended, or go on with what it refused."""
    node.kill()
    node.start()


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """Put a small file system at a folder; yields False where this machine does not let us."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "colophon-test", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


@contextlib.contextmanager
def owned_platform() -> Iterator[tuple[OwnPlatform, dict[str, Path]]]:
    """A broker and a store of this run's own; the folders that may be filled, none where none may.

    Nothing of them stays.
    """
    with tempfile.TemporaryDirectory(prefix="colophon-fire-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        home.logs.mkdir()
        places = {"broker": home.path / "broker" / "state", "store": home.path / "store"}
        with contextlib.ExitStack() as stack:
            there = [stack.enter_context(mounted(one)) for one in places.values()]
            running = stack.enter_context(
                platform(home, free_ports(["kafka", "store"]), Wishes(own=True))
            )
            assert running.broker.node is not None
            assert running.store.node is not None
            own = OwnPlatform(
                running.kafka_bootstrap,
                running.mongodb_url,
                running.broker.node,
                running.store.node,
            )
            yield own, places if all(there) and running.store.source == "embedded" else {}
