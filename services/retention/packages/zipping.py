"""A zip archive that is written as it goes: no more of it in memory than what was just written."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final, Protocol, cast

GATHERED: Final = 64 * 1024  # bytes
DATE: Final = (1980, 1, 1, 0, 0, 0)  # the same content gives the same archive


class Writable(Protocol):
    """What a file of the archive is written to."""

    def write(self, data: bytes, /) -> int:
        """Append bytes."""
        ...


class Sink:
    """What zipfile writes to: bytes to be taken away, in order."""

    def __init__(self) -> None:
        """Begin empty."""
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: everything is there at once."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


@dataclass(slots=True)
class Entry:
    """A file of the archive while it is written."""

    file: Writable
    sha: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size: int = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.file.write(data)
        self.sha.update(data)
        self.size += len(data)


@dataclass(slots=True)
class Archive:
    """A zip archive in the making; ``files`` says of each file its SHA-256 and size in bytes."""

    sink: Sink = field(default_factory=Sink)
    files: dict[str, dict[str, str | int]] = field(default_factory=dict)
    _zip: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        """Open the archive over a stream that cannot go back."""
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self.sink), "w", zipfile.ZIP_DEFLATED)

    @contextmanager
    def entry(self, name: str) -> Iterator[Entry]:
        """Write one file; it is listed when it is whole."""
        info = zipfile.ZipInfo(name, DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as file:
            entry = Entry(file)
            yield entry
        self.files[name] = {"sha256": entry.sha.hexdigest(), "octets": entry.size}

    def pieces(self, name: str, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Write one file as its parts come; give what is ready of the archive, maybe nothing.

        Parts are written some at a time: each write costs more than a short part.
        """
        with self.entry(name) as entry:
            for some in _gathered(parts):
                entry.write(some)
                yield self.taken()

    def add(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Write a whole file."""
        with self.entry(name) as entry:
            for some in _gathered([data] if isinstance(data, bytes) else data):
                entry.write(some)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        return self.sink.taken()

    def close(self) -> bytes:
        """End the archive and return its last bytes."""
        self._zip.close()
        return self.sink.taken()


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join short parts."""
    held, size = list[bytes](), 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= GATHERED:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
