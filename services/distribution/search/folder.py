"""The folder of one index: its lock, its schema marker, and setting aside what cannot be read.

<folder>/lock            held while an index is open; one process per index
<folder>/schema-version  which schema the index was built with
<folder>/index/          the engine's files
<folder>/set-aside/      the previous index, kept for inspection until the next one comes
"""

import fcntl
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Final

from services.distribution.search.schema import LAYOUT

INDEX: Final = "index"
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
    descriptor = os.open(folder / MARKER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, marker_text(schema_version).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(folder: Path) -> None:
    """Move the folder's index out of the way; an older one set aside before is deleted."""
    (folder / MARKER).unlink(missing_ok=True)
    if (folder / INDEX).exists():
        shutil.rmtree(folder / SET_ASIDE, ignore_errors=True)
        (folder / INDEX).rename(folder / SET_ASIDE)
