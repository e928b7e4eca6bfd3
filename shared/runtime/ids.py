"""Identifiers and randomness: the one place they come from."""

import os
import random
import secrets
import time
import uuid


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562 section 5.7), which sorts by its millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= ((tail >> 64) & 0x0FFF) << 64
    value |= 0b10 << 62
    value |= tail & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))


def hashed_id(digest: bytes) -> str:
    """Return the UUID of version 8 (RFC 9562 section 5.8) that follows from a digest."""
    value = int.from_bytes(digest[:16], "big")
    value &= ~((0xF << 76) | (0b11 << 62))
    return str(uuid.UUID(int=value | (0x8 << 76) | (0b10 << 62)))


def new_number() -> int:
    """Return a positive id below 2**53 that sorts by time: for wires that promise an integer."""
    return (time.time_ns() // 1_000_000) * 1_000 + secrets.randbelow(1_000)


def new_pseudonym() -> str:
    """Return a name for a person: 128 random bits that tell nothing, not even when."""
    return f"p{secrets.token_hex(16)}"


def new_token() -> str:
    """Return a random bearer token of 256 bits, base64url."""
    return secrets.token_urlsafe(32)


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the system's random source."""
    return os.urandom(count)


def jitter() -> float:
    """Return a number in [0, 1) for spreading retries; not for secrets."""
    return random.random()  # noqa: S311  (spreads retries, guards nothing)
