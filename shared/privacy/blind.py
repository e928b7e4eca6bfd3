"""Blind indexes: e-mail addresses are found by a keyed hash, the same in every service.

``bi<version>.<hex>``: HMAC-SHA256 of the normalised address under the key of that version. A new
version is used for what is written from then on, and look-ups ask for all versions. Without the
keys nobody can tell whose it is; it is personal data all the same, and goes with its record.
"""

import hmac
import re
import unicodedata
from pathlib import Path
from typing import Final

from shared.privacy.keyfile import KeyFileError, load_or_create

FIRST: Final = 1
LONGEST: Final = 254  # characters of an address: RFC 5321 section 4.5.3.1, erratum 1690

_NAME: Final = re.compile(r"index-([1-9][0-9]*)\.key")
_ADDRESS: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")


class AddressError(ValueError):
    """Not an e-mail address; the sentence does not repeat it."""


def normalised(address: str) -> str:
    """Return an address as it is compared; raises ``AddressError``.

    Case is ignored before the @ too: RFC 5321 lets hosts tell cases apart, and none does.
    """
    text = unicodedata.normalize("NFC", address.strip())
    if len(text) > LONGEST or _ADDRESS.fullmatch(text) is None:
        raise AddressError("an e-mail address looks like name@example.org")
    local, _, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        raise AddressError("the part behind the @ is no domain name") from None
    return f"{local.casefold()}@{domain.lower()}"


class BlindIndex:
    """The keys of a folder, ``index-<version>.key``; read at its making."""

    __slots__ = ("_keys",)

    def __init__(self, folder: Path) -> None:
        """Read all versions of ``folder``, making the first where there is none; blocking."""
        found = [_NAME.fullmatch(path.name) for path in folder.glob("index-*.key")]
        if None in found:
            raise KeyFileError(f"{folder} holds index files that are not named index-<number>.key")
        versions = sorted([int(match[1]) for match in found if match] or [FIRST])
        self._keys = {one: load_or_create(folder / f"index-{one}.key") for one in versions}

    def of(self, address: str) -> str:
        """Return the index that is written; raises ``AddressError``."""
        return self.all(address)[-1]

    def all(self, address: str) -> tuple[str, ...]:
        """Return the indexes to look for, the current one last; raises ``AddressError``."""
        said = normalised(address).encode()
        return tuple(
            f"bi{version}.{hmac.digest(key, said, 'sha256').hex()}"
            for version, key in self._keys.items()
        )
