"""What the read interfaces must know of owners: asked when a request is answered, never indexed."""

from collections.abc import Collection, Iterable
from typing import Protocol


class Owners(Protocol):
    """The current knowledge of members, their prefixes and settings."""

    def prefixes_of_member(self, member: int) -> Collection[str]:
        """Return the owner prefixes of a member; none for an unknown member."""

    def prefixes_with_visibility(self, setting: str) -> Collection[str]:
        """Return the owner prefixes whose setting in force is open, limited or closed."""

    def publisher_name(self, prefix: str) -> str | None:
        """Return the publisher name that works of an owner prefix show, None if unknown."""

    def publisher_names(self) -> Iterable[tuple[str, str]]:
        """Return every known owner prefix with the publisher name that its works show."""
