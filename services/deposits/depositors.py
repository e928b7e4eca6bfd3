"""Depositors: under which blind index a submission is found by whoever sent it.

A file names its depositor in its head, by name and e-mail address. Both exist in the sealed file
alone; beside the submission lies the blind index of the address, for erasures.
"""

import re
from html import unescape

from shared.privacy.blind import AddressError, BlindIndex

_ADDRESS = re.compile(rb"<(?:\w+:)?email_address\s*>([^<]{1,400})</")


def address_in(head: bytes) -> str | None:
    """Return the address that the beginning of a file seems to have, before the file is read.

    Whoever reads the file finds the true one and enters that too.
    """
    found = _ADDRESS.search(head)
    if found is None:
        return None
    return unescape(found[1].decode("utf-8", "replace")).strip() or None


def indexed(blind: BlindIndex, address: str | None) -> tuple[str, ...]:
    """Return the blind index of an address, none where it is no address."""
    try:
        return (blind.of(address),) if address else ()
    except AddressError:
        return ()
