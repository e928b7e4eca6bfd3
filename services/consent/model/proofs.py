"""What remains of a consent after its person was erased: a proof that leads to nobody (GDPR 7(1)).

It says that somebody, once, said this to a purpose: when, to the day, by which channel, on which
version of which notice. It has a random number of its own; no address, no index of one, no
pseudonym, no id of a request or a receipt stands in it, and no time exact enough to be looked for
in a log. So it cannot be found by whose it was.
"""

from datetime import date

from services.consent.errors import Refusal
from shared.events.base import State, Version
from shared.events.consent import (
    By,
    Channel,
    ConsentFact,
    ConsentPurpose,
    ConsentState,
    Happened,
    NoticeRef,
)
from shared.events.decisions import Accepted, Refused, Unchanged


class ProvenFact(State):
    """One thing that happened to a consent, without what leads to the person."""

    on: date
    what: Happened
    by: By
    channel: Channel
    said_on: date | None = None
    notice: NoticeRef | None = None


class KeptProof(State):
    """A proof's document."""

    proof: str
    purpose: ConsentPurpose
    facts: tuple[ProvenFact, ...]
    erased_on: date
    version: Version = 1


def proof_of(state: ConsentState, number: str, *, on: date) -> KeptProof:
    """Make the proof of a consent under a new random number."""
    facts = tuple(_proven(one) for one in state.facts)
    return KeptProof(proof=number, purpose=state.purpose, facts=facts, erased_on=on)


def keep(
    known: KeptProof | None, new: KeptProof
) -> Accepted[KeptProof] | Unchanged[KeptProof] | Refused[Refusal]:
    """Keep a proof, once."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def _proven(fact: ConsentFact) -> ProvenFact:
    return ProvenFact(
        on=fact.at.date(),
        what=fact.what,
        by=fact.by,
        channel=fact.channel,
        said_on=fact.said_at.date() if fact.said_at else None,
        notice=fact.notice,
    )
