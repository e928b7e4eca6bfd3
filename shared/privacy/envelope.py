"""Envelopes: values encrypted under a key of their own, bound to the place they belong to.

AES-256-GCM. The associated data names the envelope's version, the key, the schema, the record and
the place in it, so that a value moved elsewhere, a chunk reordered, dropped or cut off does not
open. A data key is stored wrapped under a key-encrypting key of some epoch (privacy design 4.2).
"""

import base64
import binascii
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.privacy.epochs import KeyProvider
from shared.runtime.faults import Transient
from shared.runtime.ids import random_bytes

VERSION: Final = "pe1"
RAW_SCHEMA: Final = "deposits.raw.v1"
CHUNK_BYTES: Final = 1_000_000  # of plain text; design section 4: chunks of 1 MB or less
NONCE_BYTES: Final = 12  # NIST SP 800-38D section 8.2.2: 96 bits, random
TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
PAD_BYTES: Final = 32  # lengths of names and addresses do not show within a bucket

_KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")


class UnsealError(Exception):
    """An envelope does not open: another key, another place, or it was changed."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A data key at rest: which, wrapped under which epoch, and the wrapped bytes."""

    kid: str
    epoch: int
    wrapped: bytes


class EpochGoneError(UnsealError):
    """A data key's epoch is gone. It may have been wrapped anew since it was read."""


class ExpiredError(Transient):
    """A key was kept longer than it may be used without asking for it again."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Lease:
    """Until when a key may be used, in seconds of a monotonic clock; ``revoked`` ends it before."""

    until: float
    now: Callable[[], float]
    revoked: bool = False

    @property
    def over(self) -> bool:
        """Whether the key may not be used any more."""
        return self.revoked or self.now() >= self.until


class OpenKey:
    """A data key in memory; its repr names it and shows nothing of it."""

    __slots__ = ("_cipher", "_lease", "kid")

    def __init__(self, kid: str, key: bytes, lease: Lease | None = None) -> None:
        """Make ready the cipher of a key of 32 bytes."""
        self.kid = kid
        self._cipher = AESGCM(key)
        self._lease = lease

    @property
    def usable(self) -> bool:
        """Whether its time is not up yet."""
        return self._lease is None or not self._lease.over

    @property
    def cipher(self) -> AESGCM:
        """What encrypts and decrypts; raises ``ExpiredError`` when its time is up or was ended."""
        if not self.usable:
            # Whoever was frozen with it in hand must not go on where a fence stands by now.
            raise ExpiredError(f"the time of key {self.kid} is up")
        return self._cipher

    def __repr__(self) -> str:
        return f"OpenKey({self.kid!r})"


@dataclass(frozen=True, slots=True)
class SealedChunk:
    """One chunk of a sealed stream, numbered from 0; exactly one is the last."""

    number: int
    last: bool
    data: bytes


def new_sealed_key(provider: KeyProvider, kid: str) -> SealedKey:
    """Make a random data key and return it wrapped under the current epoch."""
    if _KID.fullmatch(kid) is None:
        raise ValueError("a key id holds letters, digits and _ . : - only")
    return _wrapped(provider, kid, random_bytes(KEY_BYTES))


def unseal(provider: KeyProvider, sealed: SealedKey, lease: Lease | None = None) -> OpenKey:
    """Unwrap a data key; raises ``EpochGoneError``, or ``UnsealError`` where it was changed."""
    return OpenKey(sealed.kid, _unwrapped(provider, sealed), lease)


def rewrap(provider: KeyProvider, sealed: SealedKey, *, opened_by: KeyProvider) -> SealedKey:
    """Wrap a data key under the current epoch of ``provider``, and see that it opens to the same.

    ``opened_by`` may know epochs that ``provider`` gives to nobody any more. Raises
    ``UnsealError`` where the key does not open as it is, or as it would be.
    """
    key = _unwrapped(opened_by, sealed)
    again = _wrapped(provider, sealed.kid, key)
    if _unwrapped(provider, again) != key:
        raise UnsealError("the key wrapped anew opens to another one")
    return again


def _wrapped(provider: KeyProvider, kid: str, key: bytes) -> SealedKey:
    epoch = provider.current()
    try:
        kek = provider.kek(epoch)
    except LookupError:
        # Who stood still between the two calls for a whole epoch begins again.
        raise Transient(f"key epoch {epoch} ended meanwhile") from None
    return SealedKey(kid, epoch, _seal(AESGCM(kek), key, _wrapping(kid, epoch)))


def _unwrapped(provider: KeyProvider, sealed: SealedKey) -> bytes:
    try:
        kek = provider.kek(sealed.epoch)
    except LookupError:
        raise EpochGoneError(f"key epoch {sealed.epoch} is gone") from None
    return _open(AESGCM(kek), sealed.wrapped, _wrapping(sealed.kid, sealed.epoch))


def seal_chunk(
    key: OpenKey, plain: bytes, *, record: str, number: int, last: bool, schema: str = RAW_SCHEMA
) -> bytes:
    """Encrypt one chunk of a file, of a raw deposit by default; ``number`` counts from 0."""
    if len(plain) > CHUNK_BYTES:
        raise ValueError(f"a chunk holds at most {CHUNK_BYTES} bytes")
    return _seal(key.cipher, plain, _place(key.kid, schema, record, number, last))


def open_chunk(
    key: OpenKey, sealed: bytes, *, record: str, number: int, last: bool, schema: str = RAW_SCHEMA
) -> bytes:
    """Decrypt the chunk that must stand at this place; raises ``UnsealError`` otherwise."""
    return _open(key.cipher, sealed, _place(key.kid, schema, record, number, last))


async def seal_stream(
    key: Callable[[], Awaitable[OpenKey]],
    parts: AsyncIterable[bytes],
    *,
    record: str,
    schema: str = RAW_SCHEMA,
) -> AsyncIterator[SealedChunk]:
    """Encrypt a stream in chunks of ``CHUNK_BYTES`` as it comes; nothing makes one empty chunk.

    The key is asked for anew for each chunk: a stream may take longer than a key may be kept.
    Holds at most two chunks in memory. A chunk costs about a millisecond of the event loop.
    """
    number = 0
    held = bytearray()
    async for part in parts:
        held += part
        while len(held) > CHUNK_BYTES:
            plain = bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
            sealed = seal_chunk(
                await key(), plain, record=record, number=number, last=False, schema=schema
            )
            yield SealedChunk(number, last=False, data=sealed)
            number += 1
    sealed = seal_chunk(
        await key(), bytes(held), record=record, number=number, last=True, schema=schema
    )
    yield SealedChunk(number, last=True, data=sealed)


def seal_text(key: OpenKey, text: str, *, schema: str, field: str, record: str) -> str:
    """Encrypt a short text as ``pe1.<kid>.<base64url>``; its length shows in steps of 32 bytes.

    ``field`` is the JSON pointer of the field within the record.
    """
    padded = text.encode() + b"\x80"  # ISO/IEC 7816-4: a mark, then zeros
    padded += bytes(-len(padded) % PAD_BYTES)
    sealed = _seal(key.cipher, padded, _place(key.kid, schema, field, record))
    return f"{VERSION}.{key.kid}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def open_text(key: OpenKey, sealed: str, *, schema: str, field: str, record: str) -> str:
    """Decrypt what ``seal_text`` made for this place; raises ``UnsealError`` otherwise."""
    _, payload = _parts(sealed)
    padded = _open(key.cipher, payload, _place(key.kid, schema, field, record))
    text, mark, zeros = padded.rpartition(b"\x80")
    if not mark or any(zeros):
        raise UnsealError("the padding is broken")
    return text.decode()


def kid_of(sealed: str) -> str:
    """Return the key id of a text envelope, readable without any key; the payload is not read."""
    return _split(sealed)[0]


def _split(sealed: str) -> tuple[str, str]:
    version, _, rest = sealed.partition(".")
    kid, _, payload = rest.rpartition(".")
    if version != VERSION or _KID.fullmatch(kid) is None:
        raise UnsealError(f"not an envelope of version {VERSION}")
    return kid, payload


def _parts(sealed: str) -> tuple[str, bytes]:
    kid, payload = _split(sealed)
    try:
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise UnsealError("the payload is not base64url") from None
    return kid, raw


def _place(*names: str | int) -> bytes:
    # An array of strings, whole numbers and booleans: orjson writes it canonically (RFC 8785).
    return orjson.dumps([VERSION, *names])


def _wrapping(kid: str, epoch: int) -> bytes:
    return _place("key", kid, epoch)


def _seal(cipher: AESGCM, plain: bytes, place: bytes) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, place)


def _open(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise UnsealError("the envelope is cut short")
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except InvalidTag:
        raise UnsealError("another key, another place, or it was changed") from None
