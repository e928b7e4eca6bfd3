"""Passwords and tokens: what is stored of them, and the names their credentials go by."""

import hashlib
import hmac
from typing import Final

import orjson
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, at least 2 passes, 1 lane. 4 passes take
# about 50 ms on the two-core machine of docs/performance.md.
MEMORY_KIB: Final = 19_456
PASSES: Final = 4
LANES: Final = 1
PASSWORD_BYTES: Final = 1024  # longer ones are refused unread: hashing them is work for free

_HASHER = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, type=Type.ID
)


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, a PHC string. About 50 ms: call it in a thread."""
    if not 0 < len(password.encode()) <= PASSWORD_BYTES:
        raise ValueError(f"a password has 1 to {PASSWORD_BYTES} bytes")
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Say whether ``password`` is the one that was hashed. About 50 ms: call it in a thread."""
    if len(password.encode()) > PASSWORD_BYTES:
        return False
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def login_key(hmac_key: bytes, login: str) -> str:
    """Return a login's credential key: keyed, because a login may hold an e-mail address."""
    return f"login:{hmac.digest(hmac_key, login.encode(), 'sha256').hex()}"


def token_key(token: str) -> str:
    """Return a token's credential key: tokens are random, so a plain hash hides them."""
    return f"token:{hashlib.sha256(token.encode()).hexdigest()}"


def remembering_key(process_key: bytes, login: str, password: str, version: int) -> bytes:
    """Return under what a process remembers that a password was right, for one version of it."""
    said = orjson.dumps([login, password, version])
    return hmac.digest(process_key, said, "sha256")


def same_secret(said: str, kept: str) -> bool:
    """Compare two secrets in time that tells nothing of either, their lengths included."""
    return hmac.compare_digest(
        hashlib.sha256(said.encode()).digest(), hashlib.sha256(kept.encode()).digest()
    )
