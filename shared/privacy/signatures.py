"""Short texts handed out and taken back, such as cursors: HMAC-SHA256, safe in URLs."""

import base64
import binascii
import hmac

SIGNATURE_BYTES = 16  # half of SHA-256: forging one still takes 2**128 tries


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
