"""Keys in files of one machine: made once, by whichever process comes first, mode 600."""

import os
from pathlib import Path

from shared.runtime.ids import new_id, random_bytes

MODE = 0o600
OTHERS = 0o077


class KeyFileError(Exception):
    """A key file cannot be used; the sentence names it and the remedy, never its content."""


def load_or_create(path: Path, size: int = 32) -> bytes:
    """Return the key of ``size`` bytes at ``path``, making it where there is none.

    Processes that start at once all get the same key: a complete file appears under its name or
    none does. Blocking, for start-up. Raises ``KeyFileError``.
    """
    try:
        if not path.exists():
            _create(path, random_bytes(size))
        return _load(path, size)
    except OSError as fault:
        raise _unusable(path, fault) from None


def load(path: Path, size: int = 32) -> bytes:
    """Return the key of ``size`` bytes at ``path``; never makes one. Raises ``KeyFileError``."""
    try:
        return _load(path, size)
    except OSError as fault:
        raise _unusable(path, fault) from None


def rename(path: Path, other: Path) -> None:
    """Give a key file another name; one that is not there is left to whoever was faster."""
    try:
        path.rename(other)
    except FileNotFoundError:
        return
    _sync_folder(other.parent)


def destroy(path: Path) -> None:
    """Overwrite a key file and remove it; one that is not there is gone already.

    What the disk does with the former place of its bytes is not in our hands: that is why epochs
    lie on a volume of their own that nobody backs up.
    """
    try:
        with path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(random_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    _sync_folder(path.parent)


def _unusable(path: Path, fault: OSError) -> KeyFileError:
    return KeyFileError(
        f"cannot use the key file {path} ({fault.strerror}); "
        f"give this user read and write access to {path.parent}"
    )


def _create(path: Path, key: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{new_id()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole and never replaces: the loser of a race reads the winner's key.
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & OTHERS:
            raise KeyFileError(f"others may read the key file {path}; run: chmod 600 {path}")
        text = file.read(2 * size + 2)
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        key = b""
    if len(key) != size:
        raise KeyFileError(
            f"the key file {path} does not hold {size} bytes in hex; restore it from your backup "
            "(what it protects cannot be read without it), or remove it to begin with a new key"
        )
    return key
