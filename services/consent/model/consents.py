"""Consents: a history for each person and purpose. A yes needs proof, a no needs nothing.

A yes comes by a link that was mailed and is still good, by the person's own page with the version
that was seen, or by staff with the day on which it was said. So nothing that is repeated or comes
late brings a consent back after it was withdrawn.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.consent.errors import Refusal
from services.consent.model.proofs import KeptProof
from shared.events import Event
from shared.events.base import Instant, State
from shared.events.consent import (
    By,
    Channel,
    ConsentErased,
    ConsentExpired,
    ConsentFact,
    ConsentGiven,
    ConsentReconfirmed,
    ConsentRefused,
    ConsentRequested,
    ConsentState,
    ConsentWithdrawn,
    Happened,
    NoticeRef,
)
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.policy.consent import NO

YES: Final = ("given", "reconfirmed")
ANSWERS: Final = (*NO, *YES)
_EVENTS: Final[dict[str, type[Event]]] = {
    "requested": ConsentRequested,
    "given": ConsentGiven,
    "refused": ConsentRefused,
    "withdrawn": ConsentWithdrawn,
    "expired": ConsentExpired,
    "reconfirmed": ConsentReconfirmed,
    "erased": ConsentErased,
}


class Request(State):
    """A link under way: which, since when, and until when it is good."""

    id: str
    at: Instant
    until: Instant


class KeptConsent(ConsentState):
    """A consent's document.

    Of one that was erased, since ``erased_at``, only its version is left; ``proof`` is what remains
    of it until that was moved away from here (model/erasures.py).
    """

    request: Request | None = None
    erased_at: Instant | None = None
    proof: KeptProof | None = None

    @property
    def erased(self) -> bool:
        """Whether nothing is said here any more."""
        return self.standing == "erased"

    @property
    def noes(self) -> tuple[str, ...]:
        """The ids of every no that was said, as receipts name them."""
        return tuple(fact.cause for fact in self.facts if fact.what in NO and fact.cause)

    @property
    def yes_at(self) -> Instant:
        """When the newest yes was taken; of one that stands."""
        return next(fact.at for fact in reversed(self.facts) if fact.what in YES)


Decided = Accepted[KeptConsent] | Unchanged[KeptConsent] | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Who:
    """Whose consent, to what."""

    subject: str
    person: str
    purpose: str

    @property
    def key(self) -> str:
        """The key of the consent."""
        return consent_key(self.subject, self.purpose)


@dataclass(frozen=True, slots=True)
class Said:
    """How something was said; ``said_at`` where that was before ``now``.

    ``cause`` is the id of a no, by which readers say since when they obey it.
    """

    by: By
    channel: Channel
    now: datetime
    said_at: datetime | None = None
    evidence: str | None = None
    cause: str | None = None

    @property
    def at(self) -> datetime:
        """When it was said."""
        return self.said_at or self.now


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a yes rests on: the notice in force, and until when it holds."""

    notice: NoticeRef
    valid_until: datetime | None = None


def consent_key(subject: str, purpose: str) -> str:
    """Return the key of a consent."""
    return f"{subject}|{purpose}"


def ask(
    known: KeptConsent | None, who: Who, request: Request, *, again_before: datetime
) -> Decided:
    """Ask for a consent by a link; nothing that was said before changes by it.

    A link that was sent since ``again_before`` is enough.
    """
    if known is not None and known.request is not None and known.request.at > again_before:
        return Unchanged(known)
    if known is not None and known.request is not None:
        # Asked once more: a new link, no new fact.
        return Accepted(changed(known, request=request), ())
    fact = ConsentFact(
        at=request.at, what="requested", by="person", channel="link", cause=request.id
    )
    standing = "requested" if known is None or known.erased else known.standing
    return told(added(known, who, fact, standing=standing, request=request), "requested")


def confirm(known: KeptConsent | None, request: str, grounds: Grounds, *, now: datetime) -> Decided:
    """Say yes by the link that was sent; once, and never after a withdrawal."""
    if known is None:
        return Refused(Refusal("link-void"))
    under_way = known.request
    if under_way is None or under_way.id != request or under_way.until <= now:
        done = known.standing == "given" and any(
            fact.cause == request for fact in known.facts if fact.what in ANSWERS
        )
        return Unchanged(known) if done else Refused(Refusal("link-void"))
    return _yes(known, who_of(known), Said("person", "link", now), grounds, cause=request)


def give(
    known: KeptConsent | None, who: Who, said: Said, grounds: Grounds, *, no_since: datetime | None
) -> Decided:
    """Enter a yes that staff received; ``no_since`` is when the address was suppressed, if it is.

    What was said before the newest answer changes nothing: a letter may be entered twice, or late.
    ``grounds`` are those of the day on which it was said.
    """
    if said.at > said.now:
        return Refused(Refusal("said-in-the-future", places=("/said-at",)))
    if no_since is not None and said.at <= no_since:
        return Refused(Refusal("consent-suppressed", rule="CRP-3e"))
    if known is not None and known.erased_at is not None and said.at <= known.erased_at:
        # A letter of before the erasure is part of what was erased, whenever it is entered.
        return Refused(Refusal("consent-superseded", rule="DOAJ-9a4"))
    if known is not None and any(
        (fact.said_at or fact.at) >= said.at for fact in known.facts if fact.what in ANSWERS
    ):
        superseded = Refusal("consent-superseded", rule="DOAJ-10a")
        return Unchanged(known) if known.standing == "given" else Refused(superseded)
    return _yes(known, who, said, grounds)


def choose(
    known: KeptConsent | None, who: Who, said: Said, grounds: Grounds, *, seen: int
) -> Decided:
    """Say yes on the person's own page; ``seen`` is the version shown there, 0 for none."""
    if (known.version if known and not known.erased else 0) != seen:
        return Refused(Refusal("version-differs"))
    return _yes(known, who, said, grounds)


def decline(known: KeptConsent | None, who: Who, said: Said) -> Decided:
    """Say no: at once, always, by whoever may say yes and by every link (DOAJ-10a)."""
    if said.at > said.now:
        return Refused(Refusal("said-in-the-future", places=("/said-at",)))
    if known is not None and known.standing in NO:
        if known.request is None:
            return Unchanged(known)
        return Accepted(changed(known, request=None), ())
    ever = known is not None and known.standing in ("given", "expired")
    what: Happened = "withdrawn" if ever else "refused"
    fact = ConsentFact(
        at=said.now,
        what=what,
        by=said.by,
        channel=said.channel,
        said_at=said.said_at,
        cause=said.cause,
        evidence=said.evidence,
    )
    return told(added(known, who, fact, standing=what, request=None), what)


def expire(known: KeptConsent | None, *, now: datetime) -> Decided:
    """Write down that a yes became too old; it counted for nothing from that moment on anyway."""
    if known is None:
        return Refused(Refusal("consent-unknown"))
    if known.standing != "given" or known.valid_until is None or known.valid_until > now:
        return Unchanged(known)
    fact = ConsentFact(at=now, what="expired", by="system", channel="clock")
    state = added(known, who_of(known), fact, standing="expired", request=known.request)
    return told(state, "expired")


def _yes(
    known: KeptConsent | None, who: Who, said: Said, grounds: Grounds, cause: str | None = None
) -> Decided:
    again = known is not None and known.standing in ("given", "expired")
    what: Happened = "reconfirmed" if again else "given"
    fact = ConsentFact(
        at=said.now,
        what=what,
        by=said.by,
        channel=said.channel,
        said_at=said.said_at,
        notice=grounds.notice,
        cause=cause,
        evidence=said.evidence,
    )
    state = added(known, who, fact, standing="given", request=None)
    rests = {"notice": grounds.notice, "valid_until": grounds.valid_until}
    return told(state.model_copy(update=rests), what)


def added(known: KeptConsent | None, who: Who, fact: ConsentFact, **fields: object) -> KeptConsent:
    """Add a fact to a history, or begin one with it."""
    if known is not None and not known.erased:
        return changed(known, facts=(*known.facts, fact), **fields)
    # Of one that was erased nothing but its version goes on: who says something is somebody new.
    return KeptConsent.model_validate(
        {
            "consent": who.key,
            "subject": who.subject,
            "purpose": who.purpose,
            "person": who.person,
            "facts": (fact,),
            "erased_at": known.erased_at if known else None,
            "proof": known.proof if known else None,
            "version": known.version + 1 if known else 1,
            **fields,
        }
    )


def changed(known: KeptConsent, **fields: object) -> KeptConsent:
    """Return the next version of a consent."""
    return known.model_copy(update={**fields, "version": known.version + 1})


def told(state: KeptConsent, what: str) -> Accepted[KeptConsent]:
    """Accept a state that services are told of."""
    return Accepted(state, (saying(_EVENTS[what], state),))


def who_of(known: KeptConsent) -> Who:
    """Return whose consent it is."""
    return Who(known.subject, known.person, known.purpose)
