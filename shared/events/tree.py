"""Events of the transparency log: each record in its place, signed checkpoints, and its keys.

The topic is the log once more. A store that is restored from an older copy takes from it what it
lacks, and one that went another way is found by it (ADR 46). Nothing here is personal.
"""

from typing import Annotated

from pydantic import Field

from shared.events.base import Event, Instant, State, Version

Entry = Annotated[
    str,
    Field(
        pattern=r"^((leaf|checkpoint)-(0|[1-9][0-9]{0,15})|keys)$",
        description="A leaf by its index, a checkpoint by the size that it signs, or the keys.",
        examples=["leaf-0", "checkpoint-256", "keys"],
    ),
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LeafState(State):
    """A record in its place, for ever."""

    entry: Entry
    index: int = Field(ge=0)
    record: str = Field(description="Canonical JSON (RFC 8785); its bytes are what is hashed.")
    leaf: Digest = Field(description="SHA-256 of a zero byte and the record (RFC 9162).")
    version: Version


class LeafAppended(LeafState, Event, topic="retention.tree.v1", key="entry"):
    """A record was added to the tree."""


class CheckpointState(State):
    """What the tree was at a size, signed by the log, and by witnesses that saw it."""

    entry: Entry
    size: int = Field(ge=1)
    text: str = Field(description="A C2SP signed note (tlog-checkpoint).")
    signed_at: Instant
    version: Version


class CheckpointSigned(CheckpointState, Event, topic="retention.tree.v1", key="entry"):
    """A checkpoint was signed, or one more signed it. Every leaf under it is on the topic."""


class LogKeysState(State):
    """The public keys of the log, of all times: ``<verifier key> <first size> [<last size>]``."""

    entry: Entry
    keys: tuple[str, ...] = Field(min_length=1)
    version: Version


class LogKeysChanged(LogKeysState, Event, topic="retention.tree.v1", key="entry"):
    """The log signs with another key from a size on; what was signed before stays valid."""
