"""Canaries: one distinct value for each field that is held of people, planted to be looked for.

They follow from the register (``deploy.privacy.register``), so that a field that is declared
tomorrow has one, and a test that plants none there fails.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.privacy.register import Entry


@dataclass(frozen=True, slots=True)
class Canary:
    """A value that stands nowhere but where it was planted."""

    schema: str
    field: str
    text: str

    @property
    def name(self) -> str:
        """What reports call it; never its text."""
        return f"{self.schema}/{self.field}"


def canaries(entries: Iterable[Entry], salt: str) -> dict[str, Canary]:
    """Return a canary for each field, by name; another ``salt`` gives others.

    An address looks like one. Other texts hold capitals, a blank and a letter outside ASCII, so
    that folding, quoting and escaping all leave their traces.
    """
    made = {}
    for one in entries:
        mark = hashlib.sha256(f"{salt}|{one.schema}|{one.field}".encode()).hexdigest()[:20]
        is_address = one.address or "email" in one.field
        text = f"canary.{mark}@press.example" if is_address else f"Zoë Canary-{mark}"
        canary = Canary(one.schema, one.field, text)
        made[canary.name] = canary
    return made
