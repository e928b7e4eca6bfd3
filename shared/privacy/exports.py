"""Files for one recipient outside: age, version 1 (age-encryption.org/v1, C2SP).

Whoever holds the recipient's private key opens them with any implementation of age; we cannot.
"""

import pyrage


class RecipientError(ValueError):
    """Not a recipient of age; the sentence does not repeat it."""


def encrypted(plain: bytes, recipient: str) -> bytes:
    """Encrypt a file for a recipient, ``age1...``; raises ``RecipientError``."""
    try:
        public = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise RecipientError(
            "a recipient of age is written as age1..., with its checksum"
        ) from None
    encrypted: bytes = pyrage.encrypt(plain, [public])
    return encrypted
