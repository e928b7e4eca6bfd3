"""Suppression: that nobody wants this at an address is remembered without the address.

An entry is a keyed hash of scope and blind index. Nothing leads from it to a person, and it stays
when the person is erased; only who knows an address can ask whether it is there (CRP-3).
"""

import hmac
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "sup1"


def suppression(key: bytes, scope: str, subject: str) -> str:
    """Return the entry for a scope and a blind index."""
    digest = hmac.digest(key, f"{scope}|{subject}".encode(), "sha256")
    return f"{PREFIX}.{digest.hex()}"


def suppressions(key: bytes, scope: str, subjects: Iterable[str]) -> list[str]:
    """Return the entries to look for: one for each version of the blind index."""
    return [suppression(key, scope, one) for one in subjects]
