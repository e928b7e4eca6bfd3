"""The reference preference: a prefix's own choice, the account's default, and support requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from services.accounts.commands.context import Accounts
from services.accounts.commands.settling import settle_organisation, settle_request
from services.accounts.errors import Refusal
from services.accounts.model import organisations, prefixes, requests
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.prefixes import KeptPrefix
from services.accounts.model.requests import Form, KeptRequest
from services.accounts.store import choice_of
from shared.events import Setting
from shared.mongo import Refused, Unchanged
from shared.policy import effective_setting
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id

SETTINGS: tuple[Setting | None, ...] = (None, *get_args(Setting))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A prefix after a choice; ``pending`` while its readers have not been told."""

    prefix: KeptPrefix
    pending: bool


@dataclass(frozen=True, slots=True)
class DefaultChosen:
    """An account after a choice; ``pending`` are the prefixes whose readers have not been told."""

    organisation: KeptOrganisation
    prefixes: Sequence[KeptPrefix]
    pending: frozenset[str]


async def own_prefix(
    accounts: Accounts, organisation: int, prefix: str
) -> KeptPrefix | Refused[Refusal]:
    """Return a prefix that the organisation owns."""
    found = await accounts.store.prefixes.load(prefix)
    if found is None or found.owner != organisation:
        return Refused(prefixes.not_owned())
    return found


async def choose(
    accounts: Accounts,
    organisation: int,
    prefix: str,
    setting: Setting | None,
    *,
    actor: str,
    correlation: str,
) -> Chosen | Refused[Refusal]:
    """Set a prefix's own choice; it takes effect when the broker has it, which is waited for."""
    said = accounts.said(actor)
    saved = await accounts.store.prefixes.update(
        prefix,
        lambda known: prefixes.choose(known, organisation, setting, said=said),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    crashpoint("accounts.preference-written")
    return Chosen(saved.state, bool(await accounts.pending(accounts.store.prefixes, [prefix])))


async def choose_default(
    accounts: Accounts,
    organisation: int,
    setting: Setting | None,
    *,
    actor: str,
    correlation: str,
) -> DefaultChosen | Refused[Refusal]:
    """Set the account's one preference, and each prefix's copy of it (CRR-4)."""
    saved = await accounts.store.organisations.update(
        organisation,
        lambda known: organisations.choose_default(known, setting, actor=actor),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    crashpoint("accounts.preference-written")
    await settle_organisation(accounts, organisation, correlation=correlation)
    owned = await accounts.store.prefixes_of(organisation)
    pending = await accounts.pending(accounts.store.prefixes, [one.prefix for one in owned])
    return DefaultChosen(saved.state, owned, pending)


async def ask(
    accounts: Accounts, form: Form, *, correlation: str
) -> tuple[KeptRequest, bool] | Refused[Refusal]:
    """Judge a support request and carry it out; the second of the answer is whether it is pending.

    The request is on record before the first prefix changes, so a crash in between is finished.
    """
    if refusal := requests.complete(form):
        return Refused(refusal)
    request, store = new_id(), accounts.store
    named = await store.organisations_named(form.organisation)
    owned = await store.prefixes.load_many(form.prefixes)
    judged = requests.judge(form, named, owned, request=request, now=accounts.now())
    if isinstance(judged, Refused):
        return judged
    await store.requests.update(request, lambda known: Unchanged(known) if known else judged)
    crashpoint("accounts.preference-written")
    done = await settle_request(accounts, request, correlation=correlation) or judged.state
    return done, bool(await accounts.pending(store.prefixes, done.prefixes))


async def open_members(accounts: Accounts) -> list[tuple[KeptOrganisation, list[str]]]:
    """Return the organisations with open references, by live settings, and their open prefixes."""
    now = accounts.now()
    choices = [
        choice_of(own, default)
        for own in SETTINGS
        for default in SETTINGS
        if effective_setting(accounts.policy, own, default, now).setting == "open"
    ]
    owned: dict[int, list[str]] = {}
    for choice in choices:
        for prefix in await accounts.store.prefixes.where(choice=choice):
            owned.setdefault(prefix.owner, []).append(prefix.prefix)
    members = await accounts.store.organisations.load_many(sorted(owned))
    return [(members[number], sorted(owned[number])) for number in sorted(members)]
