"""Wrapping all keys anew, page by page, each document on condition of its version.

Nobody waits for it and nobody notices: a key is the same key, and the epoch that a document names
stands beside the next one until everything was looked at once more.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.events.decisions import Accepted
from shared.mongo import Aggregates
from shared.privacy import lifecycle
from shared.privacy.envelope import SealedKey, UnsealError, rewrap, unseal
from shared.privacy.epochs import FileEpochs
from shared.privacy.lifecycle import KeptKeys, Wrapped
from shared.runtime.faults import Transient

PAGE: Final = 500  # documents of one bulk write


@dataclass(slots=True)
class Counted:
    """What a pass over all key documents saw, in keys but for ``documents``.

    ``left`` lost a race and are for the next pass; ``lost`` are wrapped under an epoch that is
    gone, or do not open: nobody can wrap them anew, and they were of no use before.
    """

    documents: int = 0
    keys: int = 0
    rewrapped: int = 0
    left: int = 0
    lost: int = 0

    @property
    def stale(self) -> int:
        """How many were not wrapped as they should be when the pass saw them."""
        return self.rewrapped + self.left


@dataclass(frozen=True, slots=True)
class Openable:
    """The epochs that stand, and those that were put aside, which nobody else opens."""

    epochs: FileEpochs

    def current(self) -> int:
        """Return the newest epoch."""
        return self.epochs.current()

    def kek(self, epoch: int) -> bytes:
        """Return an epoch's key; raises ``LookupError`` where it is gone."""
        try:
            return self.epochs.kek(epoch)
        except (LookupError, Transient):
            return self.epochs.kek_aside(epoch)


@dataclass(frozen=True, slots=True)
class Rewrapping:
    """Goes over all key documents; ``still`` is asked before each write and raises to end it."""

    documents: Aggregates[KeptKeys]
    epochs: FileEpochs
    still: Callable[[], Awaitable[None]]
    page: int = PAGE
    _openable: Openable = field(init=False)

    def __post_init__(self) -> None:
        """Make ready what opens keys."""
        object.__setattr__(self, "_openable", Openable(self.epochs))

    async def over(self, stale: Callable[[int], bool]) -> Counted:
        """Wrap every key anew whose epoch is ``stale``. Raises ``Transient``.

        One key of each page that needs nothing is opened, which shows that what was written opens.
        """
        counted = Counted()
        async for page in self.documents.every(self.page):
            await self.still()
            fresh: dict[str, dict[str, Wrapped]] = {}
            canary: SealedKey | None = None
            for keys, known in page.items():
                counted.documents += 1
                counted.keys += len(known.units)
                for unit, wrapped in known.units.items():
                    sealed = _sealed(keys, unit, wrapped)
                    if not stale(wrapped.epoch):
                        canary = canary or sealed
                        continue
                    made = self._again(sealed, wrapped, counted)
                    if made is not None:
                        fresh.setdefault(keys, {})[unit] = made
            if canary is not None:
                unseal(self._openable, canary)
            await self._write(page, fresh, counted)
        return counted

    def _again(self, sealed: SealedKey, wrapped: Wrapped, counted: Counted) -> Wrapped | None:
        try:
            again = rewrap(self.epochs, sealed, opened_by=self._openable)
        except UnsealError:
            counted.lost += 1
            return None
        text = base64.b64encode(again.wrapped).decode()
        return Wrapped(epoch=again.epoch, key=text, made_at=wrapped.made_at)

    async def _write(
        self,
        page: Mapping[str, KeptKeys],
        fresh: Mapping[str, Mapping[str, Wrapped]],
        counted: Counted,
    ) -> None:
        decided: dict[str, Accepted[KeptKeys]] = {}
        for keys, units in fresh.items():
            done = lifecycle.rewrapped(page[keys], units)
            assert isinstance(done, Accepted)
            decided[keys] = done
        if not decided:
            return
        saved = await self.documents.save_many(decided)
        lost: Sequence[str] = [keys for keys, one in saved.items() if one is None]
        counted.left += sum(len(fresh[keys]) for keys in lost)
        counted.rewrapped += sum(len(fresh[keys]) for keys in fresh if keys not in lost)


def _sealed(keys: str, unit: str, wrapped: Wrapped) -> SealedKey:
    return SealedKey(f"{keys}.{unit}", wrapped.epoch, base64.b64decode(wrapped.key))
