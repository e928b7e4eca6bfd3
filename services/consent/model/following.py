"""Consents follow the account that said them from the address it left to its new one."""

from datetime import datetime

from services.consent.errors import Refusal
from services.consent.model.consents import (
    ANSWERS,
    Decided,
    KeptConsent,
    Who,
    added,
    told,
    who_of,
)
from shared.events.consent import ConsentFact
from shared.events.decisions import Refused, Unchanged
from shared.policy.consent import NO


def leave(known: KeptConsent | None, version: int, *, now: datetime) -> Decided:
    """End a yes at an address that its account left; not one that was said since ``version``."""
    if known is None:
        return Refused(Refusal("consent-unknown"))
    if known.standing != "given" or known.version > version:
        return Unchanged(known)
    fact = ConsentFact(at=now, what="expired", by="system", channel="account")
    state = added(known, who_of(known), fact, standing="expired", request=known.request)
    return told(state, "expired")


def follow(known: KeptConsent | None, who: Who, carried: KeptConsent, *, now: datetime) -> Decided:
    """Bring a consent to the address that its account has now, with its history.

    What the account itself said there earlier goes on with what it said since. Where somebody said
    something else there, a no of either counts, then a yes of either.
    """
    before, known = known, None if known is None or known.erased else known
    there = known.facts if known else ()
    facts = sorted(dict.fromkeys((*there, *carried.facts)), key=lambda fact: fact.at)
    rests = _weightier(known, carried)
    if known is not None and rests.standing == known.standing and len(facts) == len(there):
        return Unchanged(known)
    newest = _answer(rests)
    if rests.standing in (*NO, "given") and newest is not None and facts[-1] != newest:
        # In force here from now on, whatever was said of this address in between.
        again = {"at": now, "said_at": newest.said_at or newest.at}
        facts.append(newest.model_copy(update=again))
    state = KeptConsent(
        consent=who.key,
        subject=who.subject,
        purpose=who.purpose,
        person=who.person,
        standing=rests.standing,
        notice=rests.notice,
        valid_until=rests.valid_until,
        facts=tuple(facts),
        request=known.request if known else None,
        erased_at=before.erased_at if before else None,
        proof=before.proof if before else None,
        version=before.version + 1 if before else 1,
    )
    return told(state, rests.standing)


def _weightier(known: KeptConsent | None, carried: KeptConsent) -> KeptConsent:
    if known is None or _answer(known) in carried.facts:
        return carried
    return known if _weight(known) >= _weight(carried) else carried


def _weight(state: KeptConsent) -> tuple[bool, bool]:
    return state.standing in NO, state.standing == "given"


def _answer(state: KeptConsent) -> ConsentFact | None:
    return next((fact for fact in reversed(state.facts) if fact.what in ANSWERS), None)
