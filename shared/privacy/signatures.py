"""Signatures by HMAC-SHA256: short texts handed out and taken back, and callbacks.

Texts such as cursors are safe in URLs. Callbacks are signed as Standard Webhooks 1.0.0 says, under
a secret that the receiver has too.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from shared.runtime.ids import random_bytes

SIGNATURE_BYTES = 16  # half of SHA-256: forging one still takes 2**128 tries
WEBHOOK_SECRET_BYTES: Final = 32  # Standard Webhooks: 24 at least, 64 at most
WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105  (tells one from other texts)


def sign(key: bytes, payload: bytes, *, purpose: str) -> str:
    """Return ``payload``, readable, with a signature that holds for this purpose only."""
    signed = _signature(key, payload, purpose) + payload
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def verify(key: bytes, text: str, *, purpose: str) -> bytes | None:
    """Return the payload that ``sign`` put into ``text``, or None where we did not sign it."""
    try:
        padded = text + "=" * (-len(text) % 4)
        signed = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    signature, payload = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, payload, purpose)):
        return None
    return payload


def _signature(key: bytes, payload: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + payload, "sha256")[:SIGNATURE_BYTES]


def new_webhook_secret() -> str:
    """Return a new secret for callbacks, as its receiver is shown it."""
    return WEBHOOK_SECRET_PREFIX + base64.b64encode(random_bytes(WEBHOOK_SECRET_BYTES)).decode()


def webhook_headers(
    secrets: Sequence[str], body: bytes, *, message: str, timestamp: int
) -> dict[str, str]:
    """Return the headers that prove a callback: one signature for each secret in force.

    ``message`` is the same with each try and holds no full stop, ``timestamp`` is this try's, in
    seconds since 1970.
    """
    if "." in message:
        raise ValueError("the id of a message holds no full stop")
    signed = f"{message}.{timestamp}.".encode() + body
    signatures = (hmac.digest(_webhook_key(one), signed, "sha256") for one in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signatures),
    }


def _webhook_key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(WEBHOOK_SECRET_PREFIX), validate=True)
