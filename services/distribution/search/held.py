"""What the index holds of a work, and which of two states of it is the newer one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.distribution.search.document import SearchDoc


@dataclass(frozen=True, slots=True)
class Held:
    """What the index holds of a work: its version, its owner prefix, how many works cite it."""

    version: int
    owner: str
    cited_by: int = field(default=0, compare=False)
    """As of the last walk (services/distribution/counts.py): no part of what a replay equals."""


def is_news(doc: SearchDoc, held: Held | None) -> bool:
    """Whether a state is newer than what is held, or the same with another owner or count."""
    if held is None or doc.version != held.version:
        return held is None or doc.version > held.version
    return doc.owner != held.owner or doc.cited_by not in {None, held.cited_by}


def counted(doc: SearchDoc, held: Held | None) -> SearchDoc:
    """Return a state with the count that is held, where it brings none of its own."""
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
