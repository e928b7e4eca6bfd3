"""What a record of the log is to the feed of changes. Pure."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from shared.events import (
    Event,
    OwnershipState,
    PrefixState,
    Received,
    TitleState,
    WorkState,
    from_record,
)
from shared.kafka.follow import Place, Record

Kind: TypeAlias = Literal["work", "owner", "prefix", "title"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something changed: a work or its owner (key: the DOI), a prefix, or a title.

    Only what changed stands here; how it is now is asked when it is shown. ``at`` is when the
    broker took it, in milliseconds of the epoch.
    """

    place: Place
    offset: int
    at: int
    kind: Kind
    key: str
    version: int

    @property
    def order(self) -> tuple[int, Place, int]:
        """What entries are ordered by: time, and within a partition its own order."""
        return self.at, self.place, self.offset


def entry_of(place: Place, record: Record) -> Entry | None:
    """Return what a record is to the feed; None for watermarks, nudges and the unreadable."""
    match from_record(record.key, record.value, record.headers):
        case Received(event):
            known = _known(event)
            if known is not None:
                version = event.aggregate_version or 0
                return Entry(place, record.offset, record.timestamp, *known, version)
    return None


def _known(event: Event) -> tuple[Kind, str] | None:
    match event:
        case WorkState(doi=doi):
            return "work", doi
        case OwnershipState(subject=doi):
            return "owner", doi
        case PrefixState(prefix=prefix):
            return "prefix", prefix
        case TitleState(subject=title):
            return "title", title
    return None
