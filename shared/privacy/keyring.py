"""The key ring of a process: keys made and opened under their fence, and remembered for seconds.

What is read is total: a key, or why there is none. A remembered key is used until its time is up or
an event evicts it, whichever comes first, and only while what this process knows of fences is
fresh; else the key document itself is asked each time, whose word is never old. So a fence is
effective everywhere once every process dropped the key, at the latest when its time is up.
"""

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.events import Received
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.retention import KeysState
from shared.privacy.envelope import (
    EpochGoneError,
    Lease,
    OpenKey,
    SealedKey,
    UnsealError,
    new_sealed_key,
    unseal,
)
from shared.privacy.epochs import KeyProvider
from shared.privacy.lifecycle import Denied, KeptKeys, Wrapped, provision
from shared.runtime.clock import SYSTEM, Clock

MOST: Final = 10_000  # keys remembered


@dataclass(frozen=True, slots=True)
class Erased:
    """The key is gone or on its way out, since ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Restricted:
    """Holds keep it from everybody but those who handle them."""

    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """No such key is known, or its epoch is gone: neither erased nor readable; look into it."""

    reason: str


Unopened = Erased | Restricted | Lost


class FencedError(Exception):
    """Nothing may be encrypted for this person in this class; ``why`` is the fence."""

    def __init__(self, keys: str, denied: Denied) -> None:
        """Name the key document, which is a pseudonym and a class."""
        super().__init__(f"keys {keys} are {denied.why}")
        self.why = denied.why


class KeyStore(Protocol):
    """Where key documents are (shared.mongo.Aggregates of KeptKeys)."""

    async def update(
        self,
        key: str,
        decide: Callable[
            [KeptKeys | None], Accepted[KeptKeys] | Unchanged[KeptKeys] | Refused[Denied]
        ],
    ) -> "KeptAs | Refused[Denied]":
        """Load, decide, save; decide again where somebody was faster."""
        ...

    async def save_many(
        self, decided: Mapping[str, Accepted[KeptKeys]]
    ) -> "Mapping[str, KeptAs | None]":
        """Write many, each on condition of its version; None for those that lost."""
        ...

    async def load_many(self, keys: Sequence[str]) -> dict[str, KeptKeys]:
        """Return the documents that exist."""
        ...


class KeptAs(Protocol):
    """A durable key document (shared.mongo.Saved)."""

    @property
    def state(self) -> KeptKeys:
        """The document."""
        ...


@dataclass(slots=True)
class KeyRing:
    """Makes and opens keys; ``fresh`` says whether fences are known up to now."""

    store: KeyStore
    provider: KeyProvider
    usable: timedelta
    fresh: Callable[[], bool] = lambda: False
    clock: Clock = SYSTEM
    _held: OrderedDict[str, OpenKey] = field(default_factory=OrderedDict)
    _evictions: int = 0

    async def sealing(self, person: str, cls: str, *units: str) -> dict[str, OpenKey]:
        """Return keys to encrypt under, by unit, made where there were none.

        Raises ``FencedError``, ``UnsealError`` where a key's epoch is gone, ``Transient``.
        """
        keys = f"{person}.{cls}"
        held = {unit: self._remembered(f"{keys}.{unit}") for unit in units}
        missing = [unit for unit, key in held.items() if key is None]
        if missing:
            held |= await self._provided(keys, missing)
        return {unit: key for unit, key in held.items() if key is not None}

    async def made(self, asked: Sequence[tuple[str, str, str]]) -> list[OpenKey]:
        """Return keys for persons that are certainly new, many in one write: person, class, unit.

        Raises ``FencedError`` where one was not new, ``Transient``.
        """
        before, fresh = self._now(), {}
        for person, cls, unit in asked:
            keys = f"{person}.{cls}"
            fresh[keys] = KeptKeys(keys_id=keys, units={unit: self._wrapped(keys, unit)}, version=1)
        saved = await self.store.save_many({keys: Accepted(one, ()) for keys, one in fresh.items()})
        for keys, one in saved.items():
            if one is None:
                raise FencedError(keys, Denied("unknown"))
        return [
            self._remember(f"{person}.{cls}.{unit}", fresh[f"{person}.{cls}"].units[unit], before)
            for person, cls, unit in asked
        ]

    async def opening(self, kids: Iterable[str]) -> dict[str, OpenKey | Unopened]:
        """Return the keys of envelopes, by key id, or why there is none. Raises ``Transient``."""
        found: dict[str, OpenKey | Unopened] = {}
        asked: dict[str, list[str]] = {}
        for kid in set(kids):
            remembered = self._remembered(kid)
            if remembered is not None:
                found[kid] = remembered
            else:
                asked.setdefault(kid.rpartition(".")[0], []).append(kid)
        versions: dict[str, int | None] = {}
        while asked:
            before, documents = await self._load(list(asked))
            late: dict[str, list[str]] = {}
            for keys, several in asked.items():
                document = documents.get(keys)
                for kid in several:
                    opened = self._opened(kid, document, before)
                    found[kid] = Lost(str(opened)) if isinstance(opened, Exception) else opened
                    # What was read was wrapped anew since, and its former epoch is gone: read it
                    # again, but for what is as it was, which nobody will wrap anew any more.
                    version = document.version if document else None
                    if isinstance(opened, EpochGoneError) and versions.get(keys) != version:
                        late.setdefault(keys, []).append(kid)
            versions |= {keys: documents[keys].version for keys in late}
            asked = late
        return found

    async def key(self, kid: str) -> OpenKey:
        """Return one key to read by. Raises ``UnsealError`` where there is none."""
        found = (await self.opening([kid]))[kid]
        if not isinstance(found, OpenKey):
            raise UnsealError(f"key {kid} is {type(found).__name__.lower()}")
        return found

    def evict(self, keys: str) -> None:
        """Forget all keys of a document; what is being read at this moment is read again."""
        for kid in [one for one in self._held if one.rpartition(".")[0] == keys]:
            del self._held[kid]
        self._evictions += 1

    def hear(self, received: Received) -> None:
        """Take in what became of keys: a listener of gate knowledge (``retention.keys.v1``)."""
        if isinstance(received.event, KeysState):
            self.evict(received.event.keys_id)

    async def _load(self, keys: Sequence[str]) -> tuple[float, dict[str, KeptKeys]]:
        while True:
            before, evictions = self._now(), self._evictions
            documents = await self.store.load_many(keys)
            if evictions == self._evictions:
                return before, documents

    async def _provided(self, keys: str, units: Sequence[str]) -> dict[str, OpenKey]:
        version = 0
        fresh = {unit: self._wrapped(keys, unit) for unit in units}
        while True:
            before, evictions = self._now(), self._evictions
            saved = await self.store.update(keys, lambda known: provision(known, keys, fresh))
            if isinstance(saved, Refused):
                raise FencedError(keys, saved.reason)
            if evictions != self._evictions:
                continue
            state = saved.state
            try:
                return {
                    unit: self._remember(f"{keys}.{unit}", state.units[unit], before)
                    for unit in units
                }
            except EpochGoneError:
                if state.version == version:  # nobody wrapped it anew since
                    raise
                version = state.version

    def _wrapped(self, keys: str, unit: str) -> Wrapped:
        sealed = new_sealed_key(self.provider, f"{keys}.{unit}")
        text = base64.b64encode(sealed.wrapped).decode()
        return Wrapped(epoch=sealed.epoch, key=text, made_at=self.clock.now())

    def _opened(
        self, kid: str, document: KeptKeys | None, before: float
    ) -> OpenKey | Unopened | UnsealError:
        unit = kid.rpartition(".")[2]
        if document is None:
            return Lost("no such keys")
        if document.fence == "restricted":
            return Restricted(document.holds)
        fenced_at = document.fenced_since(unit)
        if fenced_at is not None:
            return Erased(fenced_at)
        if unit not in document.units:
            return Lost("no such unit")
        try:
            return self._remember(kid, document.units[unit], before)
        except UnsealError as fault:
            return fault

    def _remember(self, kid: str, wrapped: Wrapped, before: float) -> OpenKey:
        """Open a key and keep it, for as long as was agreed since its document was asked for."""
        sealed = SealedKey(kid, wrapped.epoch, base64.b64decode(wrapped.key))
        key = unseal(self.provider, sealed, Lease(before + self.usable.total_seconds(), self._now))
        self._held[kid] = key
        self._held.move_to_end(kid)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return key

    def _remembered(self, kid: str) -> OpenKey | None:
        key = self._held.get(kid)
        if key is None or not self.fresh():
            return None
        if not key.usable:
            del self._held[kid]
            return None
        return key

    def _now(self) -> float:
        return self.clock.monotonic()
