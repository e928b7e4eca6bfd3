"""Key-encrypting keys by epoch, kept in files: every data key is wrapped under one of them.

The epoch stands beside what it wrapped, so that a later epoch takes over while the former is still
readable. Epochs come and go while processes run, so the folder itself is asked each time: whoever
unwrapped a key saw its epoch's file standing then. That is what the end of an epoch rests on
(docs/adr/0045): its file is first put aside, where nobody opens it but who ends it, then everything
that was wrapped under it is looked for, and only then is it overwritten.
"""

import contextlib
import re
from pathlib import Path
from typing import Final, Protocol

from shared.privacy import keyfile
from shared.privacy.keyfile import KeyFileError, load_or_create
from shared.runtime.faults import Transient

FIRST_EPOCH = 1
_NAME = re.compile(r"kek-([1-9][0-9]*)\.key")
_ASIDE: Final = re.compile(r"kek-([1-9][0-9]*)\.ending")


class KeyProvider(Protocol):
    """Where key-encrypting keys come from."""

    def current(self) -> int:
        """Return the epoch that new keys are wrapped under."""
        ...

    def kek(self, epoch: int) -> bytes:
        """Return an epoch's key of 32 bytes; raises ``LookupError`` where it is gone.

        Raises ``Transient`` where that is not to be said yet.
        """
        ...


class FileEpochs:
    """Epochs as files ``kek-<n>.key`` of a folder; the greatest is current.

    All calls block for some microseconds on a local folder, which is where it belongs: what another
    host sees of it late, or from a cache, is no word on whether an epoch still stands.
    """

    __slots__ = ("_keys", "folder")

    def __init__(self, folder: Path) -> None:
        """Read the epochs of ``folder``, making the first where there is none; blocking."""
        if any(_NAME.fullmatch(path.name) is None for path in folder.glob("kek-*.key")):
            raise KeyFileError(f"{folder} holds kek files that are not named kek-<number>.key")
        self.folder = folder
        self._keys: dict[int, bytes] = {}
        if not self.standing():
            self.make(FIRST_EPOCH)
        for epoch in self.standing():
            with contextlib.suppress(LookupError, Transient):  # it may end while we look
                self.kek(epoch)

    def current(self) -> int:
        """Return the newest epoch; raises ``KeyFileError`` where there is none any more."""
        standing = self.standing()
        if not standing:
            raise KeyFileError(f"{self.folder} holds no kek-<number>.key; bring the folder back")
        return standing[-1]

    def kek(self, epoch: int) -> bytes:
        """Return an epoch's key; raises ``LookupError`` where it does not stand (any more).

        Raises ``Transient`` while it ends: what is wrapped under it is just being wrapped anew.
        """
        path = self._standing(epoch)
        if not path.exists():
            self._keys.pop(epoch, None)
            if self._put_aside(epoch).exists():
                raise Transient(f"key epoch {epoch} ends")
            raise LookupError(f"key epoch {epoch} is gone")
        if epoch not in self._keys:
            self._keys[epoch] = _loaded(path, epoch)
        return self._keys[epoch]

    def standing(self) -> tuple[int, ...]:
        """Return the epochs that keys are opened by, in their order."""
        return _numbers(self.folder, _NAME)

    # -- what only who rotates them does ---------------------------------------------------------

    def make(self, epoch: int) -> None:
        """Make an epoch: it is current from now on. Safe to repeat."""
        load_or_create(self._standing(epoch))

    def aside(self) -> tuple[int, ...]:
        """Return the epochs that were put aside."""
        return _numbers(self.folder, _ASIDE)

    def put_aside(self, epoch: int) -> None:
        """Let nobody open anything by an epoch any more, but ``kek_aside``. Safe to repeat."""
        keyfile.rename(self._standing(epoch), self._put_aside(epoch))
        self._keys.pop(epoch, None)

    def kek_aside(self, epoch: int) -> bytes:
        """Return the key of an epoch that was put aside; raises ``LookupError``."""
        return _loaded(self._put_aside(epoch), epoch)

    def end(self, epoch: int) -> None:
        """Overwrite and remove an epoch that was put aside. Safe to repeat.

        Nobody can show that no copy of a file was made, nor that a disk wrote over the same place.
        """
        keyfile.destroy(self._put_aside(epoch))

    def _standing(self, epoch: int) -> Path:
        return self.folder / f"kek-{epoch}.key"

    def _put_aside(self, epoch: int) -> Path:
        return self.folder / f"kek-{epoch}.ending"


def _numbers(folder: Path, name: re.Pattern[str]) -> tuple[int, ...]:
    try:
        found = [name.fullmatch(path.name) for path in folder.iterdir()]
    except FileNotFoundError:
        return ()
    return tuple(sorted(int(match[1]) for match in found if match))


def _loaded(path: Path, epoch: int) -> bytes:
    # It may go between two looks; what is not there is not made here.
    if not path.exists():
        raise LookupError(f"key epoch {epoch} is gone")
    try:
        return keyfile.load(path)
    except KeyFileError:
        if not path.exists():
            raise LookupError(f"key epoch {epoch} is gone") from None
        raise
