"""Reference preferences of prefixes and accounts, their history and their receipts."""

from typing import Final

from aiohttp import web

from services.accounts import receipts
from services.accounts.api.asking import (
    READERS,
    allowed,
    organisation_in,
    preference_in,
    prefix_in,
)
from services.accounts.api.bodies import Nothing, Preference, PreferenceQuery, ReceiptQuery
from services.accounts.api.problems import agreed, no_smaller_switch, problem_of
from services.accounts.api.shown.preferences import (
    AccountPreference,
    Effective,
    History,
    OpenMember,
    OpenMembers,
    Outlet,
    PastPreference,
    PrefixPreference,
    Receipt,
)
from services.accounts.api.shown.status import Status, status
from services.accounts.commands import preferences
from services.accounts.commands.context import Accounts
from services.accounts.errors import Refusal
from services.accounts.model.prefixes import KeptPrefix, decided_at, owner_at
from shared.policy import history, setting_at
from shared.web import Problem, Unbound, correlation, json_answer, query_of


def _shown(accounts: Accounts, prefix: KeptPrefix, said: Status | None = None) -> PrefixPreference:
    effective = accounts.in_force(prefix)
    return PrefixPreference.of(prefix, effective, policy_version=accounts.policy.version, said=said)


def _without_query(request: web.Request) -> None:
    try:
        query_of(request, Nothing)
    except Problem as problem:
        raise no_smaller_switch(problem) from None


async def _own(accounts: Accounts, request: web.Request) -> KeptPrefix:
    """Return the prefix in the path, to a caller of its owner or an operator."""
    organisation = organisation_in(request)
    allowed(request, organisation, *READERS)
    return agreed(await preferences.own_prefix(accounts, organisation, prefix_in(request)))


async def choose(accounts: Accounts, request: web.Request) -> web.Response:
    """Set a prefix's own choice; 202 where it is not at the broker in time."""
    organisation = organisation_in(request)
    caller = allowed(request, organisation, "admin")
    _without_query(request)
    body = await preference_in(request, Preference)
    chosen = agreed(
        await preferences.choose(
            accounts,
            organisation,
            prefix_in(request),
            body.reference_visibility,
            actor=caller.actor,
            correlation=correlation(request),
        )
    )
    shown = _shown(accounts, chosen.prefix, status(pending=chosen.pending))
    return json_answer(
        shown, status=202 if chosen.pending else 200, headers={"Location": shown.receipt}
    )


async def one(accounts: Accounts, request: web.Request) -> web.Response:
    """Show a prefix's preference, now or as of a past date."""
    prefix = await _own(accounts, request)
    at = query_of(request, PreferenceQuery).at
    if at is None:
        return json_answer(_shown(accounts, prefix))
    if prefix.complete_since is not None and at < prefix.complete_since:
        raise problem_of(Refusal("history-not-kept"))
    fact = next((fact for fact in reversed(prefix.facts) if fact.at <= at), None)
    effective = setting_at(accounts.policy, prefix.facts, at)
    past = PastPreference(
        organisation=owner_at(prefix, at),
        prefix=prefix.prefix,
        at=at,
        reference_visibility=fact.setting if fact else None,
        account_default=fact.account_default if fact else None,
        effective=Effective.of(effective),
        policy_version=accounts.policy.version,
    )
    return json_answer(past)


async def past(accounts: Accounts, request: web.Request) -> web.Response:
    """Show every change of a prefix's preference."""
    prefix = await _own(accounts, request)
    return json_answer(History.of(prefix, history(accounts.policy, prefix.facts)))


async def receipt(accounts: Accounts, request: web.Request) -> web.Response:
    """Show since when each outlet obeys a version."""
    prefix = await _own(accounts, request)
    version = query_of(request, ReceiptQuery).version or prefix.version
    if version > prefix.version:
        raise problem_of(Refusal("version-unknown", f"The newest is {prefix.version}."))
    decided = decided_at(prefix, version)
    replicas, applied = await receipts.read(accounts.store.database, prefix.prefix)
    outlets = receipts.receipt(
        version, decided, replicas=replicas, applied=applied, now=accounts.now()
    )
    shown = Receipt(
        organisation=prefix.owner,
        prefix=prefix.prefix,
        version=version,
        decided_at=decided,
        published=await accounts.store.is_published(prefix.prefix, version),
        outlets=tuple(Outlet.of(outlet) for outlet in outlets),
    )
    return json_answer(shown)


async def choose_default(accounts: Accounts, request: web.Request) -> web.Response:
    """Set the account's one preference; its prefixes without their own follow (CRR-4)."""
    organisation = organisation_in(request)
    caller = allowed(request, organisation, "admin")
    _without_query(request)
    body = await preference_in(request, Preference)
    chosen = agreed(
        await preferences.choose_default(
            accounts,
            organisation,
            body.reference_visibility,
            actor=caller.actor,
            correlation=correlation(request),
        )
    )
    shown = AccountPreference(
        organisation=organisation,
        reference_visibility=chosen.organisation.account_default,
        prefixes=tuple(
            _shown(accounts, prefix, status(pending=prefix.prefix in chosen.pending))
            for prefix in chosen.prefixes
        ),
        status=status(pending=bool(chosen.pending)),
    )
    return json_answer(shown, status=202 if chosen.pending else 200)


async def account(accounts: Accounts, request: web.Request) -> web.Response:
    """Show an account's default and what is in force for each of its prefixes."""
    organisation = organisation_in(request)
    allowed(request, organisation, *READERS)
    owner = agreed(await accounts.organisation(organisation))
    owned = await accounts.store.prefixes_of(organisation)
    shown = AccountPreference(
        organisation=organisation,
        reference_visibility=owner.account_default,
        prefixes=tuple(_shown(accounts, prefix) for prefix in owned),
    )
    return json_answer(shown)


async def open_members(accounts: Accounts, _request: web.Request) -> web.Response:
    """List the members with some open references, from live settings."""
    found = await preferences.open_members(accounts)
    shown = OpenMembers(
        at=accounts.now(),
        policy_version=accounts.policy.version,
        members=tuple(
            OpenMember(id=member.organisation, name=member.name, prefixes=tuple(prefixes))
            for member, prefixes in found
        ),
    )
    return json_answer(shown, headers={"Cache-Control": "no-cache"})


ACCOUNT: Final = "/organisations/{organisation}/preferences"
PREFIX: Final = ACCOUNT + "/{prefix}"
ROUTES: Final = (
    Unbound(
        "PUT",
        ACCOUNT,
        choose_default,
        "Choose who may see the references of all prefixes without a choice of their own",
        "caller",
        request=Preference,
        responses={200: AccountPreference, 202: AccountPreference},
    ),
    Unbound(
        "GET",
        ACCOUNT,
        account,
        "Show an account's preference and those of its prefixes",
        "caller",
        responses={200: AccountPreference},
    ),
    Unbound(
        "PUT",
        PREFIX,
        choose,
        "Choose who may see a prefix's references",
        "caller",
        request=Preference,
        responses={200: PrefixPreference, 202: PrefixPreference},
    ),
    Unbound(
        "GET",
        PREFIX,
        one,
        "Show a prefix's preference, now or as of a date",
        "caller",
        query=PreferenceQuery,
        responses={200: PrefixPreference},
    ),
    Unbound(
        "GET",
        PREFIX + "/history",
        past,
        "Show every change of a prefix's preference",
        "caller",
        responses={200: History},
    ),
    Unbound(
        "GET",
        PREFIX + "/receipt",
        receipt,
        "Show since when each outlet obeys",
        "caller",
        query=ReceiptQuery,
        responses={200: Receipt},
    ),
    Unbound(
        "GET",
        "/reference-visibility/open-members",
        open_members,
        "List the members with some open references",
        "none",
        responses={200: OpenMembers},
    ),
)
