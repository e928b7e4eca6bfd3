"""The transparency log in the store: one document a leaf, inserted under its index, never changed.

The insert is the compare-and-set: of two that append at once one finds its place taken and goes on
behind it. A leaf holds the hashes of the subtrees that it completes, so any hash of the tree is one
read by ``_id``. Where the tree ends is a hint that only grows, and what stands behind it is looked
for; nothing rests on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.retention.model.log import leaf_entry
from shared.events.decisions import Accepted, saying
from shared.events.tree import CheckpointState, LeafAppended, LeafState, LogKeysState
from shared.kafka.relay import Source
from shared.mongo import Aggregates, Collection, Database, IndexModel, Outbox, Pending, faults
from shared.mongo.client import BulkWriteError, DuplicateKeyError, collided
from shared.privacy.rings import SOURCE
from shared.privacy.transparency import Frontier, Node, cover, leaf_hash
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient

LEAVES: Final = "tree"
CHECKPOINTS: Final = "checkpoints"
LOG_KEYS: Final = "log_keys"
NOTES: Final = "tree_notes"  # hints, and how far the topic was compared
LOG: Final = "log"
HASH_INDEX: Final = IndexModel([("leaf", 1)], name="leaf", unique=True)
AHEAD: Final = 64  # indexes asked for at once beyond the hint
TRIES: Final = 100  # each lost race is a record of somebody else's that went in


@dataclass(slots=True)
class Leaves:
    """The leaves, by index; the frontier is remembered, and read again where it was overtaken."""

    collection: Collection
    notes: Collection
    wake: Ring = unheard
    clock: Clock = SYSTEM
    _frontier: Frontier | None = None
    _documents: Aggregates[LeafState] = field(init=False)

    def __post_init__(self) -> None:
        """Make the writer of documents with an outbox."""
        self._documents = Aggregates(
            self.collection, LeafState.model_validate_json, SOURCE, clock=self.clock
        )

    async def append(self, records: Sequence[bytes]) -> list[int]:
        """Append records that are not in the tree; return the index of each.

        Raises ``ValueError`` for a record that is no UTF-8, ``Transient`` while the store is away
        or too many append at once.
        """
        wanted = {leaf_hash(one).hex(): one.decode() for one in records}
        known = await self.indexes(list(wanted))
        for _ in range(TRIES):
            missing = {leaf: text for leaf, text in wanted.items() if leaf not in known}
            if not missing:
                return [known[leaf_hash(one).hex()] for one in records]
            known |= await self._insert(missing)
            if len(known) < len(wanted):  # overtaken, maybe with the same record
                self._frontier = None
                known |= await self.indexes([one for one in missing if one not in known])
        raise Transient("too many append to the tree at once")

    async def restore(self, state: LeafState) -> None:
        """Put a leaf into its place again; it is on the topic already. Raises ``ValueError``."""
        frontier = self._frontier or await self.frontier()
        if leaf_hash(state.record.encode()).hex() != state.leaf:
            raise ValueError(f"the record of leaf {state.index} is not what its hash says")
        if frontier.size != state.index:
            raise ValueError(f"leaf {state.index} cannot follow a tree of {frontier.size}")
        document, grown = self._document(frontier, state.leaf, state.record)
        with faults():
            await self.collection.insert_one(
                {name: value for name, value in document.items() if name != "dirty"}
                | {"outbox": []}
            )
        self._frontier = grown
        await self.hint("size", grown.size)

    async def _insert(self, missing: Mapping[str, str]) -> dict[str, int]:
        """Insert in order, as far as nobody was faster; return what went in."""
        frontier = self._frontier or await self.frontier()
        documents = []
        for leaf, text in missing.items():
            document, frontier = self._document(frontier, leaf, text)
            documents.append(document)
        with faults():
            try:
                await self.collection.insert_many(documents, ordered=True)
            except BulkWriteError as fault:
                documents = documents[: collided(fault)[0]]
            else:
                self._frontier = frontier
        crashpoint("tree.appended")
        if documents:
            await self.hint("size", documents[-1]["_id"] + 1)
            self.wake(self.collection.name)
        return {one["leaf"]: one["_id"] for one in documents}

    def _document(
        self, frontier: Frontier, leaf: str, text: str
    ) -> tuple[dict[str, Any], Frontier]:
        index = frontier.size
        state = LeafState(entry=leaf_entry(index), index=index, record=text, leaf=leaf, version=1)
        change = self._documents.change(
            index,
            Accepted(state, (saying(LeafAppended, state),)),
            at=rfc3339(self.clock.now()),
            correlation=None,
        )
        grown = frontier.appended(bytes.fromhex(leaf))
        nodes = [kept.hex() for _, kept in grown.kept]
        document = {"_id": index, **change.shown, **change.pushed, "leaf": leaf, "nodes": nodes}
        return document, grown.frontier

    async def indexes(self, leaves: Sequence[str]) -> dict[str, int]:
        """Return where leaves are, by their hashes; absent ones are left out."""
        with faults():
            found = await self.collection.find(
                {"leaf": {"$in": list(leaves)}}, {"leaf": 1}
            ).to_list(None)
        return {one["leaf"]: one["_id"] for one in found}

    async def leaf(self, index: int) -> LeafState | None:
        """Return a leaf."""
        return await self._documents.load(index)

    async def records(self, indexes: Sequence[int]) -> list[str]:
        """Return the records of leaves in their order; absent ones are left out."""
        found = await self._documents.load_many(list(indexes))
        return [found[index].record for index in sorted(found)]

    async def leaves(self, indexes: Sequence[int]) -> dict[int, str]:
        """Return the hashes of leaves by their index; absent ones are left out."""
        with faults():
            found = await self.collection.find(
                {"_id": {"$in": list(indexes)}}, {"leaf": 1}
            ).to_list(None)
        return {one["_id"]: one["leaf"] for one in found}

    async def frontier(self) -> Frontier:
        """Return the frontier of the whole tree as the store has it now."""
        self._frontier = await self.frontier_at(await self.size())
        return self._frontier

    async def frontier_at(self, size: int) -> Frontier:
        """Return what the frontier was at a size; raises ``MissingNodes``."""
        return Frontier.kept(size, await self.hashes(cover(0, size)))

    async def size(self) -> int:
        """Return how many leaves there are."""
        size = await self.hinted("size")
        while True:
            ahead = range(size, size + AHEAD)
            with faults():
                found = await self.collection.find(
                    {"_id": {"$in": list(ahead)}}, {"_id": 1}
                ).to_list(None)
            size += len(found)
            if len(found) < AHEAD:
                return size

    async def published(self) -> int:
        """Return how many leaves are at the broker, from the first on without a gap."""
        size = await self.size()
        with faults():
            waiting = await self.collection.find({"dirty": True}, {"_id": 1}).to_list(None)
        return min((one["_id"] for one in waiting), default=size)

    async def hashes(self, nodes: Sequence[Node]) -> Mapping[Node, bytes]:
        """Return the hashes of whole subtrees: each stands with the leaf that completed it."""
        completed = {node: ((node.place + 1) << node.level) - 1 for node in nodes}
        with faults():
            found = await self.collection.find(
                {"_id": {"$in": sorted(set(completed.values()))}}, {"nodes": 1}
            ).to_list(None)
        kept = {one["_id"]: one["nodes"] for one in found}
        return {
            node: bytes.fromhex(kept[leaf][node.level])
            for node, leaf in completed.items()
            if leaf in kept
        }

    async def hint(self, name: str, value: int) -> None:
        """Note something that only grows."""
        with faults():
            await self.notes.update_one({"_id": LOG}, {"$max": {name: value}}, upsert=True)

    async def hinted(self, name: str) -> int:
        """Return what was noted, 0 where nothing was."""
        with faults():
            found = await self.notes.find_one({"_id": LOG})
        return int((found or {}).get(name, 0))


@dataclass(frozen=True, slots=True)
class InOrder:
    """The outbox of leaves: none is published before the one before it.

    So the topic holds the tree from its beginning without a gap, and a store that was lost can be
    made from it.
    """

    box: Outbox

    async def page(self, most: int) -> list[Pending]:
        """Read leaves that wait, in the order of the tree."""
        found = sorted(await self.box.page(most), key=lambda one: int(one.key))
        if not found:
            return []
        first = int(found[0].key)
        run = [one for place, one in enumerate(found, first) if one.key == place]
        if first > 0:
            with faults():
                before = await self.box.collection.find_one({"_id": first - 1}, {"dirty": 1})
            if before is None or before.get("dirty"):
                return []  # what was missed is found at the next look
        return run

    async def take_out(self, published: Sequence[Pending]) -> None:
        """Remove what was published."""
        await self.box.take_out(published)

    @property
    def name(self) -> str:
        """The collection."""
        return self.box.name


def open_leaves(database: Database, wake: Ring, clock: Clock) -> Leaves:
    """Open the leaves."""
    return Leaves(database[LEAVES], database[NOTES], wake, clock)


def open_checkpoints(database: Database, wake: Ring) -> Aggregates[CheckpointState]:
    """Open the checkpoints, by size."""
    parse = CheckpointState.model_validate_json
    return Aggregates(database[CHECKPOINTS], parse, SOURCE, wake=wake)


def open_log_keys(database: Database, wake: Ring) -> Aggregates[LogKeysState]:
    """Open the one document of the log's public keys."""
    return Aggregates(database[LOG_KEYS], LogKeysState.model_validate_json, SOURCE, wake=wake)


def tree_sources(database: Database) -> list[Source]:
    """Return what the relay publishes of the tree: leaves before the checkpoints over them."""
    return [
        Source(InOrder(Outbox(database[LEAVES], SOURCE))),
        Source(Outbox(database[CHECKPOINTS], SOURCE)),
        Source(Outbox(database[LOG_KEYS], SOURCE)),
    ]


async def prepare_tree(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database[LEAVES].create_indexes([HASH_INDEX])
    for name in (LEAVES, CHECKPOINTS, LOG_KEYS):
        await Outbox(database[name], SOURCE).prepare()


async def put_back(documents: Aggregates[Any], key: Any, state: Any) -> None:
    """Put a state that the topic holds into the store, unless that is as new there."""
    with faults():
        try:
            await documents.collection.update_one(
                {"_id": key, "version": {"$lt": state.version}},
                {
                    "$set": {"version": state.version, "state": state.model_dump_json()},
                    "$setOnInsert": {"outbox": []},
                },
                upsert=True,
            )
        except DuplicateKeyError:
            return
