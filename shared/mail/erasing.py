"""What a service that mails holds of people beside its own records: answers of the gate, mails.

Both are found as a service finds its people: ``Resolve`` returns the blind indexes of who is meant,
and mails wait under the pseudonym that the service gave as their share.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mongo import Aggregates
from shared.mongo.deliveries import Deliveries
from shared.policy.decisions import KeptDecision
from shared.privacy.erasing import Held, Unpublished, Whom

Resolve = Callable[[Whom], Awaitable[frozenset[str]]]
SAID: Final = "erased"
PAGE: Final = 200
Decided = Accepted[KeptDecision] | Unchanged[KeptDecision] | Refused[str]


@dataclass(frozen=True, slots=True)
class Recorded(Unpublished):
    """Answers of the gate: that something was asked and answered stays, about whom does not.

    ``cls`` is the class under which a service holds the addresses that they are about.
    """

    decisions: Aggregates[KeptDecision]
    cls: str
    resolve: Resolve
    name: str = "decisions"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find the answers that are about somebody. Raises ``Transient``."""
        subjects = await self.resolve(whom)
        if not subjects or not whom.asks(self.cls):
            return ()
        found = await self.decisions.among(subjects=subjects)
        return [Held(one, classes=frozenset({self.cls})) for one in found]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Forget whom they are about. Raises ``Transient``."""
        for start in range(0, len(held), PAGE):
            ids = [one.id for one in held[start : start + PAGE]]
            known = await self.decisions.load_many(ids)
            await self.decisions.save_many(
                {key: _of_nobody(one) for key, one in known.items() if one.subjects}
            )


def _of_nobody(known: KeptDecision) -> Accepted[KeptDecision]:
    changes = {"subjects": (), "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


@dataclass(frozen=True, slots=True)
class Mailed(Unpublished):
    """Mails that wait, or were given up: not sent any more, and what they say is forgotten.

    Of those that were sent nothing but their cause is kept, for a while. A try under way is not
    called back; it is not written down either.
    """

    queue: Deliveries
    cls: str
    name: str = "deliveries"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find the mails to somebody. Raises ``Transient``."""
        people = whom.wholes(self.cls)
        if not people or not whom.asks(self.cls):
            return ()
        return [
            Held(name, people=frozenset({share}), classes=frozenset({self.cls}))
            for name, share in (await self.queue.sealed_of(people)).items()
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Send them no more. Raises ``Transient``."""
        for start in range(0, len(held), PAGE):
            await self.queue.forget([one.id for one in held[start : start + PAGE]], SAID)
