"""The outbox of a collection whose writers keep dockets: read what is on them, strike it off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.events import Outgoing
from shared.mongo.client import Document, faults
from shared.mongo.docket import Announced, Docket
from shared.mongo.outbox import MOST_BYTES, SHOWN, Outbox, Pending, pending_of
from shared.runtime.clock import SYSTEM, Clock

PATIENCE: Final = 1.0  # seconds that a write may take from its docket to its last document
ASIDE_SECONDS: Final = 5.0  # between two looks at what was put aside
MOST_ASIDE: Final = 10  # dockets of one such look
AT_ONCE: Final = 25  # keys a look-up: the embedded store compares each document with all of them


@dataclass(frozen=True, slots=True)
class Struck:
    """A docket that was read; ``left`` are the documents that had not come by then."""

    docket: str
    left: Mapping[Any, int]
    records: tuple[Outgoing, ...] = ()
    more: bool = False
    size: int = 0


Item = Pending | Struck


@dataclass(slots=True)
class DocketedOutbox:
    """As ``Outbox``; what was marked before dockets were kept is published as well.

    Marks are looked for where their index is. Without one there are none, and writing costs less.
    A document is always published whole, so that its newest event comes last even where its older
    ones were published before. Not for gate topics: a page without records may leave some to come.
    """

    marked: Outbox
    docket: Docket
    clock: Clock = SYSTEM
    _met: dict[str, float] = field(default_factory=dict)  # incomplete dockets, and when
    _looked: float = float("-inf")  # at what was put aside
    _after: str = ""
    _marks: bool = True

    @property
    def name(self) -> str:
        """The collection."""
        return self.marked.name

    async def prepare(self) -> None:
        """Find out whether there can be marked documents."""
        self._marks = await self.marked.prepared()

    async def page(self, most: int) -> list[Item]:
        """Read documents with unpublished events, from the primary.

        A docket more than ``most`` documents or some megabytes hold, at the most.
        """
        page: list[Item] = [*await self.marked.page(most)] if self._marks else []
        if page and page[-1].more:
            return page
        due, more = await self.docket.due(most, MOST_BYTES)
        dockets = [*due, *await self._aside()]
        documents = await self._documents({key for one in dockets for key in one.versions})
        read = set[Any]()
        for docket in dockets:
            page += self._read(docket, documents, read)
        return [*page[:-1], replace(page[-1], more=more)] if page else []

    async def take_out(self, published: Sequence[Item]) -> None:
        """Strike off what was published.

        Only documents that hold a mark, or texts beside their state, are written.
        """
        await self.marked.take_out(
            [one for one in published if isinstance(one, Pending) and not one.stays]
        )
        struck = {one.docket: one.left for one in published if isinstance(one, Struck)}
        await self.docket.strike(struck)
        for docket in struck:
            self._met.pop(docket, None)

    async def _aside(self) -> list[Announced]:
        now = self.clock.monotonic()
        if now - self._looked < ASIDE_SECONDS:
            return []
        self._looked = now
        found = await self.docket.aside(self._after, MOST_ASIDE)
        self._after = found[-1].id if len(found) == MOST_ASIDE else ""
        return found

    async def _documents(self, keys: set[Any]) -> dict[Any, Document]:
        asked = list(keys)
        found: dict[Any, Document] = {}
        for start in range(0, len(asked), AT_ONCE):
            query = {"_id": {"$in": asked[start : start + AT_ONCE]}}
            with faults():
                documents = await self.marked.collection.find(query, SHOWN).to_list(None)
            found |= {one["_id"]: one for one in documents}
        return found

    def _read(
        self, docket: Announced, documents: Mapping[Any, Document], read: set[Any]
    ) -> list[Item]:
        """Return what a docket leads to that is not in ``read``, and enter it there."""
        there = {
            key: documents[key]
            for key, version in docket.versions.items()
            if key in documents and documents[key]["version"] >= version
        }
        left = {key: version for key, version in docket.versions.items() if key not in there}
        if left and (self._under_way(docket) if docket.due else not there):
            return []
        pending = [self._pending(one) for key, one in there.items() if key not in read]
        read.update(there)
        return [*(one for one in pending if one.records), Struck(docket.id, left)]

    def _under_way(self, docket: Announced) -> bool:
        now = self.clock.monotonic()
        return now - self._met.setdefault(docket.id, now) < PATIENCE

    def _pending(self, document: Document) -> Pending:
        stays = not any("data" in entry for entry in document.get("outbox", ()))
        return replace(pending_of(document, self.marked.source), stays=stays)
