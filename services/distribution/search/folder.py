"""The folder of one index: its lock, its schema marker, and setting aside what cannot be read.

<folder>/lock            held while an index is open; one process per index
<folder>/schema-version  which schema the indexes were built with
<folder>/live            number and name of the index that is shown, where it was rebuilt
<folder>/index/          the engine's files
<folder>/index-<n>/      those of the n-th rebuild, shown or being built
<folder>/set-aside/      the previous index, kept for inspection until the next one comes
"""

import contextlib
import fcntl
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Final

from services.distribution.search.schema import LAYOUT

INDEX: Final = "index"
LIVE: Final = "live"
MARKER: Final = "schema-version"
SET_ASIDE: Final = "set-aside"


class IndexBusyError(RuntimeError):
    """Another process has this index open."""


def lock_folder(folder: Path) -> int:
    """Make the folder and lock it until the returned descriptor is closed, or the process ends.

    Raises IndexBusyError where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise IndexBusyError(f"the search index in {folder} is open in another process") from error
    return descriptor


def marker_text(schema_version: str) -> str:
    """Return what must stand in the marker: the engine's format is part of the schema."""
    return f"{schema_version} layout-{LAYOUT} tantivy-{version('tantivy')}\n"


def is_current(folder: Path, schema_version: str) -> bool:
    """Tell whether the folder's index was built with this schema and this engine."""
    try:
        return (folder / MARKER).read_text() == marker_text(schema_version)
    except (OSError, UnicodeDecodeError):
        return False


def mark_current(folder: Path, schema_version: str) -> None:
    """Note the schema of the folder's index, durably, after the index itself exists."""
    _write(folder / MARKER, marker_text(schema_version))


def shown(folder: Path) -> tuple[int, str]:
    """Return which rebuild the shown index satisfies, and its folder's name."""
    try:
        number, name = (folder / LIVE).read_text().split()
        return int(number), name
    except (OSError, ValueError):
        return 0, INDEX


def show(folder: Path, number: int, name: str) -> None:
    """Note, durably and at once, that the index called ``name`` is shown, of rebuild ``number``."""
    unfinished = folder / f".{LIVE}"
    _write(unfinished, f"{number} {name}\n")
    unfinished.replace(folder / LIVE)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def name_of(number: int) -> str:
    """Return the name of the folder that a rebuild builds in."""
    return f"{INDEX}-{number}"


def remove_older(folder: Path) -> None:
    """Remove the indexes that were shown before; one that is being built can be gone on with."""
    number, name = shown(folder)
    for place in (folder / INDEX, *folder.glob(f"{INDEX}-*")):
        if place.name != name and _number(place) <= number:
            shutil.rmtree(place, ignore_errors=True)


def set_aside(folder: Path) -> None:
    """Move the folder's index out of the way; whatever else was built is deleted."""
    (folder / MARKER).unlink(missing_ok=True)
    number, name = shown(folder)
    if (folder / name).exists():
        shutil.rmtree(folder / SET_ASIDE, ignore_errors=True)
        (folder / name).rename(folder / SET_ASIDE)
    for place in folder.glob(f"{INDEX}-*"):
        shutil.rmtree(place, ignore_errors=True)
    if number:
        show(folder, number, INDEX)


def _number(place: Path) -> int:
    with contextlib.suppress(ValueError):
        return int(place.name.removeprefix(f"{INDEX}-"))
    return 0


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
