"""The shelf: the folder in which snapshots stand, those that are ready and one being made.

A snapshot is a folder of its own, and ready when its manifest is there, which is written last.
Hosts may share the shelf or have one each; whoever builds holds a lock on it. One that was made
under other terms of third-party sources is not served, nor gone on with, and is removed (CRP-12d).
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from services.distribution.snapshots.months import Month, month_of, read_month
from shared.runtime.ids import new_id

MANIFEST: Final = "manifest.json"
LOCK: Final = "building.lock"
IDENTITY: Final = "shelf.id"
TERMS: Final = "terms"  # of third-party sources, under which it was begun


class BeingBuilt(Exception):
    """Another process builds on this shelf."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A snapshot that can be served; ``built`` and ``until`` are RFC 3339."""

    id: str
    month: Month
    folder: Path
    manifest: dict[str, Any]

    @property
    def built(self) -> str:
        """When it was finished."""
        return str(self.manifest["built"])


@dataclass(frozen=True, slots=True)
class Shelf:
    """One folder of snapshots; ``terms`` are those in force (SourcesPolicy.binding)."""

    root: Path
    terms: str = ""

    @property
    def identity(self) -> str:
        """What tells this shelf from those of other hosts; hosts that share it share this."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / IDENTITY
        if not path.exists():
            fresh = path.with_suffix(f".{new_id()}")
            fresh.write_text(new_id())
            with fresh.open("rb") as said:
                os.fsync(said.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text()

    def ready(self) -> list[Ready]:
        """Return the newest snapshot of each month that is ready, the latest month first."""
        newest: dict[Month, Ready] = {}
        for one in self._finished():
            held = newest.get(one.month)
            if not self._holds(one.folder):
                continue
            if held is None or held.built < one.built:
                newest[one.month] = one
        return [newest[month] for month in sorted(newest, reverse=True)]

    def begun(self, month: Month) -> Path:
        """Return the folder in which a month's snapshot is being made, a new one if there is none.

        Only one that was begun for the same time is gone on with; others are removed.
        """
        for path in self._folders(month):
            if not (path / MANIFEST).exists():
                if self._holds(path):
                    return path
                shutil.rmtree(path)
        folder = self.root / f"{month}-{new_id()}"
        folder.mkdir(parents=True)
        (folder / TERMS).write_text(self.terms)
        return folder

    def finish(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Make a snapshot ready."""
        fresh = folder / f"{MANIFEST}.new"
        with fresh.open("wb") as file:
            file.write(orjson.dumps(manifest))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(folder / MANIFEST)
        synced(folder)

    def tidy(self, now: datetime, quarters: int) -> list[str]:
        """Remove what need not be kept: what was superseded and what is too old; not the newest.

        Who still reads a file that is removed reads it to its end.
        """
        kept = self.ready()
        stay = {
            one.id
            for place, one in enumerate(kept)
            if place == 0 or now < one.month.kept_until(quarters)
        }
        gone = [one for one in self._finished() if one.id not in stay]
        for one in gone:
            # First it is no snapshot any more, then its files go.
            (one.folder / MANIFEST).unlink()
            shutil.rmtree(one.folder)
        return [one.id for one in gone]

    def bytes_used(self) -> int:
        """Return how much of the disk everything here takes."""
        return sum(path.stat().st_size for path in self.root.glob("*/*") if path.is_file())

    @contextmanager
    def building(self) -> Iterator[None]:
        """Be the one that builds here. Raises ``BeingBuilt``."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BeingBuilt("another process builds a snapshot here") from None
            yield

    def _holds(self, folder: Path) -> bool:
        """Whether a snapshot was begun under the terms in force."""
        try:
            return (folder / TERMS).read_text() == self.terms
        except FileNotFoundError:
            return False

    def _folders(self, month: Month | None = None) -> Iterator[Path]:
        if not self.root.is_dir():
            return
        for path in sorted(self.root.iterdir()):
            found = read_month(path.name[:7]) if path.is_dir() else None
            if found is not None and month in {None, found}:
                yield path

    def _finished(self) -> Iterator[Ready]:
        for path in self._folders():
            try:
                manifest = orjson.loads((path / MANIFEST).read_bytes())
            except FileNotFoundError:
                continue
            month = read_month(path.name[:7])
            assert month is not None
            yield Ready(path.name, month, path, manifest)


def due(shelf: Shelf, now: datetime, delay: Any) -> Month | None:
    """Return the month whose snapshot is to be made now, None where it is there."""
    month = month_of(now - delay).plus(-1)
    for one in shelf.ready():
        if one.month == month and one.manifest["complete"]:
            return None
    return month


def synced(folder: Path) -> None:
    """Have a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
