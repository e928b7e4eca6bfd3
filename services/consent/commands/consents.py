"""Yes and no: by a link, on the person's own page, by staff on a person's behalf."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from services.consent.commands import people
from services.consent.commands.context import Consenting
from services.consent.commands.links import Link
from services.consent.errors import Refusal
from services.consent.model import consents
from services.consent.model.consents import KeptConsent, Said, Who
from services.consent.model.people import KeptPerson
from shared.events.consent import Channel
from shared.mongo import Refused, Unchanged
from shared.runtime.ids import new_id, new_pseudonym

PAGE: Final = 100

Answer = Literal["given", "refused"]
Decide = Callable[[KeptConsent | None], consents.Decided]
Entering = Callable[[KeptConsent | None, Who, Said], consents.Decided]


@dataclass(frozen=True, slots=True)
class Settled:
    """A consent after a change; ``pending`` while services have not been told."""

    consent: KeptConsent
    pending: bool


@dataclass(frozen=True, slots=True)
class Staff:
    """What staff enter: by which channel and when it was said; ``evidence`` in clear."""

    answer: Answer
    channel: Channel
    said_at: datetime | None
    evidence: str | None = field(default=None, repr=False)


async def confirm(
    consenting: Consenting, link: Link, *, correlation: str
) -> Settled | Refused[Refusal]:
    """Say yes by the link that was mailed (double opt-in)."""
    person = await consenting.store.person(link.person)
    grounds = await consenting.grounds(link.purpose, consenting.now())
    if person is None:
        return Refused(Refusal("link-void"))
    if isinstance(grounds, Refused):
        return grounds
    now = consenting.now()

    def decide(known: KeptConsent | None) -> consents.Decided:
        return consents.confirm(known, link.request, grounds, now=now)

    return await _yes(consenting, _who(person, link.purpose), decide, correlation)


async def choose(
    consenting: Consenting,
    person: KeptPerson,
    purpose: str,
    answer: Answer,
    *,
    seen: int,
    correlation: str,
    channel: Channel = "link",
) -> Settled | Refused[Refusal]:
    """Say yes or no on the person's own page; a no asks neither what was seen nor any notice."""
    row, now = consenting.purpose(purpose), consenting.now()
    if isinstance(row, Refused):
        return row
    who, said = _who(person, purpose), Said("person", channel, now)
    if answer == "refused":
        return await decline(consenting, who, said, correlation=correlation)
    grounds = await consenting.grounds(purpose, now)
    if isinstance(grounds, Refused):
        return grounds

    def decide(known: KeptConsent | None) -> consents.Decided:
        return consents.choose(known, who, said, grounds, seen=seen)

    return await _yes(consenting, who, decide, correlation)


async def enter(
    consenting: Consenting, address: str, purpose: str, staff: Staff, *, correlation: str
) -> Settled | Refused[Refusal]:
    """Enter what somebody wrote or said to staff (DOAJ-10a).

    It is judged first, so that nothing is kept of anybody where it comes to nothing.
    """
    row, subjects = consenting.purpose(purpose), consenting.subjects(address)
    if isinstance(row, Refused):
        return row
    if isinstance(subjects, Refused):
        return subjects
    said = Said("operator", staff.channel, consenting.now(), staff.said_at)
    decide = await _entering(consenting, subjects, purpose, staff)
    if isinstance(decide, Refused):
        return decide
    known = await consenting.consent(subjects, purpose)
    judged = decide(known, Who(subjects[-1], new_pseudonym(), purpose), said)
    if isinstance(judged, Refused):
        return judged
    if isinstance(judged, Unchanged):
        staff = replace(staff, evidence=None)
    return await _entered(
        consenting, address, purpose, staff, said=said, decide=decide, correlation=correlation
    )


async def _entering(
    consenting: Consenting, subjects: tuple[str, ...], purpose: str, staff: Staff
) -> Entering | Refused[Refusal]:
    """Return the decision that staff ask for; a no needs no grounds."""
    if staff.answer == "refused":
        return consents.decline
    grounds = await consenting.grounds(purpose, staff.said_at or consenting.now())
    if isinstance(grounds, Refused):
        return grounds
    no_since = await consenting.no_since(subjects, purpose)
    return lambda known, who, said: consents.give(known, who, said, grounds, no_since=no_since)


async def _entered(
    consenting: Consenting,
    address: str,
    purpose: str,
    staff: Staff,
    *,
    said: Said,
    decide: Entering,
    correlation: str,
) -> Settled | Refused[Refusal]:
    keep = purpose.startswith("list:") and staff.answer == "given"
    person = await people.entered(consenting, address, keep=keep, correlation=correlation)
    if isinstance(person, Refused):
        return person
    if staff.evidence:
        kept = await people.keep_evidence(
            consenting, person, staff.evidence, correlation=correlation
        )
        if isinstance(kept, Refused):
            return kept
        said = replace(said, evidence=kept)
    who = _who(person, purpose)
    if staff.answer == "refused":
        return await decline(consenting, who, said, correlation=correlation)
    return await _yes(consenting, who, lambda known: decide(known, who, said), correlation)


async def decline(
    consenting: Consenting, who: Who, said: Said, *, correlation: str
) -> Settled | Refused[Refusal]:
    """Say no, in force at once: the suppression first, so that a crash in between denies."""
    await people.suppress(consenting, who.subject, who.purpose)
    said = replace(said, cause=new_id())

    def decide(known: KeptConsent | None) -> consents.Decided:
        return consents.decline(known, who, said)

    return await _saved(consenting, who, decide, correlation)


async def expire_due(consenting: Consenting) -> bool:
    """Write down a page of consents that became too old; say whether there may be more."""
    now = consenting.now()
    keys = await consenting.store.over(now, most=PAGE)
    for key in keys:
        await consenting.store.consents.update(key, lambda known: consents.expire(known, now=now))
    return len(keys) == PAGE


async def _yes(
    consenting: Consenting, who: Who, decide: Decide, correlation: str
) -> Settled | Refused[Refusal]:
    settled = await _saved(consenting, who, decide, correlation)
    if isinstance(settled, Settled):
        await people.lift(consenting, who.subject, who.purpose)
    return settled


async def _saved(
    consenting: Consenting, who: Who, decide: Decide, correlation: str
) -> Settled | Refused[Refusal]:
    store = consenting.store.consents
    saved = await store.update(who.key, decide, correlation=correlation)
    if isinstance(saved, Refused):
        return saved
    return Settled(saved.state, await consenting.pending(store, who.key, saved))


def _who(person: KeptPerson, purpose: str) -> Who:
    return Who(person.subject, person.person, purpose)
