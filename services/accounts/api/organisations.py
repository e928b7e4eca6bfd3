"""Organisations and their prefixes."""

from typing import Final

from aiohttp import web

from services.accounts.api.asking import READERS, allowed, next_page, organisation_in
from services.accounts.api.bodies import (
    NewOrganisation,
    NewPrefix,
    OrganisationChanges,
    OrganisationsQuery,
)
from services.accounts.api.problems import agreed
from services.accounts.api.shown.registry import Organisation, Organisations, Prefix, Prefixes
from services.accounts.commands import organisations
from services.accounts.commands.context import Accounts
from services.accounts.model.organisations import Assignment, Described, KeptOrganisation
from shared.web import Unbound, body_of, correlation, json_answer, query_of


async def register(accounts: Accounts, request: web.Request) -> web.Response:
    """Enter an organisation."""
    body = await body_of(request, NewOrganisation)
    saved = agreed(
        await organisations.register(
            accounts,
            body.id,
            Described(body.name, body.names, body.location),
            correlation=correlation(request),
        )
    )
    return json_answer(
        Organisation.of(saved.state),
        status=201 if saved.event_ids else 200,
        headers={"Location": f"/organisations/{body.id}"},
    )


async def listed(accounts: Accounts, request: web.Request) -> web.Response:
    """List organisations by number, or find them by name."""
    query = query_of(request, OrganisationsQuery)
    if query.name is not None:
        found = await accounts.store.organisations_named(query.name)
        states = sorted(found, key=lambda one: one.organisation)
        return json_answer(Organisations(organisations=_shown(states), next=None))
    numbers = accounts.numbers.page(after=query.after, most=query.rows)
    known = await accounts.store.organisations.load_many(numbers)
    states = [known[number] for number in numbers]
    following = next_page("/organisations", query, states=states, mark=lambda one: one.organisation)
    return json_answer(Organisations(organisations=_shown(states), next=following))


def _shown(states: list[KeptOrganisation]) -> tuple[Organisation, ...]:
    return tuple(Organisation.of(state) for state in states)


async def one(accounts: Accounts, request: web.Request) -> web.Response:
    """Show an organisation to itself or to an operator."""
    organisation = organisation_in(request)
    allowed(request, organisation, *READERS)
    return json_answer(Organisation.of(agreed(await accounts.organisation(organisation))))


async def describe(accounts: Accounts, request: web.Request) -> web.Response:
    """Change an organisation's names or location."""
    body = await body_of(request, OrganisationChanges)
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    saved = agreed(
        await organisations.describe(
            accounts, organisation_in(request), changes, correlation=correlation(request)
        )
    )
    return json_answer(Organisation.of(saved.state))


async def assign(accounts: Accounts, request: web.Request) -> web.Response:
    """Give an organisation a prefix."""
    organisation = organisation_in(request)
    body = await body_of(request, NewPrefix)
    assignment = Assignment(
        prefix=body.prefix,
        name=body.name,
        setting=body.reference_visibility,
        since=body.since,
    )
    prefix, new = agreed(
        await organisations.assign_prefix(
            accounts, organisation, assignment, correlation=correlation(request)
        )
    )
    await accounts.pending(accounts.store.prefixes, [prefix.prefix])
    where = f"/organisations/{organisation}/preferences/{prefix.prefix}"
    return json_answer(Prefix.of(prefix), status=201 if new else 200, headers={"Location": where})


async def prefixes(accounts: Accounts, request: web.Request) -> web.Response:
    """List an organisation's prefixes."""
    organisation = organisation_in(request)
    allowed(request, organisation, *READERS)
    agreed(await accounts.organisation(organisation))
    owned = await accounts.store.prefixes_of(organisation)
    return json_answer(Prefixes(prefixes=tuple(Prefix.of(state) for state in owned)))


ROUTES: Final = (
    Unbound(
        "POST",
        "/organisations",
        register,
        "Enter an organisation",
        "operator",
        request=NewOrganisation,
        responses={201: Organisation, 200: Organisation},
    ),
    Unbound(
        "GET",
        "/organisations",
        listed,
        "List organisations, or find them by name",
        "operator",
        query=OrganisationsQuery,
        responses={200: Organisations},
    ),
    Unbound(
        "GET",
        "/organisations/{organisation}",
        one,
        "Show an organisation",
        "caller",
        responses={200: Organisation},
    ),
    Unbound(
        "PATCH",
        "/organisations/{organisation}",
        describe,
        "Change an organisation's names or location",
        "operator",
        request=OrganisationChanges,
        responses={200: Organisation},
    ),
    Unbound(
        "POST",
        "/organisations/{organisation}/prefixes",
        assign,
        "Give an organisation a prefix",
        "operator",
        request=NewPrefix,
        responses={201: Prefix, 200: Prefix},
    ),
    Unbound(
        "GET",
        "/organisations/{organisation}/prefixes",
        prefixes,
        "List an organisation's prefixes",
        "caller",
        responses={200: Prefixes},
    ),
)
