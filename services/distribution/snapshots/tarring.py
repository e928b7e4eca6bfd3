"""The form of a snapshot: a tar archive cut into gzip members, each with whole entries. Pure.

A gzip file may be a sequence of members, and what they unfold to is one stream (RFC 1952 section
2.2). So an archive can be put together from members that were made beforehand, and any of them be
exchanged for another one: only its length changes.

What stands in the archive is compressed already, as readers of such files expect; the members
around it are stored, not compressed a second time.
"""

import tarfile
import zlib
from collections.abc import Iterable
from typing import Final

BLOCK: Final = 512
_STORED, _SMALL = 0, 6  # levels of compression
_GZIP: Final = zlib.MAX_WBITS | 16


def packed(content: Iterable[bytes]) -> bytes:
    """Compress the file that readers find in the archive."""
    squeezing = zlib.compressobj(_SMALL, zlib.DEFLATED, _GZIP)
    return b"".join([*(squeezing.compress(part) for part in content), squeezing.flush()])


def member(name: str, content: bytes, *, at: int) -> bytes:
    """Return the gzip member with one whole entry of the archive; ``at`` is its time in seconds."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), at, 0o644
    padding = bytes(-len(content) % BLOCK)
    return _stored(entry.tobuf(tarfile.USTAR_FORMAT), content, padding)


def ending() -> bytes:
    """Return the gzip member that ends an archive."""
    return _stored(bytes(2 * BLOCK))


def _stored(*parts: bytes) -> bytes:
    wrapping = zlib.compressobj(_STORED, zlib.DEFLATED, _GZIP)
    return b"".join([*(wrapping.compress(part) for part in parts), wrapping.flush()])
