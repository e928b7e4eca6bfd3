"""What is done to the transparency log: append, sign a checkpoint, prove, attach a witness' line.

A checkpoint is signed only over leaves that are at the broker, so that no store that is lost takes
with it what was promised; and only under the key that the log's keys name, so that a key that was
replaced signs nothing more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.retention.model import log as model
from services.retention.model.log import Unfit
from services.retention.store.tree import Leaves
from shared.events.decisions import Refused
from shared.events.tree import CheckpointState, LogKeysState
from shared.mongo import Aggregates, Saved
from shared.privacy.certificates import InTree
from shared.privacy.checkpoints import Checkpoint, KnownKey, NoteSigner, opened
from shared.privacy.notes import Note, NoteError
from shared.privacy.receipts import Signer
from shared.privacy.transparency import inclusion, prove
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.service import wait_any

SIGNED: Final = "signed"  # the hint of the newest checkpoint
PATIENCE: Final = 10.0  # seconds in which the relay should have published a leaf
LOOK_SECONDS: Final = 0.05
PAGE: Final = 1_000  # leaves that are looked through together


class KeyNotInForce(Transient):
    """The key file is not the log's: it was changed elsewhere, or restored from an old copy."""


@dataclass(slots=True)
class LogKey:
    """The private key of the log, from a file that is read again where it was changed."""

    path: Path
    origin: str
    notes: NoteSigner = field(init=False)
    signer: Signer = field(init=False)

    def __post_init__(self) -> None:
        """Read it; blocking."""
        self.read()

    def read(self) -> None:
        """Read the file, which is made where there is none; blocking."""
        self.notes = NoteSigner(self.path, self.origin)
        self.signer = Signer(self.path)


@dataclass(slots=True)
class Log:
    """The transparency log; ``services.retention.wiring.Tree`` is what other parts see of it.

    ``compared`` says that the store holds what the topic holds, or raises: nothing is appended and
    nothing signed before. ``witnesses`` are keys whose lines are taken.
    """

    leaves: Leaves
    checkpoints: Aggregates[CheckpointState]
    log_keys: Aggregates[LogKeysState]
    key: LogKey
    compared: Callable[[], Awaitable[None]]
    witnesses: Sequence[KnownKey] = ()
    clock: Clock = SYSTEM
    patience: float = PATIENCE

    @property
    def signer(self) -> Signer:
        """The key that signs checkpoints, as certificates are signed with it."""
        return self.key.signer

    async def keys(self) -> Sequence[KnownKey]:
        """Return the log's public keys of all times, and those of its witnesses."""
        state = await self.log_keys.load(model.KEYS)
        return [*(model.keys_of(state) if state else ()), *self.witnesses]

    async def append(self, record: bytes) -> int:
        """Append a record, once for its bytes; return its index.

        Raises ``Transient`` while store or broker are away, ``Forked`` where the log is not whole.
        """
        return (await self.append_all([record]))[0]

    async def append_all(self, records: Sequence[bytes]) -> list[int]:
        """Append records, each once for its bytes; return their indexes."""
        await self.compared()
        return await self.leaves.append(records)

    async def found(self, words: str) -> bytes | None:
        """Return the first record that holds these words, None where there is none.

        Looks through the whole tree, as the topic has it. Raises ``Transient``.
        """
        await self.compared()
        for start in range(0, await self.leaves.size(), PAGE):
            records = await self.leaves.records(range(start, start + PAGE))
            found = next((one for one in records if words in one), None)
            if found is not None:
                return found.encode()
        return None

    async def proven(self, index: int) -> InTree:
        """Prove a record under the newest checkpoint, made now where it does not cover it.

        Raises ``Transient`` where the record is not at the broker yet.
        """
        state = await self.newest()
        if state is None or state.size <= index or not await self._ours(state):
            state = await self.sign(beyond=index)
        proof = await prove(self.leaves, inclusion(index, state.size))
        return InTree(index=index, proof=tuple(one.hex() for one in proof), checkpoint=state.text)

    async def newest(self) -> CheckpointState | None:
        """Return the newest checkpoint, None where there is none yet."""
        return await self.checkpoints.load(await self.leaves.hinted(SIGNED))

    async def sign(self, *, beyond: int = 0) -> CheckpointState:
        """Sign a checkpoint over all that is at the broker, and wait until that is ``beyond``."""
        await self.compared()
        size = await self._published(beyond)
        known = await self._in_force()
        said = Checkpoint(self.key.origin, size, (await self.leaves.frontier_at(size)).root())
        done = await self.checkpoints.update(
            size,
            lambda state: model.checkpoint(state, said, [self.key.notes], at=self.clock.now()),
        )
        if isinstance(done, Refused):
            raise TypeError(f"size {size}: {done.reason.value}")
        if await self._in_force() != known:  # the key was changed meanwhile: its successor signs
            return await self.sign(beyond=beyond)
        crashpoint("tree.signed")
        await self.leaves.hint(SIGNED, size)
        return done.state

    async def cosign(self, note: Note) -> CheckpointState | Refused[Unfit]:
        """Attach the lines of witnesses to the checkpoint that they signed."""
        size = Checkpoint.parse(note.text).size
        done = await self.checkpoints.update(
            size, lambda state: model.cosigned(state, note, self.witnesses)
        )
        return done if isinstance(done, Refused) else done.state

    async def begin(self) -> None:
        """Write down the log's first key and its first record, where they are not there."""
        done: Saved[LogKeysState] | Refused[Unfit] = await self.log_keys.update(
            model.KEYS, lambda state: model.first_keys(state, self.key.notes.verifier)
        )
        assert not isinstance(done, Refused)
        if await self.leaves.size() == 0:
            await self.leaves.append([model.begun(self.key.origin)])

    async def change_key(self, successor: NoteSigner, *, lost: bool = False) -> LogKeysState:
        """Let another key sign from now on; at the size of the change both sign.

        May be repeated after a crash at any place. Raises ``KeyNotInForce`` where neither key is
        the log's, unless the old one is ``lost`` and does not sign along.
        """
        await self.compared()
        known = await self.log_keys.load(model.KEYS)
        if known is None or not model.in_force(known, successor.verifier):
            size = await self._published(0) if lost else (await self.sign()).size
            done: Saved[LogKeysState] | Refused[Unfit] = await self.log_keys.update(
                model.KEYS,
                lambda held: model.next_key(held, successor.verifier, size=size),
            )
            assert not isinstance(done, Refused)
            known = done.state
        size = model.keys_of(known)[-1].first
        root = (await self.leaves.frontier_at(size)).root()
        said = Checkpoint(self.key.origin, size, root)
        await self.checkpoints.update(
            size, lambda held: model.checkpoint(held, said, [successor], at=self.clock.now())
        )
        return known

    async def _in_force(self) -> LogKeysState:
        """Return the log's keys where ours is in force; look at the file again where it is not."""
        known = await self.log_keys.load(model.KEYS)
        if known is not None and not model.in_force(known, self.key.notes.verifier):
            await asyncio.to_thread(self.key.read)
        if known is None or not model.in_force(known, self.key.notes.verifier):
            raise KeyNotInForce(
                f"the key in {self.key.path} is not the one that the log signs with; "
                "put the file of the last key change there"
            )
        return known

    async def _ours(self, state: CheckpointState) -> bool:
        """Whether the key in hand signed a checkpoint, and may."""
        try:
            return self.key.notes.verifier in opened(state.text, await self.keys()).by
        except NoteError:
            return False

    async def _published(self, beyond: int) -> int:
        until = self.clock.monotonic() + self.patience
        while (size := await self.leaves.published()) <= beyond:
            if self.clock.monotonic() >= until:
                raise Transient(f"leaf {beyond} is not at the broker yet")
            await wait_any(asyncio.Event(), timeout=LOOK_SECONDS)
        return size
