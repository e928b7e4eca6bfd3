"""A service's own copy of consents: what an address said, found by its blind index.

It is made of two gate topics, for a consent rests on a notice. Knowledge that is older than the
policy allows, or of which a record cannot be read, is no consent. Whoever decides by it reports
since when it obeys each withdrawal (shared.kafka.obeying), so that how long that takes is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.events import Received
from shared.events.consent import ConsentFact, ConsentState, ConsentWithdrawn, NoticeState
from shared.kafka.knowledge import Knowledge
from shared.policy.consent import NO, Standing, purpose_of, standing
from shared.policy.uses import UsesPolicy
from shared.runtime.clock import parse_rfc3339
from shared.runtime.metrics import WITHDRAWAL_SECONDS

DECISIONS: Final = "consent.decisions.v1"
NOTICES: Final = "consent.notices.v1"
TOPICS: Final = (DECISIONS, NOTICES)


@dataclass(frozen=True, slots=True)
class KnownConsents:
    """Consents as the gate topics say; ``knowledge`` follows ``TOPICS`` among others.

    Enter ``hear`` among its listeners, and ``service`` measures how soon it denies.
    """

    knowledge: Knowledge
    policy: UsesPolicy
    service: str = ""

    async def now(self, subjects: Sequence[str], purpose: str) -> Standing:
        """Return what a consent is worth at this moment, as the gate asks (shared.mail.gate)."""
        return self.worth(subjects, purpose, self.knowledge.clock.now())

    def worth(self, subjects: Sequence[str], purpose: str, now: datetime) -> Standing:
        """Return what the consent of an address is worth; ``subjects`` are all its blind indexes.

        ``purpose`` is as consents name it, ``list:news`` for a list. To be asked right before each
        use.
        """
        if not self.knowledge.fresh(*TOPICS):
            return "knowledge-stale"
        keys = [f"{one}|{purpose}" for one in subjects]
        use = self.policy.use(purpose_of(purpose))
        named = (use.notice if use else None) or ""
        unreadable = any(self.knowledge.denied(DECISIONS, key) for key in keys)
        if unreadable or self.knowledge.denied(NOTICES, named):
            return "knowledge-stale"
        found = [state for key in keys if (state := self._consent(key)) is not None]
        told = self._notice(named)
        # Of an index that changed there may be two for a while: the no counts.
        worths = [standing(one, told, now) for one in found]
        return next((one for one in worths if one != "given"), worths[0] if worths else "absent")

    def hear(self, received: Received) -> None:
        """Measure how long a withdrawal took until it counts here; not those read at the start."""
        if isinstance(received.event, ConsentWithdrawn) and self.knowledge.caught_up:
            took = self.knowledge.clock.now() - parse_rfc3339(received.meta.time)
            WITHDRAWAL_SECONDS.labels(self.service).observe(max(took.total_seconds(), 0))

    def _consent(self, key: str) -> ConsentState | None:
        match self.knowledge.get(DECISIONS, key):
            case ConsentState() as state:
                return state
        return None

    def _notice(self, name: str) -> NoticeState | None:
        match self.knowledge.get(NOTICES, name):
            case NoticeState() as state:
                return state
        return None


def withdrawal_in(received: Received) -> ConsentFact | None:
    """Return the no that an event tells of and that has an id to be acknowledged by, if it does."""
    state = received.event
    if not isinstance(state, ConsentState) or not state.facts:
        return None
    fact = state.facts[-1]
    return fact if fact.what in NO and fact.cause is not None else None
