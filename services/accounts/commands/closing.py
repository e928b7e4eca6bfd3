"""Carrying deletions out: what deposits answers, and everything that then goes with an account.

The person's document is closed first, on condition that this deletion still stands; that is the
promise. What follows may be done again: the answer is read again until all of it was done.
"""

from datetime import datetime
from functools import partial
from typing import Final

from services.accounts.commands.persons import People
from services.accounts.model import access, addresses, deletions
from services.accounts.model.people import KeptPerson
from services.accounts.store import of_people
from shared.events import OwnerState
from shared.events.decisions import Refused
from shared.runtime.crashpoints import crashpoint

GONE: Final = "account-deleted"


async def released(people: People, told: OwnerState, correlation: str | None) -> None:
    """Delete the account that nothing hangs on any more, if that is still wanted."""
    if told.released is not None:
        await close(people, told.person, told.released, correlation=correlation)


async def close(people: People, person: str, attempt: int, *, correlation: str | None) -> None:
    """Delete an account if this deletion still stands, or finish what was begun of it.

    Keys stay: to destroy them is the erasure of a person, which retention alone does.
    """
    saved = await people.store.people.update(
        person,
        lambda known: deletions.close(known, attempt=attempt, now=people.now()),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return
    state = saved.state
    if state.status != "closed" or state.closing is None or state.closing.attempt != attempt:
        return
    crashpoint("accounts.account-closed")
    await end_access(people, state, correlation=correlation)
    crashpoint("accounts.sign-ins-ended")
    await _free_addresses(people, person)
    await people.mails.queue.drop(person, GONE)


async def end_access(people: People, state: KeptPerson, *, correlation: str | None) -> None:
    """End all sign-ins of a closed account and revoke its keys; once, however often it is asked."""
    await _end_sign_ins(people, state, correlation)
    await _revoke_keys(people, state, correlation)


def closed_at(state: KeptPerson) -> datetime:
    """Return when a closed account was closed: nothing happens to it afterwards."""
    return state.facts[-1].at


async def _end_sign_ins(people: People, state: KeptPerson, correlation: str | None) -> None:
    key = of_people(access.credential_of(state.person))
    ended = await people.store.accesses.load(key)
    if ended is None or ended.tokens_since is None or ended.tokens_since < closed_at(state):
        await people.store.accesses.update(
            key,
            lambda known: access.sign_out_everywhere(known, state.person, now=people.now()),
            correlation=correlation,
        )


async def _revoke_keys(people: People, state: KeptPerson, correlation: str | None) -> None:
    actor = state.facts[-1].actor
    for held in await people.store.keys.where(key_of=state.person):
        await people.store.keys.update(
            of_people(held.credential),
            partial(access.revoke_key, person=state.person, actor=actor, now=people.now()),
            correlation=correlation,
        )


async def _free_addresses(people: People, person: str) -> None:
    for claim in await people.store.claims.where(person=person):
        await people.store.claims.update(claim.index, partial(addresses.free, person=person))
