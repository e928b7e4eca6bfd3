"""Receipts: JSON documents that anybody can verify offline, with one public key (Ed25519).

Canonical JSON is orjson's with sorted keys. That is RFC 8785 as long as member names are ASCII and
values are texts, booleans, null and whole numbers below 2**53, which ``canonical`` checks.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.privacy.keyfile import load_or_create

KIND: Final = "Ed25519Signature"
GREATEST: Final = 2**53 - 1  # RFC 8785 section 3.2.2.3: numbers are IEEE doubles


class Signer:
    """Signs receipts under the key of a file, made where there is none; blocking at its making."""

    __slots__ = ("_key", "name", "public")

    def __init__(self, path: Path) -> None:
        """Read the key; ``public`` is what verifies, base64url, ``name`` what documents call it."""
        self._key = Ed25519PrivateKey.from_private_bytes(load_or_create(path))
        raw = self._key.public_key().public_bytes_raw()
        self.public: Final = _text(raw)
        self.name: Final = f"ed25519:{hashlib.sha256(raw).hexdigest()[:16]}"

    def signed(self, document: Mapping[str, Any], *, created: str) -> dict[str, Any]:
        """Return a document with its proof; the proof's own words are signed along with it."""
        proof = {"type": KIND, "created": created, "verificationMethod": self.name}
        whole = {**document, "proof": proof}
        signature = self._key.sign(canonical(whole))
        return {**whole, "proof": {**proof, "signatureValue": _text(signature)}}


def verified(document: Mapping[str, Any], public: str) -> bool:
    """Say whether a document is as the holder of the key signed it."""
    proof = document.get("proof")
    if not isinstance(proof, dict) or proof.get("type") != KIND:
        return False
    bare = {name: value for name, value in proof.items() if name != "signatureValue"}
    try:
        signature = _bytes(str(proof.get("signatureValue", "")))
        key = Ed25519PublicKey.from_public_bytes(_bytes(public))
        key.verify(signature, canonical({**document, "proof": bare}))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def canonical(value: Any) -> bytes:
    """Return a value as RFC 8785 writes it; raises ``ValueError`` for what it cannot hold."""
    _check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _check(value: Any) -> None:
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) <= GREATEST:
            return
        case list() | tuple():
            for one in value:
                _check(one)
        case dict():
            if not all(isinstance(name, str) and name.isascii() for name in value):
                raise ValueError("member names of a receipt are ASCII")
            for one in value.values():
                _check(one)
        case _:
            raise ValueError("a receipt holds texts, booleans, null and whole numbers")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
