"""What is on its way to somebody: codes, offers, asks, mails that wait, and answers on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.accounts.commands import asking
from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.persons import People
from services.accounts.erasing.accounts import CLS, of_account
from services.accounts.erasing.finding import found, looked_for
from services.accounts.model import contacts
from services.accounts.model.contacts import KeptSeat
from services.accounts.model.people import RECORD
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mail.queue import KIND, open_fields
from shared.mongo import Aggregates, faults
from shared.mongo.deliveries import Delivery
from shared.policy.contacts import CATEGORY
from shared.policy.decisions import KeptDecision
from shared.privacy.envelope import UnsealError
from shared.privacy.erasing import Held, Unpublished, Whom

SAID: Final = "erased"
CONTACT: Final = "contact-role"
UNITS: Final[Mapping[str, str]] = {CLS: RECORD, CONTACT: contacts.RECORD}


@dataclass(frozen=True, slots=True)
class Challenges(Unpublished):
    """Codes that were mailed to somebody, or that their account asked for."""

    people: People
    name: str = "challenges"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find them. Raises ``Transient``."""
        states = await found(self.people.store.challenges, whom)
        # Whose account asked for it need not be whose address it was mailed to.
        return [_account(one.code) for one in states if of_account(whom, one.person, one.subjects)]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Delete them, and the details that wait in them: no code makes an account of it now."""
        ids = [one.id for one in held if not one.stays(whom.exempt)]
        with faults():
            await self.people.store.challenges.collection.delete_many({"_id": {"$in": ids}})


@dataclass(frozen=True, slots=True)
class Offers(Unpublished):
    """Journals that were offered to somebody, or to others by somebody who is to go."""

    people: People
    name: str = "offers"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find them. Raises ``Transient``."""
        states = await found(self.people.store.offers, whom)
        return [_account(one.code) for one in states if of_account(whom, one.person, one.subjects)]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Delete them: nobody accepts the journals of whoever is gone."""
        ids = [one.id for one in held if not one.stays(whom.exempt)]
        with faults():
            await self.people.store.offers.collection.delete_many({"_id": {"$in": ids}})


@dataclass(frozen=True, slots=True)
class Asked(Unpublished):
    """Asks and mails that wait, and dead ones that still say something, each sealed by itself."""

    people: People
    name: str = "deliveries"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find those to somebody's address, and those of their account. Raises ``Transient``."""
        waiting = await self.people.mails.queue.sealed()
        about = [one.payload["about"].get("decision", "") for one in waiting if one.kind == KIND]
        decisions = await self.people.posting.gate.decisions.load_many(about)
        held = []
        for one in waiting:
            decision = decisions.get(one.payload["about"].get("decision", ""))
            cls = CONTACT if decision and decision.use.category == CATEGORY else CLS
            people = {one.share, one.payload["about"].get("person", "")}
            subjects = await self._subjects(one, decision, whom)
            if any(whom.looks(person, cls, UNITS[cls], subjects) for person in people):
                held.append(Held(one.id, classes=frozenset({cls})))
        return held

    async def _subjects(
        self, one: Delivery, decision: KeptDecision | None, whom: Whom
    ) -> tuple[str, ...]:
        """Return the blind indexes of the address that it is to, where they are asked for."""
        if not whom.subjects:
            return ()
        if one.kind == KIND:
            return decision.subjects if decision else ()
        whole = await self.people.mails.queue.one(one.id)
        sealed = whole.payload.get("sealed") if whole else None
        if sealed is None:
            return ()  # it was answered meanwhile
        try:
            texts = open_fields(self.people.mails.keys, sealed, schema=asking.SCHEMA, record=one.id)
        except UnsealError:
            return ()  # nobody reads it: its key is gone
        return self.people.index.all(texts["email"])

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Deliver them no more, and forget what they say; a try under way is not called back."""
        ids = [one.id for one in held if not one.stays(whom.exempt)]
        await self.people.mails.queue.forget(ids, SAID)


@dataclass(frozen=True, slots=True)
class Decisions(Unpublished):
    """Recorded answers of the mail gate: what was allowed stays on record, of whom does not.

    They are erased before accounts and roles, whose addresses lead to them where no others are
    known.
    """

    contacting: Contacting
    name: str = "decisions"

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find the answers about somebody's addresses, those of their account and roles too."""
        theirs = {CLS: await self._of_accounts(whom), CONTACT: await self._of_roles(whom)}
        asked = whom.subjects.union(*theirs.values())
        kept = await self._kept.among(subjects=asked)
        return [
            Held(one.decision, classes=frozenset({cls}))
            for one in kept.values()
            if whom.looks("", cls := _class_of(one), "", one.subjects)
            or not theirs[cls].isdisjoint(one.subjects)
        ]

    async def _of_accounts(self, whom: Whom) -> frozenset[str]:
        states = await found(self.contacting.people.store.people, whom, person="_id")
        mine = (one.subjects for one in states if of_account(whom, one.person, one.subjects))
        return frozenset().union(*mine)

    async def _of_roles(self, whom: Whom) -> frozenset[str]:
        """Return the addresses of roles that are looked for, unless others have them as well."""
        seats = self.contacting.store.seats
        states = [one for one in await found(seats, whom) if _in_seat(whom, one)]
        mine = frozenset().union(*(one.subjects for one in states))
        sharing = await found(seats, Whom(mine))
        return mine.difference(*(one.subjects for one in sharing if not _in_seat(whom, one)))

    @property
    def _kept(self) -> Aggregates[KeptDecision]:
        return self.contacting.people.posting.gate.decisions

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        """Take the blind indexes out of them. Raises ``Transient``."""
        for one in held:
            if not one.stays(whom.exempt):
                await self._kept.update(one.id, _of_nobody)


def _account(name: str) -> Held:
    return Held(name, classes=frozenset({CLS}))


def _in_seat(whom: Whom, state: KeptSeat) -> bool:
    return state.details is not None and looked_for(whom, state.details, state.subjects)


def _class_of(decision: KeptDecision) -> str:
    return CONTACT if decision.use.category == CATEGORY else CLS


def _of_nobody(
    known: KeptDecision | None,
) -> Accepted[KeptDecision] | Unchanged[KeptDecision] | Refused[str]:
    if known is None:
        return Refused("decision-unknown")
    if not known.subjects:
        return Unchanged(known)
    changes = {"subjects": (), "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())
