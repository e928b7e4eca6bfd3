"""Accounts of people: read and mended by their holder, or by staff for one of four reasons."""

from dataclasses import dataclass

from services.accounts.commands import asking
from services.accounts.commands.acting import Actor, may, permitted
from services.accounts.commands.persons import People
from services.accounts.commands.signing_in import choose_password, sign_out_everywhere
from services.accounts.errors import Refusal
from services.accounts.model import people as model
from services.accounts.model.looks import KeptLook
from services.accounts.model.people import RECORD, KeptPerson, PersonDetails
from shared.events.decisions import Refused
from shared.privacy.vault import seal


@dataclass(frozen=True, slots=True)
class Shown:
    """An account with its details in clear."""

    state: KeptPerson
    details: PersonDetails
    address_pending: bool = False


async def show(
    people: People, actor: Actor, person: str, *, correlation: str
) -> Shown | Refused[Refusal]:
    """Show an account."""
    state = await permitted(people, actor, "account-read", person, correlation=correlation)
    return state if isinstance(state, Refused) else await _shown(people, state)


async def find(
    people: People, actor: Actor, email: str, *, correlation: str
) -> Shown | Refused[Refusal]:
    """Show staff the account that has an address."""
    refused = may(people, actor, "account-read")
    if refused is not None and refused.reason.slug == "not-permitted":
        # Before the address is looked at, so that no answer tells of it.
        return refused
    indexes = people.indexes(email)
    if isinstance(indexes, Refused):
        return indexes
    holder = await people.holder(indexes)
    return await show(people, actor, holder or "", correlation=correlation)


async def mend(
    people: People,
    actor: Actor,
    person: str,
    *,
    name: str | None,
    email: str | None,
    correlation: str,
) -> Shown | Refused[Refusal]:
    """Replace a person's name; another address counts once it is confirmed (DOAJ-1a8)."""
    state = await permitted(people, actor, "account-update", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    details = await people.details(state.details)
    if isinstance(details, Refused):
        return details
    by = actor.named(person)
    if name != details.name:
        mended = PersonDetails(name=name, email=details.email)
        sealed = await seal(people.ring, mended, person=person, unit=RECORD, record=RECORD)
        saved = await people.store.people.update(
            person,
            lambda known: model.rename(known, sealed, actor=by, now=people.now()),
            correlation=correlation,
        )
        if isinstance(saved, Refused):
            return saved
        state, details = saved.state, mended
    indexes = people.indexes(details.email if email is None else email)
    if isinstance(indexes, Refused):
        return indexes
    pending = email is not None and indexes[-1:] != state.subjects
    if pending and email is not None:
        await asking.address(people, person, email=email, name=name, actor=by)
    return Shown(state, details, address_pending=pending)


async def set_password(
    people: People, actor: Actor, person: str, password: str, *, correlation: str
) -> Refused[Refusal] | None:
    """Choose a password; all sign-ins end, this one too."""
    state = await permitted(people, actor, "password-set", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    saved = await choose_password(people, person, password, correlation=correlation)
    return saved if isinstance(saved, Refused) else None


async def reset_password(
    people: People, actor: Actor, person: str, *, correlation: str
) -> Refused[Refusal] | None:
    """Void a password and end all sign-ins; the holder is mailed a code to sign in by.

    Nobody but the holder ever knows a password (DOAJ-4c3).
    """
    state = await permitted(people, actor, "password-reset", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    details = await people.details(state.details)
    if isinstance(details, Refused):
        return details
    saved = await people.store.people.update(
        person,
        lambda known: model.set_password(known, None, actor=actor.named(person), now=people.now()),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    await sign_out_everywhere(people, person, correlation=correlation)
    return await asking.code(people, email=details.email)


async def set_roles(
    people: People, actor: Actor, person: str, roles: tuple[str, ...], *, correlation: str
) -> KeptPerson | Refused[Refusal]:
    """Give a person these roles and no others; tokens with the former ones count no more."""
    refused = may(people, actor, "roles-set")
    if refused is not None:
        return refused
    saved = await people.store.people.update(
        person,
        lambda known: model.set_roles(
            known,
            roles,
            among=people.roles.roles,
            actor=actor.named(person),
            now=people.now(),
        ),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    if saved.event_ids:
        await sign_out_everywhere(people, person, correlation=correlation)
    return saved.state


async def invite(
    people: People,
    actor: Actor,
    *,
    email: str,
    name: str | None,
    category: str,
    roles: tuple[str, ...],
) -> Refused[Refusal] | None:
    """Prepare an account for somebody; roles only by who may give them (DOAJ-1d1)."""
    refused = may(people, actor, "account-invite")
    if refused is None and roles:
        refused = may(people, actor, "roles-set")
    if refused is not None:
        return refused
    return await asking.invite(
        people,
        email=email,
        name=name,
        category=category,
        roles=roles,
        actor=actor.named(None),
    )


async def accesses(
    people: People, actor: Actor, person: str, *, correlation: str
) -> list[KeptLook] | Refused[Refusal]:
    """List who of the staff looked at an account, newest first: for its holder."""
    state = await permitted(people, actor, "accesses-read", person, correlation=correlation)
    if isinstance(state, Refused):
        return state
    found = await people.store.looks.where(person=person)
    return sorted(found, key=lambda one: one.access, reverse=True)


async def _shown(people: People, state: KeptPerson) -> Shown | Refused[Refusal]:
    details = await people.details(state.details)
    return details if isinstance(details, Refused) else Shown(state, details)
