"""Recorded answers of the gate: what was asked, what was answered, by which clause (law P7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from shared.events.base import Instant, State, Version
from shared.events.personal import BlindIndexed
from shared.policy.consent import Standing
from shared.policy.uses import Allowed, Refused, Use


class KeptDecision(State):
    """One answer, written before anything is done on it; it never changes.

    ``use`` is whole, so that the same can be asked again right before it is done; ``subjects`` are
    the blind indexes of whoever it is about, none where it is about nobody in particular.
    """

    decision: str
    at: Instant
    actor: str
    use: Use
    subjects: tuple[BlindIndexed, ...] = ()
    consent: Standing
    outcome: Literal["allowed", "refused"]
    clause: str
    why: str | None = None
    hard: bool = False
    policy: str
    version: Version = 1

    @property
    def allowed(self) -> bool:
        """Whether it may be done."""
        return self.outcome == "allowed"


def recorded(
    number: str,
    use: Use,
    answer: Allowed | Refused,
    *,
    consent: Standing,
    subjects: Sequence[str],
    actor: str,
    at: datetime,
) -> KeptDecision:
    """Write an answer down; who it was about is a blind index, at most."""
    refused = answer if isinstance(answer, Refused) else None
    return KeptDecision(
        decision=number,
        at=at,
        actor=actor,
        use=use,
        subjects=tuple(subjects),
        consent=consent,
        outcome="refused" if refused else "allowed",
        clause=answer.clause,
        why=refused.why if refused else None,
        hard=refused.hard if refused else False,
        policy=answer.policy,
    )
