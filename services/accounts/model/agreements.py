"""Metadata Plus agreements: from when to when, and which tokens are good for it (CRR-6).

The agreement's document changes first and stays unsettled until each token's credential carries
its times. No event: the credentials say all that other services need.
"""

from datetime import datetime
from typing import Final

from services.accounts.errors import Refusal
from shared.events.base import Instant, OrganisationId, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged

MOST_TOKENS: Final = 100


class KeptAgreement(State):
    """An agreement; it runs from ``start`` until just before ``end``."""

    agreement: str
    organisation: OrganisationId
    start: Instant
    end: Instant
    tokens: tuple[str, ...] = ()
    unsettled: bool = True
    version: Version


Decided = Accepted[KeptAgreement] | Unchanged[KeptAgreement] | Refused[Refusal]


def sign(
    agreement: str, organisation: int, *, start: datetime, end: datetime, token: str
) -> Decided:
    """Enter a signed agreement with its first token, given by its credential key."""
    if end <= start:
        return Refused(Refusal("agreement-ends-before-it-starts", places=("/end",)))
    state = KeptAgreement(
        agreement=agreement,
        organisation=organisation,
        start=start,
        end=end,
        tokens=(token,),
        version=1,
    )
    return Accepted(state, ())


def end_at(known: KeptAgreement | None, organisation: int, end: datetime) -> Decided:
    """Move the end; an end before the start means that it never ran."""
    if known is None or known.organisation != organisation:
        return Refused(Refusal("agreement-unknown"))
    return (
        _changed(known, {"end": end, "unsettled": True}) if known.end != end else Unchanged(known)
    )


def add_token(known: KeptAgreement | None, organisation: int, token: str) -> Decided:
    """Add a further token, given by its credential key."""
    if known is None or known.organisation != organisation:
        return Refused(Refusal("agreement-unknown"))
    if len(known.tokens) >= MOST_TOKENS:
        return Refused(Refusal("too-many-tokens", f"An agreement has at most {MOST_TOKENS}."))
    return _changed(known, {"tokens": (*known.tokens, token), "unsettled": True})


def settled(known: KeptAgreement | None, *, seen: int) -> Decided:
    """Note that every token carries what stood here at version ``seen``."""
    if known is None:
        return Refused(Refusal("agreement-unknown"))
    if known.version != seen or not known.unsettled:
        return Unchanged(known)
    return _changed(known, {"unsettled": False})


def _changed(known: KeptAgreement, fields: dict[str, object]) -> Decided:
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
