"""Deleting an account, as its holder or staff ask for it; and who takes its journals over.

Nothing is deleted here. Accounts tells that an account is to go, deposits answers when no journal
hangs on it, and that answer carries the deletion out (services.accounts.commands.closing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.accounts.commands import asking
from services.accounts.commands.acting import Actor, permitted
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.mails import deletions as mails
from services.accounts.mails.people import Code
from services.accounts.model import deletions
from services.accounts.model.deletions import Deciding, KeptOffer
from services.accounts.model.people import KeptPerson
from shared.events.decisions import Refused
from shared.mail import Addressee
from shared.mongo.deliveries import Delivery
from shared.mongo.delivering import Outcome, Sender
from shared.privacy.tokens import code_key, new_code
from shared.runtime.crashpoints import crashpoint

ACTION: Final = "account-delete"
REPLACEMENT: Final = "replacement-asked"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deletion stands: what hangs on the account, as far as deposits has told.

    ``heard`` is whether deposits has told of this deletion yet.
    """

    state: KeptPerson
    journals: tuple[str, ...]
    heard: bool
    pending: bool = False


async def ask(
    people: People, actor: Actor, person: str, *, correlation: str
) -> Standing | Refused[Refusal]:
    """Ask that an account be deleted; it goes once no journal hangs on it (DOAJ-8a1)."""
    state = await _decide(people, actor, person, deletions.ask, correlation)
    return state if isinstance(state, Refused) else await _standing(people, state)


async def show(
    people: People, actor: Actor, person: str, *, correlation: str
) -> Standing | Refused[Refusal]:
    """Show what a deletion waits for."""
    known = await permitted(people, actor, ACTION, person, correlation=correlation)
    if isinstance(known, Refused):
        return known
    return deletions.NOT_ASKED if known.closing is None else await _standing(people, known)


async def take_back(
    people: People, actor: Actor, person: str, *, correlation: str
) -> KeptPerson | Refused[Refusal]:
    """Take a deletion back that was not carried out."""
    return await _decide(people, actor, person, deletions.take_back, correlation)


async def offer(
    people: People, actor: Actor, person: str, *, email: str, name: str | None, correlation: str
) -> Refused[Refusal] | None:
    """Offer the journals to somebody, who is told by mail and must accept (DOAJ-8a3)."""
    known = await permitted(people, actor, ACTION, person, correlation=correlation)
    if isinstance(known, Refused):
        return known
    if known.closing is None:
        return deletions.NOT_ASKED
    about = {
        "person": person,
        "attempt": known.closing.attempt,
        "invited_by": f"person:{person}" if actor.person == person else actor.named(person),
    }
    return await asking.ask(people, REPLACEMENT, {"email": email, "name": name}, about)


async def accept(
    people: People, actor: Actor, code: str, *, correlation: str
) -> tuple[str, ...] | Refused[Refusal]:
    """Take over what was offered to the address of whoever is signed in; return the journals.

    The deletion is told first and the offer written last: a crash in between repeats nothing.
    """
    by = await people.store.people.load(actor.person or "")
    key = code_key(code)
    found = await people.store.offers.load(key) if key else None
    refused = deletions.counts(found, by, now=people.now())
    if refused is not None or found is None or by is None:
        return refused or deletions.VOID
    saved = await people.store.people.update(
        found.person,
        lambda known: deletions.replace(known, by, attempt=found.attempt, now=people.now()),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    crashpoint("accounts.replacement-told")
    await people.store.offers.update(found.code, lambda known: deletions.accepted(known, by.person))
    return (await _standing(people, saved.state)).journals


@dataclass(frozen=True, slots=True)
class Offering:
    """Answers offers of journals, by mail: a sender of the delivery loop."""

    people: People

    @property
    def senders(self) -> Mapping[str, Sender]:
        """What answers each kind of ask."""
        return {REPLACEMENT: self.offer}

    async def offer(self, one: Delivery) -> Outcome:
        """Mail a code to accept with, and an account to whoever has none. Raises ``Transient``."""
        return await asking.answered(self.people, one, self._offer)

    async def _offer(self, one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]) -> str:
        people, about = self.people, one.payload["about"]
        person = await people.store.people.load(about["person"])
        closing = person.closing if person else None
        if closing is None or closing.attempt != about["attempt"]:
            return "taken-back"
        if await self._has_had_enough(indexes[-1]):
            return "too-many"
        if await people.holder(indexes) is None:
            await asking.invite(
                people,
                email=texts["email"],
                name=texts.get("name"),
                category=asking.HOLDER,
                roles=(),
                actor=about["invited_by"],
                cause=one.id,
            )
        mailed = new_code()
        key, now = code_key(mailed), people.now()
        assert key is not None
        until = now + people.signing_in.file.invitation_code.lives
        new = KeptOffer(
            code=key,
            person=about["person"],
            attempt=about["attempt"],
            subjects=indexes,
            made_at=now,
            until=until,
        )
        await people.store.offers.update(key, lambda known: deletions.offer(known, new))
        # Of one ask one mail: a second try after a crash made another code, which nobody gets.
        message = mails.offered(
            one.id,
            texts["email"],
            share=about["person"],
            pages=people.pages,
            code=Code(mailed, until),
        )
        to = Addressee(asking.HOLDER, indexes)
        await people.posting.post(message, to, actor=about["invited_by"])
        return "code-mailed"

    async def _has_had_enough(self, index: str) -> bool:
        row = self.people.signing_in.limit("codes-of-an-address")
        made = await self.people.store.offers.where(subjects=index)
        return sum(one.made_at > self.people.now() - row.within for one in made) >= row.most


async def _decide(
    people: People, actor: Actor, person: str, decide: Deciding, correlation: str
) -> KeptPerson | Refused[Refusal]:
    known = await permitted(people, actor, ACTION, person, correlation=correlation)
    if isinstance(known, Refused):
        return known
    saved = await people.store.people.update(
        person,
        lambda state: decide(state, actor=actor.named(person), now=people.now()),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


async def _standing(people: People, state: KeptPerson) -> Standing:
    told = await people.store.hangs_on(state.person)
    attempt = state.closing.attempt if state.closing else None
    journals = tuple(sorted(one.journal for one in told.journals)) if told else ()
    heard = told is not None and told.closing == attempt
    pending = await people.pending(people.store.people, state.person)
    return Standing(state, journals, heard, pending)
