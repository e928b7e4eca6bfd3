"""The keys of deposit files: one for each submission, under the fence of key documents.

Whose names a file holds is not known before it is read, so each submission stands for a person of
its own: a pseudonym that nothing else bears, whose one unit is the submission.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.deposits.store.documents import Submission
from services.deposits.store.together import Together
from shared.privacy.envelope import OpenKey, UnsealError, open_text, unseal
from shared.privacy.epochs import KeyProvider
from shared.privacy.keyring import KeyRing
from shared.runtime.ids import new_pseudonym

CLASS: Final = "deposit-contact"
SCHEMA: Final = "deposits.submissions.v1"  # of what a depositor named, sealed under the same key
AT_ONCE: Final = 50  # keys made in one command


@dataclass(slots=True)
class RawKeys:
    """Makes and opens the keys of submissions.

    ``former`` opens those from before there were key documents.
    """

    ring: KeyRing
    former: KeyProvider
    _making: Together[tuple[str, str, str], OpenKey] = field(init=False)

    def __post_init__(self) -> None:
        """Make ready what gathers new keys."""
        self._making = Together(self.ring.made, AT_ONCE)

    async def make(self, submission: str) -> OpenKey:
        """Make the key of a new submission; durable when it returns."""
        return await self._making.do((new_pseudonym(), CLASS, submission))

    async def open(self, found: Submission) -> OpenKey:
        """Return a submission's key. Raises ``UnsealError`` where there is none any more."""
        if found.former is not None:
            return unseal(self.former, found.former)
        return await self.ring.key(found.kid)

    async def many(
        self, found: Iterable[Submission], *, for_access: bool = False
    ) -> dict[str, OpenKey]:
        """Return the keys of submissions that have one, by their numbers.

        ``for_access``: to tell a person what is held of them, what holds restrict among it.
        """
        several: Sequence[Submission] = list(found)
        ask = self.ring.opening_for_access if for_access else self.ring.opening
        keys = await ask({one.kid for one in several if one.former is None})
        opened = {one.id: keys.get(one.kid) for one in several}
        for one in several:
            if one.former is not None:
                try:
                    opened[one.id] = unseal(self.former, one.former)
                except UnsealError:
                    continue
        return {number: key for number, key in opened.items() if isinstance(key, OpenKey)}


def opened(key: OpenKey | None, one: Submission, sealed: str | None, field: str) -> str | None:
    """Return what a depositor named, None where that cannot be read any more or never was."""
    if sealed is None or key is None:
        return None
    try:
        return open_text(key, sealed, schema=SCHEMA, field=field, record=one.id)
    except UnsealError:
        return None


def using(
    ask: Callable[[], Awaitable[OpenKey]], held: OpenKey | None = None
) -> Callable[[], Awaitable[OpenKey]]:
    """Return what gives a key for each use, asking for it anew when its time is up."""

    async def key() -> OpenKey:
        nonlocal held
        if held is None or not held.usable:
            held = await ask()
        return held

    return key
