"""Holders of accounts: what accounts told of them, and what they say, signed in, of themselves."""

from typing import Final

from services.consent.commands import consents, people
from services.consent.commands.consents import Answer, Settled
from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model import following, holders
from services.consent.model.consents import KeptConsent, Who
from services.consent.model.holders import Heard, KeptHolder
from services.consent.model.people import KeptPerson
from shared.events.people import PersonState
from shared.mongo import Refused
from shared.policy.consent import NO, purpose_of
from shared.runtime.faults import Transient

TRIES: Final = 3  # where an account's address changes while its holder chooses


async def hear(consenting: Consenting, state: PersonState) -> None:
    """Take in what accounts told of a person. Raises ``Transient``."""
    said, store = Heard.of(state), consenting.store.holders
    known = await settled(consenting, said.holder)
    if (known is not None and known.heard >= said.version) or not (said.subject or said.closed):
        return
    taken = await _taken(consenting, said)

    def decide(known: KeptHolder | None) -> holders.Decided:
        if known is not None and known.left is not None:
            raise Transient("an earlier change of this account is not finished")
        return holders.hear(known, said, taken=taken)

    await store.update(said.holder, decide)
    await settled(consenting, said.holder)


async def _taken(consenting: Consenting, said: Heard) -> bool:
    """Have others leave an address that is theirs no more; say whether it is another's by now.

    Of two accounts news may come in either order, for they lie in different partitions.
    """
    store, subject, taken = consenting.store.holders, said.subject, False
    if subject is None:
        return False
    for other in await store.where(subjects=subject):
        if other.holder == said.holder:
            continue
        if other.subject == subject and other.since > said.since:
            taken = True
        elif other.subject == subject:
            await store.update(other.holder, lambda known: holders.let_go(known, subject))
        await settled(consenting, other.holder)
    return taken


async def settled(consenting: Consenting, holder: str) -> KeptHolder | None:
    """Return a holder after every change that was heard was carried out."""
    store = consenting.store.holders
    known = await store.load(holder)
    if known is None or known.at_rest:
        return known
    left = known.left
    if left is not None and known.carried is None:
        said = [
            one
            for one in await consenting.store.consents.where(subjects=left)
            if one.purpose == purpose_of(one.purpose) and not one.erased
        ]
        saved = await store.update(holder, lambda state: holders.take_along(state, left, said))
        known = known if isinstance(saved, Refused) else saved.state
    for one in known.carried or ():
        if known.left is not None:
            await _end(consenting, one)
        if known.subject is not None:
            await _bring(consenting, known.subject, one)
    done = await store.update(holder, lambda state, done=known: holders.arrive(state, done))  # type: ignore[misc]
    return known if isinstance(done, Refused) else done.state


async def _end(consenting: Consenting, said: KeptConsent) -> None:
    now = consenting.now()
    await consenting.store.consents.update(
        said.consent, lambda known: following.leave(known, said.version, now=now)
    )


async def _bring(consenting: Consenting, subject: str, said: KeptConsent) -> None:
    person = await people.at(consenting, subject)
    who, now = Who(subject, person.person, said.purpose), consenting.now()
    if said.standing in NO:
        await people.suppress(consenting, subject, said.purpose)
    await consenting.store.consents.update(
        who.key, lambda known: following.follow(known, who, said, now=now)
    )


async def found(consenting: Consenting, holder: str) -> str | Refused[Refusal]:
    """Return under what a holder's consents stand; accounts may not have told it yet."""
    known = await settled(consenting, holder)
    if known is not None and known.closed:
        return holders.UNKNOWN
    if known is None or known.subject is None:
        return Refused(Refusal("account-unheard", "Ask again shortly."))
    return known.subject


async def page(consenting: Consenting, holder: str) -> KeptPerson | Refused[Refusal] | None:
    """Return whose consents a holder sees; None where nothing was ever said."""
    subject = await found(consenting, holder)
    if isinstance(subject, Refused):
        return subject
    person = await consenting.store.people.load(subject)
    return None if person is None or person.nobody else person


async def choose(
    consenting: Consenting,
    holder: str,
    purpose: str,
    answer: Answer,
    *,
    seen: int,
    correlation: str,
) -> Settled | Refused[Refusal]:
    """Say yes or no, signed in; it counts at once, at the address the account has then."""
    for _ in range(TRIES):
        subject = await found(consenting, holder)
        if isinstance(subject, Refused):
            return subject
        person = await people.at(consenting, subject)
        if answer == "given" and purpose != purpose_of(purpose) and person.sealed is None:
            return Refused(Refusal("address-needed", rule="CRP-3a"))
        said = await consents.choose(
            consenting,
            person,
            purpose,
            answer,
            seen=seen,
            channel="account",
            correlation=correlation,
        )
        if isinstance(said, Refused):
            return said
        known = await consenting.store.holders.load(holder)
        if known is not None and known.subject == subject:
            return said
        # The account left the address meanwhile, maybe before it could take this along.
        await _end(consenting, said.consent)
    raise Transient("the address of this account changes again and again")
