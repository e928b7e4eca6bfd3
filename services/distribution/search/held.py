"""What the index holds of a work, and which of two states of it is the newer one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.distribution.search.document import SearchDoc


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds of a work: its version, its owner prefix, what was counted of it."""

    version: int
    owner: str
    cited_by: int = field(default=0, compare=False)
    """As of the last walk (services/distribution/counts.py): no part of what a replay equals."""
    told: int = field(default=0, compare=False)
    """What other works say of it (claims.digest), as of the last walk: as ``cited_by``."""


def is_news(doc: SearchDoc, held: Held | None) -> bool:
    """Whether a state is newer than what is held, or the same with another owner or count.

    What a state does not bring with it is no news.
    """
    if held is None or doc.version != held.version:
        return held is None or doc.version > held.version
    brought = (doc.cited_by, held.cited_by), (doc.told, held.told)
    return doc.owner != held.owner or any(new not in {None, old} for new, old in brought)


def counted(doc: SearchDoc, held: Held | None) -> SearchDoc:
    """Return a state with the count that is held, where it brings none of its own.

    Not with what is told of it, which is more than a number: that comes with the next walk.
    """
    if held is None or doc.cited_by is not None:
        return doc
    return replace(doc, cited_by=held.cited_by)


def newest(docs: Iterable[SearchDoc]) -> dict[str, SearchDoc]:
    """Collapse a batch to the highest version per DOI; of equal versions the later one."""
    found: dict[str, SearchDoc] = {}
    for doc in docs:
        known = found.get(doc.doi)
        if known is None or doc.version >= known.version:
            found[doc.doi] = doc
    return found
