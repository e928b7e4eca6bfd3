"""What people ask for who have not proved who they are: an account, a code, another address.

Each ask is one write, the same whatever comes of it; a loop finds out afterwards whether the
address has an account, and the answer to that goes by mail to the address alone. So neither answer
nor time tells who has an account (DOAJ-4b3).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.mails import people as mails
from services.accounts.model import challenges
from services.accounts.model.challenges import KeptChallenge, Pending, Proves
from services.accounts.model.people import PersonDetails
from shared.events.decisions import Refused
from shared.mail import Addressee
from shared.mail.queue import open_fields, seal_fields
from shared.mongo.deliveries import Delivery
from shared.mongo.delivering import Failed, Outcome, Sender, Sent
from shared.privacy.envelope import UnsealError
from shared.privacy.tokens import code_key, new_code
from shared.runtime.ids import new_id, new_pseudonym

REGISTRATION: Final = "registration-asked"
SIGN_IN: Final = "sign-in-asked"
ADDRESS: Final = "address-asked"
SCHEMA: Final = "accounts.asked.v1"
PENDING: Final = "accounts.pending-details.v1"
HOLDER: Final = "account-holder"

Answer = Callable[[Delivery, dict[str, str], tuple[str, ...]], Awaitable[str]]


async def register(people: People, *, email: str, name: str | None) -> Refused[Refusal] | None:
    """Ask for an account; the address gets a code, or is told that it has one.

    A password is chosen with the code: one that was given here could be somebody else's, who waits
    for the holder of the address to confirm it.
    """
    return await _register(people, email, name=name, category=HOLDER)


async def invite(
    people: People,
    *,
    email: str,
    name: str | None,
    category: str,
    roles: tuple[str, ...],
    actor: str,
    cause: str | None = None,
) -> Refused[Refusal] | None:
    """Prepare an account for somebody, who is told by mail and makes it theirs (DOAJ-1d1).

    Of one ``cause`` there is one invitation, however often it is asked for.
    """
    if category not in people.roles.categories:
        return Refused(Refusal("category-unknown", rule="DOAJ-0c", places=("/category",)))
    unknown = tuple(
        f"/roles/{place}" for place, role in enumerate(roles) if role not in people.roles.roles
    )
    if unknown:
        return Refused(Refusal("role-unknown", rule="DOAJ-4a2", places=unknown))
    return await _register(
        people, email, name=name, category=category, roles=roles, invited_by=actor, cause=cause
    )


async def _register(
    people: People,
    email: str,
    *,
    name: str | None,
    category: str,
    roles: tuple[str, ...] = (),
    invited_by: str | None = None,
    cause: str | None = None,
) -> Refused[Refusal] | None:
    texts = {"email": email, "name": name}
    about = {"category": category, "roles": sorted(set(roles)), "invited_by": invited_by}
    return await ask(people, REGISTRATION, texts, about, cause=cause)


async def code(people: People, *, email: str) -> Refused[Refusal] | None:
    """Ask for a code to sign in by."""
    return await ask(people, SIGN_IN, {"email": email}, {})


async def address(
    people: People, person: str, *, email: str, name: str | None, actor: str
) -> Refused[Refusal] | None:
    """Ask that another address take the place of a person's; it counts once confirmed."""
    about = {"person": person, "invited_by": actor}
    return await ask(people, ADDRESS, {"email": email, "name": name}, about)


async def ask(
    people: People,
    kind: str,
    texts: dict[str, str | None],
    about: dict[str, Any],
    *,
    cause: str | None = None,
) -> Refused[Refusal] | None:
    """Leave an ask to the loop, its texts sealed; one for each ``cause``, where there is one."""
    indexes = people.indexes(texts["email"] or "")
    if isinstance(indexes, Refused):
        return indexes
    one = f"{kind}:{cause or new_id()}"
    said = {field: text for field, text in texts.items() if text is not None}
    sealed = seal_fields(people.mails.keys, said, schema=SCHEMA, record=one)
    await people.ask(one, kind, {"sealed": sealed, "about": about})
    return None


async def answered(people: People, one: Delivery, answer: Answer) -> Outcome:
    """Answer an ask by what its texts say in clear, then forget them. Raises ``Transient``."""
    if "sealed" not in one.payload:
        return Sent("answered")
    try:
        sealed = one.payload["sealed"]
        texts = open_fields(people.mails.keys, sealed, schema=SCHEMA, record=one.id)
    except UnsealError:
        return Failed("unreadable")
    indexes = people.index.all(texts["email"])
    # One after another: what an address got is counted before the next is answered. Another process
    # may answer at the same time, so that each beside the first lets one more through at most.
    async with people.locks.of(indexes[-1]):
        said = await answer(one, texts, indexes)
    await people.mails.empty(one)
    return Sent(said)


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers what was asked, by mail: senders of the delivery loop."""

    people: People

    @property
    def senders(self) -> Mapping[str, Sender]:
        """What answers each kind of ask."""
        return {
            REGISTRATION: self.registration,
            SIGN_IN: self.sign_in,
            ADDRESS: self.address,
        }

    async def registration(self, one: Delivery) -> Outcome:
        """Mail a code that makes an account, or word that there is one. Raises ``Transient``."""
        return await self._answered(one, self._registration)

    async def sign_in(self, one: Delivery) -> Outcome:
        """Mail a code to sign in by, where there is an account. Raises ``Transient``."""
        return await self._answered(one, self._sign_in)

    async def address(self, one: Delivery) -> Outcome:
        """Mail a code to the new address. Raises ``Transient``."""
        return await self._answered(one, self._address)

    async def _answered(self, one: Delivery, answer: Answer) -> Outcome:
        async def within_quota(
            one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]
        ) -> str:
            if await self._has_had_enough(indexes[-1]):
                return "too-many"
            return await answer(one, texts, indexes)

        return await answered(self.people, one, within_quota)

    async def _has_had_enough(self, index: str) -> bool:
        row = self.people.signing_in.limit("codes-of-an-address")
        since = self.people.now() - row.within
        made = await self.people.store.challenges.where(subjects=index)
        return sum(one.made_at > since for one in made) >= row.most

    async def _registration(
        self, one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]
    ) -> str:
        about = one.payload["about"]
        holder = await self.people.holder(indexes)
        if holder is not None:
            await self._tell_holder(holder, texts["email"], indexes)
            return "has-account"
        invited = about["invited_by"] is not None
        file = self.people.signing_in.file
        await self._mail_code(
            one,
            texts,
            "invited" if invited else "confirm-address",
            Addressee(about["category"], indexes),
            person=new_pseudonym(),
            proves="registration",
            lives=(file.invitation_code if invited else file.confirmation_code).lives,
            category=about["category"],
            roles=tuple(about["roles"]),
            invited_by=about["invited_by"],
        )
        return "code-mailed"

    async def _sign_in(self, one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]) -> str:
        holder = await self.people.holder(indexes)
        if holder is None:
            return "nobody"
        await self._mail_code(
            one,
            texts,
            "sign-in-code",
            await self._known(holder, indexes),
            person=holder,
            proves="sign-in",
            lives=self.people.signing_in.file.sign_in_code.lives,
        )
        return "code-mailed"

    async def _address(self, one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]) -> str:
        about = one.payload["about"]
        holder = await self.people.holder(indexes)
        if holder is not None and holder != about["person"]:
            await self._tell_holder(holder, texts["email"], indexes)
            return "has-account"
        await self._mail_code(
            one,
            texts,
            "confirm-address",
            await self._known(about["person"], indexes),
            person=about["person"],
            proves="address",
            lives=self.people.signing_in.file.confirmation_code.lives,
            invited_by=about["invited_by"],
        )
        return "code-mailed"

    async def _known(self, person: str, indexes: tuple[str, ...]) -> Addressee:
        state = await self.people.store.people.load(person)
        return Addressee(state.category if state else HOLDER, indexes)

    async def _tell_holder(self, holder: str, email: str, indexes: tuple[str, ...]) -> None:
        # Once an hour at most, whoever asks how often.
        hour = self.people.now().strftime("%Y%m%d%H")
        cause = f"has-account.{holder}.{hour}"
        told = mails.written("has-account", cause, email, share=holder, pages=self.people.pages)
        await self.people.posting.post(told, await self._known(holder, indexes), actor="person")

    async def _mail_code(
        self,
        one: Delivery,
        texts: dict[str, str],
        kind: mails.Kind,
        to: Addressee,
        *,
        person: str,
        proves: Proves,
        lives: timedelta,
        invited_by: str | None = None,
        **kept: Any,
    ) -> None:
        people, now = self.people, self.people.now()
        mailed = new_code()
        key, until = code_key(mailed), now + lives
        assert key is not None
        pending = None
        if proves != "sign-in":
            said = PersonDetails(email=texts["email"].strip(), name=texts.get("name")).texts()
            sealed = seal_fields(people.mails.keys, said, schema=PENDING, record=key)
            pending = Pending.model_validate(sealed)
        new = KeptChallenge(
            code=key,
            proves=proves,
            person=person,
            subjects=to.subjects,
            made_at=now,
            until=until,
            pending=pending,
            invited_by=invited_by,
            **kept,
        )
        await people.store.challenges.update(key, lambda known: challenges.make(known, new))
        # Of one ask one mail: a second try after a crash made another code, which nobody gets.
        message = mails.written(
            kind,
            one.id,
            texts["email"],
            share=person,
            pages=people.pages,
            code=mails.Code(mailed, until),
        )
        await people.posting.post(message, to, actor=invited_by or "person")
