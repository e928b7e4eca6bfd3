"""Recorded answers of the gate: what was asked, what was answered, by which clause (law P7)."""

from datetime import datetime
from typing import Literal

from shared.events.base import Instant, State, Version
from shared.events.personal import BlindIndexed
from shared.policy.consent import Standing
from shared.policy.uses import Allowed, Refused, Use


class KeptDecision(State):
    """One answer, written before anything is done on it; it never changes."""

    decision: str
    at: Instant
    actor: str
    act: str
    purpose: str
    category: str
    recipient: str
    subject: BlindIndexed | None = None
    consent: Standing
    outcome: Literal["allowed", "refused"]
    clause: str
    why: str | None = None
    hard: bool = False
    policy: str
    version: Version = 1


def recorded(
    number: str,
    use: Use,
    answer: Allowed | Refused,
    *,
    consent: Standing,
    subject: str | None,
    actor: str,
    at: datetime,
) -> KeptDecision:
    """Write an answer down; who it was about is a blind index, at most."""
    refused = answer if isinstance(answer, Refused) else None
    return KeptDecision(
        decision=number,
        at=at,
        actor=actor,
        act=use.act,
        purpose=use.consent_purpose,
        category=use.category,
        recipient=f"{use.recipient.kind}:{use.recipient.name}".rstrip(":"),
        subject=subject,
        consent=consent,
        outcome="refused" if refused else "allowed",
        clause=answer.clause,
        why=refused.why if refused else None,
        hard=refused.hard if refused else False,
        policy=answer.policy,
    )
