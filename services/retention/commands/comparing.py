"""The store and the topic of the log are compared before anything is appended.

A store that was restored from an older copy is behind: it takes what it lacks from the topic, so
no place of the tree is ever given to another record. One that is ahead of the topic, or differs
from it, is not the log that was published: nothing is appended or signed any more, and the process
says so.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.retention.commands.log import SIGNED, Log
from services.retention.model import log as model
from services.retention.store.tree import put_back
from shared.events import Received, from_record
from shared.events.base import State
from shared.events.tree import CheckpointState, LeafState, LogKeysState
from shared.kafka.follow import Record, read_to_end
from shared.mongo import faults
from shared.privacy.checkpoints import Checkpoint
from shared.privacy.notes import Note
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log

TOPIC: Final = "retention.tree.v1"
PART: Final = "tree"  # in health
AT_ONCE: Final = 500

log = get_log(__name__)


class Forked(Transient):
    """Store and topic are not the same log: nothing goes on before an operator has mended it."""


@dataclass(slots=True)
class _Told:
    """What the topic holds, from where it was read last."""

    offset: int
    size: int
    checkpoints: dict[int, CheckpointState] = field(default_factory=dict)
    keys: LogKeysState | None = None


@dataclass(slots=True)
class Comparing:
    """Compares once in the life of a process, when the log is first used."""

    bootstrap: str
    prefix: str
    health: Health
    log: Log | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _done: bool = False
    _forked: str = ""

    async def __call__(self) -> None:
        """Return where store and topic are one log.

        Raises ``Forked`` where they are not, ``Transient`` while store or broker are away.
        """
        if self._done:
            return
        async with self._lock:
            if self._forked:
                raise Forked(self._forked)
            if not self._done:
                try:
                    await self._compare()
                except Forked as forked:
                    self._forked = str(forked)
                    self.health.unready(PART, self._forked)
                    log.error("log forked", reason=self._forked)  # noqa: TRY400
                    raise
                self._done = True
                self.health.ready(PART)

    async def _compare(self) -> None:
        tree = self._tree
        # Before the topic is read: what the store believes published is on it by then.
        published = await tree.leaves.published()
        told = await self._marker()
        try:
            async for records, offset in read_to_end(
                self.bootstrap, TOPIC, 0, start=told.offset, prefix=self.prefix
            ):
                await self._take(_states(records), told)
                told.offset = offset
        except ValueError as fault:
            raise Forked(f"the topic is not the one that was read before: {fault}") from fault
        if published > told.size:
            raise Forked(
                f"the store holds {published} published leaves and the topic {told.size}; "
                "restore the broker, or a store that is not ahead of it"
            )
        await self._check_checkpoints(told)
        await self._restore(told)
        await tree.begin()
        await self._mark(told)

    async def _take(self, states: Iterable[State], told: _Told) -> None:
        leaves = []
        for state in states:
            match state:
                case LeafState():
                    leaves.append(state)
                case CheckpointState(size=size):
                    held = told.checkpoints.get(size)
                    if held is None or held.version < state.version:
                        told.checkpoints[size] = state
                case LogKeysState():
                    if told.keys is None or told.keys.version < state.version:
                        told.keys = state
        await self._take_leaves(leaves, told)

    async def _take_leaves(self, leaves: Sequence[LeafState], told: _Told) -> None:
        """Compare leaves with the store's, and put back those that it lacks."""
        tree = self._tree
        size = await tree.leaves.size()
        held = await tree.leaves.leaves([one.index for one in leaves if one.index < size])
        for one in leaves:
            if one.index > told.size:
                raise Forked(f"the topic lacks leaf {told.size}; restore the broker")
            if one.index in held and held[one.index] != one.leaf:
                raise Forked(
                    f"leaf {one.index} of the store is not the one that was published; "
                    "restore a store that has not gone another way"
                )
            if one.index == size:
                await tree.leaves.restore(one)
                held[one.index] = one.leaf
                size += 1
            told.size = max(told.size, one.index + 1)

    async def _check_checkpoints(self, told: _Told) -> None:
        """See that the newest checkpoint on the topic is of this tree."""
        if not told.checkpoints:
            return
        said = Checkpoint.parse(Note.parse(told.checkpoints[max(told.checkpoints)].text).text)
        if said.size > told.size:
            raise Forked(f"the topic lacks leaves below its checkpoint of {said.size}")
        frontier = await self._tree.leaves.frontier_at(said.size)
        if frontier.root() != said.root:
            raise Forked(f"the tree of {said.size} leaves is not the one that was signed")

    async def _restore(self, told: _Told) -> None:
        """Put back checkpoints and keys that the store lacks; see that the log has our name."""
        tree = self._tree
        sizes = sorted(told.checkpoints)
        for start in range(0, len(sizes), AT_ONCE):
            held = await tree.checkpoints.load_many(sizes[start : start + AT_ONCE])
            for size in sizes[start : start + AT_ONCE]:
                state = told.checkpoints[size]
                if size not in held or held[size].version < state.version:
                    await put_back(tree.checkpoints, size, state)
        if sizes:
            await tree.leaves.hint(SIGNED, sizes[-1])
        if told.keys is not None:
            await put_back(tree.log_keys, model.KEYS, told.keys)
        names = {one.verifier.name for one in await tree.keys() if one not in tree.witnesses}
        if names - {tree.key.origin}:
            raise Forked(f"the log is called {', '.join(sorted(names))}; set LOG_ORIGIN to it")

    async def _marker(self) -> _Told:
        """Return up to where the topic was compared already."""
        with faults():
            found = await self._tree.leaves.notes.find_one({"_id": TOPIC})
        return _Told(found["offset"], found["size"]) if found else _Told(0, 0)

    async def _mark(self, told: _Told) -> None:
        with faults():
            await self._tree.leaves.notes.update_one(
                {"_id": TOPIC}, {"$max": {"offset": told.offset, "size": told.size}}, upsert=True
            )

    @property
    def _tree(self) -> Log:
        assert self.log is not None
        return self.log


def _states(records: Iterable[Record]) -> Iterable[State]:
    """Give what the records say; what is no event of the log, or newer than us, is passed over."""
    for record in records:
        match from_record(record.key, record.value, record.headers):
            case Received(event) if isinstance(event, State):
                yield event
