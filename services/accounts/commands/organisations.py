"""Organisations and the prefixes they are given."""

from typing import Final

from services.accounts.commands.context import Accounts
from services.accounts.commands.settling import settle_organisation
from services.accounts.errors import Refusal
from services.accounts.model import organisations, prefixes
from services.accounts.model.organisations import (
    Assignment,
    Described,
    KeptOrganisation,
    Taking,
)
from services.accounts.model.prefixes import KeptPrefix
from shared.mongo import Refused, Saved
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient

TRIES: Final = 5  # changes of a prefix while it is being given away


async def register(
    accounts: Accounts, organisation: int, said: Described, *, correlation: str
) -> Saved[KeptOrganisation] | Refused[Refusal]:
    """Enter an organisation; ``event_ids`` of the answer are empty where it was there already."""
    now = accounts.now()
    return await accounts.store.organisations.update(
        organisation,
        lambda known: organisations.register(known, organisation, said, now=now),
        correlation=correlation,
    )


async def describe(
    accounts: Accounts,
    organisation: int,
    changes: dict[str, object],
    *,
    correlation: str,
) -> Saved[KeptOrganisation] | Refused[Refusal]:
    """Change what ``changes`` name: name, names (the other ones), location."""

    def decide(known: KeptOrganisation | None) -> organisations.Decided:
        if known is None:
            return Refused(Refusal("organisation-unknown"))
        return organisations.describe(known, _described(known, changes))

    return await accounts.store.organisations.update(organisation, decide, correlation=correlation)


def _described(known: KeptOrganisation, changes: dict[str, object]) -> Described:
    said: dict[str, object] = {
        "name": known.name,
        "names": tuple(name for name in known.names if name != known.name),
        "location": known.location,
    }
    return Described(**(said | changes))  # type: ignore[arg-type]


async def assign_prefix(
    accounts: Accounts, organisation: int, assignment: Assignment, *, correlation: str
) -> tuple[KeptPrefix, bool] | Refused[Refusal]:
    """Give an organisation a prefix; the second of the answer says whether that is new.

    The promise stands in the organisation's document first; settling makes the prefix and looks at
    the organisation again afterwards, so that an account default set meanwhile is not missed.
    """
    owner = await accounts.organisation(organisation)
    if isinstance(owner, Refused):
        return owner
    known = await accounts.store.prefixes.load(assignment.prefix)
    if known is None:
        now = accounts.now()
        promised = await accounts.store.organisations.update(
            organisation, lambda state: organisations.promise(state, assignment, now=now)
        )
        if isinstance(promised, Refused):
            return promised
        await settle_organisation(accounts, organisation, correlation=correlation)
    # Whoever came first has it; the same decision says which of the two it was for us.
    made = await accounts.store.prefixes.load(assignment.prefix)
    judged = prefixes.assign(made, assignment, owner, said=accounts.said("operator"))
    if isinstance(judged, Refused):
        return judged
    return judged.state, known is None


async def transfer_prefix(
    accounts: Accounts,
    prefix: str,
    organisation: int,
    *,
    name: str | None,
    seen: int | None,
    correlation: str,
) -> tuple[KeptPrefix, bool] | Refused[Refusal]:
    """Give a prefix to another organisation; the second of the answer is whether it is pending.

    ``name`` is its publisher name from now on, by default the organisation's; ``seen`` the version
    it must have. Idempotent: a prefix that the organisation owns stays as it is. A choice of its
    owner's in between is no reason to refuse where no version was named, another owner is.
    """
    owner = await accounts.organisation(organisation)
    if isinstance(owner, Refused):
        return owner
    giver: int | None = None
    for _ in range(TRIES):
        known = await accounts.store.prefixes.load(prefix)
        if known is None:
            return Refused(Refusal("prefix-unknown"))
        if known.owner == organisation:
            if name not in {None, known.owner_name}:
                return Refused(Refusal("prefix-assigned-differently"))
            return known, bool(await accounts.pending(accounts.store.prefixes, [prefix]))
        giver = giver or known.owner
        if seen not in {None, known.version} or known.owner != giver:
            return Refused(prefixes.moved_on(known))
        taking = Taking(prefix=prefix, name=name or owner.name, seen=known.version)
        promised = await accounts.store.organisations.update(
            organisation,
            lambda state, taking=taking: organisations.take_over(state, taking),  # type: ignore[misc]
        )
        if isinstance(promised, Refused):
            return promised
        crashpoint("accounts.preference-written")
        await settle_organisation(accounts, organisation, correlation=correlation)
    raise Transient("this prefix is changed by too many at once")
