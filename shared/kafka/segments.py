"""Files of a Kafka log, record by record: a search of the raw file misses what is compressed.

Records are decoded: keys, values and headers. What cannot be decoded is a fault and not nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.memory_records import MemoryRecords

# Segments in use, and what the broker keeps for a while when it deletes or cleans them.
NAMES: Final = ("*.log", "*.log.deleted", "*.log.cleaned", "*.log.swap")
LENGTH, HEAD = 8, 12  # where a batch says its length, and where what that counts begins
CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")  # by their numbers in a batch


@dataclass(frozen=True, slots=True)
class Stored:
    """One record as it lies in a file: everything in it that is not a number."""

    offset: int
    data: bytes
    codec: str = CODECS[0]


def segments(folder: Path) -> list[tuple[str, Path]]:
    """Return the segment files below a broker's log folder, each with its topic and partition.

    A broker may delete a topic meanwhile. Raises ``OSError`` where a folder that is there cannot be
    looked into.
    """
    found = [
        Path(at, name) for at, _, names in os.walk(folder, onerror=_unless_gone) for name in names
    ]
    return [
        (path.parent.name, path) for name in NAMES for path in sorted(found) if path.match(name)
    ]


def _unless_gone(fault: OSError) -> None:
    if not isinstance(fault, FileNotFoundError):
        raise fault


def segment_files(directory: Path) -> list[Path]:
    """Return the segment files of one partition's folder."""
    return [path for name in NAMES for path in sorted(directory.glob(name))]


def records(data: bytes) -> Iterator[Stored]:
    """Give every record of a segment. Raises ``ValueError`` where any of it cannot be read."""
    whole = _whole(data)
    yield from _records(data[:whole])
    if data[whole:].strip(b"\0"):
        raise ValueError(f"the last {len(data) - whole} bytes are no whole batch")


def stored(path: Path, *, growing: bool) -> Iterator[Stored]:
    """Give every record of a segment file, batch by batch; one of a gigabyte is never in memory.

    Of one that is ``growing`` the last batch may be half written; it was begun after this read was.
    Raises ``ValueError`` where anything else cannot be read, ``FileNotFoundError``.
    """
    with path.open("rb") as file:
        while head := file.read(HEAD):
            length = int.from_bytes(head[LENGTH:HEAD], "big") if len(head) == HEAD else 0
            body = file.read(length) if length > 0 else b""
            if length <= 0 or len(body) < length:
                rest = (head + body + file.read()).strip(b"\0")
                if rest and not growing:
                    raise ValueError("the last bytes are no whole batch")
                return
            yield from _records(head + body)


def _records(data: bytes) -> Iterator[Stored]:
    batches = MemoryRecords(data)
    try:
        while batches.has_next():
            batch = batches.next_batch()
            if not batch.validate_crc():
                raise ValueError("a batch has another checksum than its own")
            codec = CODECS[batch.compression_type]
            for record in batch:
                parts = [record.key or b"", record.value or b""]
                for name, value in record.headers:
                    parts += [name.encode(), value or b""]
                yield Stored(record.offset, b"\n".join(parts), codec)
    except (CorruptRecordException, UnsupportedCodecError) as fault:
        raise ValueError(f"a batch cannot be read: {type(fault).__name__}") from None


def _whole(data: bytes) -> int:
    """Return how many bytes whole batches take: each says its length behind its first offset."""
    at = 0
    while at + HEAD <= len(data):
        length = int.from_bytes(data[at + LENGTH : at + HEAD], "big")
        if length == 0 or at + HEAD + length > len(data):
            break
        at += HEAD + length
    return at
