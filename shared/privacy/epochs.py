"""Key-encrypting keys by epoch, kept in files: every data key is wrapped under one of them.

The epoch stands beside what it wrapped, so that a later epoch can take over while the former is
still readable. This provider keeps epochs for ever; a key service with rotation replaces it.
"""

import re
from pathlib import Path
from typing import Protocol

from shared.privacy.keyfile import KeyFileError, load_or_create

FIRST_EPOCH = 1
_NAME = re.compile(r"kek-([1-9][0-9]*)\.key")


class KeyProvider(Protocol):
    """Where key-encrypting keys come from."""

    def current(self) -> int:
        """Return the epoch that new keys are wrapped under."""
        ...

    def kek(self, epoch: int) -> bytes:
        """Return an epoch's key of 32 bytes; raises ``LookupError`` where it is gone."""
        ...


class FileEpochs:
    """Epochs as files ``kek-<n>.key`` of a folder; the greatest is current. Read at its making."""

    __slots__ = ("_current", "_keys")

    def __init__(self, folder: Path) -> None:
        """Read all epochs of ``folder``, making the first where there is none; blocking."""
        found = [_NAME.fullmatch(path.name) for path in folder.glob("kek-*.key")]
        if None in found:
            raise KeyFileError(f"{folder} holds kek files that are not named kek-<number>.key")
        numbers = [int(match[1]) for match in found if match] or [FIRST_EPOCH]
        self._keys = {number: load_or_create(folder / f"kek-{number}.key") for number in numbers}
        self._current = max(numbers)

    def current(self) -> int:
        """Return the newest epoch."""
        return self._current

    def kek(self, epoch: int) -> bytes:
        """Return an epoch's key; raises ``LookupError`` where there is none."""
        return self._keys[epoch]
