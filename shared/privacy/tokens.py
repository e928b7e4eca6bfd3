"""Signed tokens of people: compact JWS (RFC 7515) with EdDSA (RFC 8037), short-lived.

A token names its bearer by a pseudonym and holds no personal value. One algorithm is read and
written, so no token can choose another. Codes that are mailed are made here too.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.privacy.keyfile import KeyFileError, load_or_create
from shared.runtime.ids import random_bytes

ISSUER: Final = "colophon-accounts"
ALGORITHM: Final = "EdDSA"
LONGEST: Final = 4096  # characters of a token; ours have some 500
SKEW: Final = timedelta(seconds=5)  # a token may come from a clock that is so far ahead
CODE_BYTES: Final = 10  # 80 bits: 16 letters of base32, which a person can still copy

_NAME: Final = re.compile(r"signing-([1-9][0-9]*)\.key")
_CODE: Final = re.compile(r"[A-Z2-7]{16}")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who, as what, of which sign-in and since when, from when until when."""

    sub: str
    sid: str
    jti: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_time: datetime
    iat: datetime
    exp: datetime


class SigningKeys:
    """The private keys of a folder, ``signing-<n>.key``; the greatest signs. Read at its making."""

    __slots__ = ("_keys", "kid")

    def __init__(self, folder: Path) -> None:
        """Read all keys of ``folder``, making the first where there is none; blocking."""
        found = [_NAME.fullmatch(path.name) for path in folder.glob("signing-*.key")]
        if None in found:
            raise KeyFileError(f"{folder} holds keys that are not named signing-<number>.key")
        numbers = sorted([int(match[1]) for match in found if match] or [1])
        keys = [
            Ed25519PrivateKey.from_private_bytes(load_or_create(folder / f"signing-{number}.key"))
            for number in numbers
        ]
        self._keys = {key_id(public_of(key)): key for key in keys}
        self.kid = list(self._keys)[-1]

    def public(self) -> dict[str, str]:
        """Return all public keys, base64url, by their ids."""
        return {kid: public_of(key) for kid, key in self._keys.items()}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517, RFC 8037)."""
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig", "kid": kid, "x": x}
                for kid, x in self.public().items()
            ]
        }

    def sign(self, claims: Claims) -> str:
        """Return a token under the newest key."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": "JWT"}
        said = {
            "iss": ISSUER,
            "sub": claims.sub,
            "sid": claims.sid,
            "jti": claims.jti,
            "roles": claims.roles,
            "scopes": claims.scopes,
            # Not whole seconds: who signs in right after all sign-ins were ended must get in.
            "auth_time": claims.auth_time.timestamp(),
            "iat": claims.iat.timestamp(),
            "exp": claims.exp.timestamp(),
        }
        signed = f"{_text(orjson.dumps(header))}.{_text(orjson.dumps(said))}"
        return f"{signed}.{_text(self._keys[self.kid].sign(signed.encode()))}"


def verified(token: str, public: Callable[[str], str | None], *, now: datetime) -> Claims | None:
    """Return what a token says, None where it was not signed under a published key or ran out.

    ``public`` finds a key, base64url, by its id (``x`` and ``kid`` of a JWK set). Whether its
    sign-in was ended is not looked at here.
    """
    if len(token) > LONGEST or not looks_signed(token):
        return None
    head, body, signature = token.split(".")
    try:
        header = orjson.loads(_bytes(head))
        if not isinstance(header, dict) or header.get("alg") != ALGORITHM or "crit" in header:
            return None
        x = public(header["kid"])
        if x is None:
            return None
        _public_key(x).verify(_bytes(signature), f"{head}.{body}".encode())
        claims = _claims(orjson.loads(_bytes(body)))
    except (InvalidSignature, KeyError, TypeError, ValueError, OverflowError):
        return None
    return claims if claims.iat - SKEW <= now < claims.exp else None


def looks_signed(token: str) -> bool:
    """Say whether a bearer token is of this form; keys and operators' tokens have no full stop."""
    return token.count(".") == 2  # noqa: PLR2004  (header, claims, signature)


def key_id(public: str) -> str:
    """Return a public key's id: its JWK thumbprint (RFC 7638)."""
    members = b'{"crv":"Ed25519","kty":"OKP","x":"' + public.encode() + b'"}'
    return _text(sha256(members).digest())


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public half, base64url."""
    return _text(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def new_code() -> str:
    """Return a code to be mailed: ``ABCD-EFGH-IJKL-MNOP``, 80 random bits."""
    letters = base64.b32encode(random_bytes(CODE_BYTES)).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def code_that_follows(key: bytes, of: str) -> str:
    """Return the code of one thing ``of`` which it is, always the same: 130 keyed bits."""
    letters = base64.b32encode(hmac.digest(key, of.encode(), "sha256")).decode()[:26]
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def code_key(code: str) -> str | None:
    """Return under what a code is kept, None where it cannot be one; spaces and case are free.

    A plain hash hides 80 random bits for the hour that they count.
    """
    letters = re.sub(r"[\s-]", "", code).upper()
    if _CODE.fullmatch(letters) is None:
        return None
    return f"code:{sha256(letters.encode()).hexdigest()}"


def code_mac(key: bytes, code: str, of: str) -> str | None:
    """Return a code's keyed hash, good for one thing ``of`` which it is; None where it is no code.

    To be compared by ``hmac.compare_digest``.
    """
    kept = code_key(code)
    return None if kept is None else hmac.digest(key, f"{of} {kept}".encode(), "sha256").hex()


@lru_cache(maxsize=64)
def _public_key(x: str) -> Ed25519PublicKey:
    """Read a public key; reading costs as much as verifying, and there are few."""
    return Ed25519PublicKey.from_public_bytes(_bytes(x))


def _claims(said: Any) -> Claims:
    if said["iss"] != ISSUER or not all(isinstance(said[name], str) for name in _TEXTS):
        raise ValueError("not ours")
    return Claims(
        sub=said["sub"],
        sid=said["sid"],
        jti=said["jti"],
        roles=tuple(str(one) for one in said["roles"]),
        scopes=tuple(str(one) for one in said["scopes"]),
        auth_time=datetime.fromtimestamp(said["auth_time"], UTC),
        iat=datetime.fromtimestamp(said["iat"], UTC),
        exp=datetime.fromtimestamp(said["exp"], UTC),
    )


_TEXTS: Final = ("sub", "sid", "jti")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64url") from fault
