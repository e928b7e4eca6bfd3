"""What the index holds of a work, and which of two states of it is the newer one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.distribution.search.document import SearchDoc


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds of a work: its version, and the owner prefix it is listed under."""

    version: int
    owner: str


def is_news(doc: SearchDoc, held: Held | None) -> bool:
    """Whether a state is newer than what is held, or the same under another owner."""
    if held is None or doc.version != held.version:
        return held is None or doc.version > held.version
    return doc.owner != held.owner


def newest(docs: Iterable[SearchDoc]) -> dict[str, SearchDoc]:
    """Collapse a batch to the highest version per DOI; of equal versions the later one."""
    found: dict[str, SearchDoc] = {}
    for doc in docs:
        known = found.get(doc.doi)
        if known is None or doc.version >= known.version:
            found[doc.doi] = doc
    return found
