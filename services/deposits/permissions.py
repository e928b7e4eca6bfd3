"""Which prefixes does this member own? Answered from gate knowledge, bound to each submission.

Knowledge changes while a submission is worked on, and more than one worker may have it in hand one
after the other. So the prefixes that the member owned are written into the submission by whoever
claims it first, and records are judged by those. A refusal waits until that knowledge is at least
as new as the submission (what an operator assigned before a deposit counts for it): then newer
knowledge is bound.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.deposits.model import Permission
from shared.events import PrefixState, Received
from shared.kafka.knowledge import Knowledge
from shared.runtime.clock import SYSTEM, Clock

PREFIXES: Final = "accounts.prefixes.v1"
CREDENTIALS: Final = "accounts.credentials.v1"
TOPICS: Final = (PREFIXES, CREDENTIALS)


@dataclass(frozen=True, slots=True)
class Bound:
    """The prefixes a member owned, all that was decided before ``mark`` taken into account."""

    mark: datetime
    prefixes: Collection[str]

    def permission(self, prefix: str, *, organisation: int, received_at: datetime) -> Permission:
        """Return what a submission may do whose file has this prefix."""
        return Permission(organisation, prefix, self.prefixes, final=self.mark >= received_at)


@dataclass(slots=True)
class Permissions:
    """What gate knowledge says of members' prefixes; an unreadable prefix is nobody's."""

    knowledge: Knowledge
    clock: Clock = SYSTEM
    _owned: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _owner: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Follow who owns which prefix."""
        self.knowledge.listeners.append(self._learn)

    def fresh(self) -> bool:
        """Whether knowledge is young enough to judge by; where it is not, judging waits."""
        return self.knowledge.fresh(PREFIXES)

    def known(self, prefix: str) -> bool:
        """Whether a prefix is assigned to anybody."""
        return prefix in self._owner and not self.knowledge.denied(PREFIXES, prefix)

    def of(self, organisation: int) -> Bound:
        """Return what is known now of an organisation's prefixes."""
        prefixes = {
            prefix
            for prefix in self._owned.get(organisation, ())
            if not self.knowledge.denied(PREFIXES, prefix)
        }
        return Bound(self.clock.now() - self.knowledge.age(PREFIXES), prefixes)

    def _learn(self, received: Received) -> None:
        match received.event:
            case PrefixState(prefix=prefix, owner=owner):
                self._owned[self._owner.get(prefix, owner)].discard(prefix)
                self._owned[owner].add(prefix)
                self._owner[prefix] = owner
