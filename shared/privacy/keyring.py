"""The key ring of a process: keys made and opened under their fence, and remembered for seconds.

What is read is total: a key, or why there is none. A remembered key is used until its time is up or
an event evicts it, whichever comes first, and only while what this process knows of fences is
fresh; else the key document itself is asked each time, whose word is never old. So a fence is
effective everywhere once every process dropped the key, at the latest when its time is up.

What an event evicts is of no use in anybody's hand either: its lease is revoked, that of a key that
is still being asked for too. So a process can say that it obeyed a fence (``presence``).
"""

import base64
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakSet, WeakValueDictionary

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
from shared.privacy.lifecycle import Denied, KeptKeys, Wrapped, marks, provision
from shared.runtime.clock import SYSTEM, Clock

MOST: Final = 10_000  # keys remembered
Leases = dict[str, Lease]  # by unit


@dataclass(frozen=True, slots=True)
class Erased:
    """The key is gone or on its way out, since ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Restricted:
    """Holds keep it from use: it is opened for the person's own access alone (GDPR 15, 18)."""

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


class HeldError(UnsealError):
    """A hold keeps this key from use; it opens again when the last hold is lifted."""


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


class Registered(Protocol):
    """What tells retention that this process may have keys (shared.privacy.presence)."""

    async def since(self) -> float:
        """Return the moment of the monotonic clock from which the time of keys counts.

        Until that time is up retention knows of this process. Raises ``Transient``.
        """
        ...

    def obeyed(self, fences: Iterable[str]) -> None:
        """Have retention told that nothing under these fences is used here any more (marks)."""
        ...


@dataclass(eq=False, slots=True, weakref_slot=True)
class Given:
    """All that was given out of one key document, or is about to be, and may still be used."""

    leases: WeakSet["UnitLease"] = field(default_factory=WeakSet)


@dataclass(eq=False, slots=True, kw_only=True)
class UnitLease(Lease):
    """The lease of one key of a document; as long as there is one, what was given is known."""

    unit: str
    given: Given


@dataclass(slots=True)
class KeyRing:
    """Makes and opens keys; ``fresh`` says whether fences are known up to now.

    Without ``presence`` nobody hears of this ring: that is for where nobody destroys keys before
    the time of all is up.
    """

    store: KeyStore
    provider: KeyProvider
    usable: timedelta
    fresh: Callable[[], bool] = lambda: False
    clock: Clock = SYSTEM
    presence: Registered | None = None
    _held: OrderedDict[str, OpenKey] = field(default_factory=OrderedDict)
    _given: WeakValueDictionary[str, Given] = field(default_factory=WeakValueDictionary)
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
        since, fresh = await self._since(), {}
        leases: dict[str, Leases] = {}
        for person, cls, unit in asked:
            keys = f"{person}.{cls}"
            leases[keys] = self._leases(keys, [unit], since)
            fresh[keys] = KeptKeys(keys_id=keys, units={unit: self._wrapped(keys, unit)}, version=1)
        saved = await self.store.save_many({keys: Accepted(one, ()) for keys, one in fresh.items()})
        for keys, one in saved.items():
            if one is None:
                raise FencedError(keys, Denied("unknown"))
        return [
            self._remember(f"{keys}.{unit}", fresh[keys].units[unit], leases[keys][unit])
            for keys, unit in ((f"{person}.{cls}", unit) for person, cls, unit in asked)
        ]

    async def opening(self, kids: Iterable[str]) -> dict[str, OpenKey | Unopened]:
        """Return the keys of envelopes, by key id, or why there is none. Raises ``Transient``."""
        return await self._opening(kids, held=False)

    async def opening_for_access(self, kids: Iterable[str]) -> dict[str, OpenKey | Unopened]:
        """Return the keys of envelopes as ``opening`` does, those that holds restrict among them.

        For a package of what is held of a person, theirs or that of who handles the hold, for the
        answer to what a person asked, and for nothing else. What is fenced or destroyed stays
        unreadable; what is held is not remembered.
        """
        return await self._opening(kids, held=True)

    async def _opening(self, kids: Iterable[str], *, held: bool) -> dict[str, OpenKey | Unopened]:
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
            leases, documents = await self._load(asked)
            late: dict[str, list[str]] = {}
            for keys, several in asked.items():
                document = documents.get(keys)
                for kid in several:
                    opened = self._opened(kid, document, leases[keys][_unit(kid)], held=held)
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
        """Return one key to read by. Raises ``HeldError``, ``UnsealError`` where there is none."""
        found = (await self.opening([kid]))[kid]
        if isinstance(found, Restricted):
            raise HeldError(f"key {kid} is held")
        if not isinstance(found, OpenKey):
            raise UnsealError(f"key {kid} is {type(found).__name__.lower()}")
        return found

    def evict(self, keys: str, units: Collection[str] | None = None) -> None:
        """Forget all keys of a document, and what is in use of all ``units``, or of these.

        What is being read at this moment is read again.
        """
        for kid in [one for one in self._held if one.rpartition(".")[0] == keys]:
            del self._held[kid]
        given = self._given.get(keys)
        for lease in given.leases if given is not None else ():
            if units is None or lease.unit in units:
                lease.revoked = True
        self._evictions += 1

    def hear(self, received: Received) -> None:
        """Take in what became of keys: a listener of gate knowledge (``retention.keys.v1``)."""
        said = received.event
        if isinstance(said, KeysState):
            gone = {one.unit for one in said.gone} if said.fence == "active" else None
            self.evict(said.keys_id, gone)
            if self.presence is not None:
                self.presence.obeyed(marks(said).values())

    async def _since(self) -> float:
        return self._now() if self.presence is None else await self.presence.since()

    def _leases(self, keys: str, units: Iterable[str], since: float) -> Leases:
        """Make leases of keys before they are asked for, so that an eviction meets them too."""
        given = self._given.setdefault(keys, Given())
        until = since + self.usable.total_seconds()
        made = [UnitLease(until, self._now, unit=unit, given=given) for unit in units]
        given.leases.update(made)
        return {one.unit: one for one in made}

    async def _load(
        self, asked: Mapping[str, Sequence[str]]
    ) -> tuple[dict[str, Leases], dict[str, KeptKeys]]:
        while True:
            since, evictions = await self._since(), self._evictions
            leases = {
                keys: self._leases(keys, map(_unit, kids), since) for keys, kids in asked.items()
            }
            documents = await self.store.load_many(list(asked))
            if evictions == self._evictions:
                return leases, documents

    async def _provided(self, keys: str, units: Sequence[str]) -> dict[str, OpenKey]:
        version = 0
        fresh = {unit: self._wrapped(keys, unit) for unit in units}
        while True:
            since, evictions = await self._since(), self._evictions
            leases = self._leases(keys, units, since)
            saved = await self.store.update(keys, lambda known: provision(known, keys, fresh))
            if isinstance(saved, Refused):
                raise FencedError(keys, saved.reason)
            if evictions != self._evictions:
                continue
            state = saved.state
            try:
                return {
                    unit: self._remember(f"{keys}.{unit}", state.units[unit], leases[unit])
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
        self, kid: str, document: KeptKeys | None, lease: Lease, *, held: bool
    ) -> OpenKey | Unopened | UnsealError:
        unit = _unit(kid)
        if document is None:
            return Lost("no such keys")
        if document.fence == "restricted" and not held:
            return Restricted(document.holds)
        fenced_at = document.fenced_since(unit)
        if fenced_at is not None:
            return Erased(fenced_at)
        if unit not in document.units:
            return Lost("no such unit")
        try:
            # What is held is not remembered: it would be given to whoever asks next.
            take = self._unsealed if document.fence == "restricted" else self._remember
            return take(kid, document.units[unit], lease)
        except UnsealError as fault:
            return fault

    def _remember(self, kid: str, wrapped: Wrapped, lease: Lease) -> OpenKey:
        """Open a key and keep it, for as long as was agreed before its document was asked for."""
        key = self._unsealed(kid, wrapped, lease)
        self._held[kid] = key
        self._held.move_to_end(kid)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return key

    def _unsealed(self, kid: str, wrapped: Wrapped, lease: Lease) -> OpenKey:
        sealed = SealedKey(kid, wrapped.epoch, base64.b64decode(wrapped.key))
        return unseal(self.provider, sealed, lease)

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


def _unit(kid: str) -> str:
    return kid.rpartition(".")[2]
