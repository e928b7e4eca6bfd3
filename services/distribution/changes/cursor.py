"""Positions in the feed of changes, as signed tokens that never expire. Pure.

A position is an offset of each partition of the topics that the feed is read from: it means the
same on every host, and whatever arrives late stands behind it. Partitions are fixed for life, so
their order is too, and the offsets alone are written.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final

import orjson

from services.distribution.indexer import TOPICS as WORKS
from shared.kafka.follow import Place
from shared.kafka.topics import declared

PREFIXES: Final = "accounts.prefixes.v1"
OWNERSHIP: Final = "deposits.ownership.v1"
TOPICS: Final = (*WORKS, PREFIXES, OWNERSHIP)

_SEAL_BYTES: Final = 16
_PURPOSE: Final = b"colophon changes 1\0"


def places() -> list[Place]:
    """Return every partition the feed is read from, in the order of tokens."""
    return [(topic, part) for topic in TOPICS for part in range(declared()[topic].partitions)]


def write(positions: Mapping[Place, int], *, key: bytes) -> str:
    """Return the token of a position; a partition it does not name stands at its beginning."""
    payload = orjson.dumps([positions.get(place, 0) for place in places()])
    return base64.urlsafe_b64encode(_seal(payload, key) + payload).decode().rstrip("=")


def read(token: str, *, key: bytes) -> dict[Place, int] | None:
    """Return the position in a token, None for one that was not made here."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    seal, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(payload, key)):
        return None
    return dict(zip(places(), orjson.loads(payload), strict=True))


def _seal(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, "sha256")[:_SEAL_BYTES]
