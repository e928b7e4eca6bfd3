"""Cursors: a position in a list, signed together with the question it belongs to.

A cursor holds nothing but the sort key and DOI of the last work, so it never expires and no server
remembers it. Its seal covers the question (filters, queries, order), which travels again with the
next request: an altered cursor, one of another registry, or one that comes with another question
is refused alike.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

import orjson

from services.distribution.search.request import After, FromStart

_SEAL_BYTES: Final = 16
_PURPOSE: Final = b"colophon search cursor 1\0"


def fingerprint(question: object) -> bytes:
    """Return the digest of a question: any JSON value; mappings in any order."""
    canonical = orjson.dumps(question, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=32).digest()


def write_cursor(position: After | FromStart, *, question: bytes, key: bytes) -> str:
    """Return the token of a position for the question with this fingerprint."""
    content = [position.key, position.doi] if isinstance(position, After) else []
    payload = orjson.dumps(content)
    token = _seal(payload, question=question, key=key) + payload
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_cursor(token: str, *, question: bytes, key: bytes) -> After | FromStart | None:
    """Return the position in a token, None if we did not make it for this question."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    seal, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(payload, question=question, key=key)):
        return None
    content = orjson.loads(payload)
    return After(key=content[0], doi=content[1]) if content else FromStart()


def _seal(payload: bytes, *, question: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + question + payload, "sha256")[:_SEAL_BYTES]
