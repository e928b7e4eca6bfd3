"""What is known of single mails to somebody, and of other uses of their address: dates, purposes.

No mail is kept. Known of each is the recorded answer of the gate (law P7), and for a while what
became of it in the queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.mail.posting import KEPT
from shared.mail.queue import KIND
from shared.mongo import Aggregates
from shared.mongo.deliveries import Deliveries, Delivery
from shared.policy.decisions import KeptDecision
from shared.privacy.erasing import Looking
from shared.privacy.telling import Row, Rows, newest
from shared.runtime.clock import SYSTEM, Clock, rfc3339

DECISIONS: Final = "decisions"  # the collection, as a service's holdings name it
PAGE: Final = 200
NO_MAIL: Final = "no mail of this answer"  # one of the same cause was posted before
LONG_AGO: Final = "it is not kept so long"
WORDS: Final = {"waiting": "waits", "dead": "given up", "done": "done"}


@dataclass(frozen=True, slots=True)
class Uses:
    """Tells of the recorded answers that were found of somebody: ``mails``, and ``uses`` else."""

    decisions: Aggregates[KeptDecision]
    queue: Deliveries
    clock: Clock = SYSTEM

    async def told(self, looking: Looking) -> Mapping[str, Rows]:
        """Return them, the newest first. Raises ``Transient``."""
        ids = [one.id for one in looking.found.get(DECISIONS, ())]
        every: list[KeptDecision] = []
        for start in range(0, len(ids), PAGE):
            every += (await self.decisions.load_many(ids[start : start + PAGE])).values()
        mails = [one for one in every if one.use.act == KIND]
        sent = await self._sent(mails)
        said = [
            {**_use(one), **_became(one, sent.get(one.decision), lately=self._lately(one))}
            for one in mails
        ]
        others = [_use(one) for one in every if one.use.act != KIND]
        return {"mails": newest(said, "at"), "uses": newest(others, "at")}

    def _lately(self, one: KeptDecision) -> bool:
        """Say whether the queue still knows what became of a mail."""
        return one.at > self.clock.now() - KEPT

    async def _sent(self, mails: Sequence[KeptDecision]) -> dict[str, Delivery]:
        asked = [one.decision for one in mails if one.allowed and self._lately(one)]
        found = await self.queue.about("decision", asked) if asked else []
        return {one.payload["about"]["decision"]: one for one in found}


def _use(one: KeptDecision) -> Row:
    use = one.use
    return {
        "at": rfc3339(one.at),
        "act": use.act,
        "purpose": use.purpose,
        "name": use.name,
        "address": use.category,
        "roles": sorted(use.roles),
        "fields": sorted(use.fields),
        "to": use.recipient.name or use.recipient.kind,
        "answer": one.outcome,
        "clause": one.clause,
        "why": one.why or "",
    }


def _became(one: KeptDecision, sent: Delivery | None, *, lately: bool) -> Row:
    """Say what is known of a mail: what the queue came to, and when."""
    if not one.allowed:
        return {"became": "not sent", "on": ""}
    if sent is None:
        return {"became": NO_MAIL if lately else LONG_AGO, "on": ""}
    word = sent.said if sent.state == "done" and sent.said else WORDS[sent.state]
    return {"became": word, "on": rfc3339(sent.ended_at) if sent.ended_at else ""}
