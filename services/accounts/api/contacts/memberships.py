"""Memberships: applied for by anybody, put on record by operators."""

from functools import partial
from typing import Final

from aiohttp import web

from services.accounts.api.asking import next_page
from services.accounts.api.contacts.bodies import MembershipsQuery, NewMembership, StepDone
from services.accounts.api.persons import NO_STORE, client_of, within_quota
from services.accounts.api.problems import agreed, there
from services.accounts.api.shown.memberships import Applied, Membership, Memberships
from services.accounts.commands.contacts import memberships
from services.accounts.commands.contacts.context import Contacting
from services.accounts.model.contacts import ContactDetails
from services.accounts.model.memberships import End
from services.accounts.model.organisations import Described
from shared.web import Unbound, body_of, caller_of, correlation, json_answer, query_of


async def apply(contacting: Contacting, request: web.Request) -> web.Response:
    """Keep an application, whoever sends it."""
    client = client_of(request)
    within_quota(contacting.people, "asks-of-a-client", client)
    body = await body_of(request, NewMembership)
    contacting.people.quotas.count("asks-of-a-client", client)
    named = {
        role: ContactDetails(name=one.name, email=one.email) for role, one in body.contacts.items()
    }
    said = Described(body.organisation, location=body.location)
    kept = agreed(
        await memberships.apply(contacting, said, named, correlation=correlation(request))
    )
    return json_answer(Applied.told(kept), status=201, headers=NO_STORE)


async def listed(contacting: Contacting, request: web.Request) -> web.Response:
    """List applications, newest first."""
    query = query_of(request, MembershipsQuery)
    states = await contacting.store.newest_memberships(
        query.status, before=query.after, most=query.rows
    )
    following = next_page(ALL, query, states=states, mark=lambda one: one.application)
    shown = tuple(Membership.of(state) for state in states)
    return json_answer(Memberships(memberships=shown, next=following))


async def one(contacting: Contacting, request: web.Request) -> web.Response:
    """Show an application."""
    found = await contacting.store.memberships.load(_application(request))
    return json_answer(Membership.of(there(found, "membership-unknown")))


async def record(contacting: Contacting, request: web.Request) -> web.Response:
    """Put a step on record; with the last of them the membership is active."""
    body = await body_of(request, StepDone)
    state = agreed(
        await memberships.record(
            contacting,
            _application(request),
            request.match_info["step"],
            body.on,
            actor=caller_of(request).actor,
            correlation=correlation(request),
        )
    )
    return json_answer(Membership.of(state))


async def end(how: End, contacting: Contacting, request: web.Request) -> web.Response:
    """Refuse or withdraw an application."""
    state = agreed(
        await memberships.end(
            contacting,
            _application(request),
            how,
            actor=caller_of(request).actor,
            correlation=correlation(request),
        )
    )
    return json_answer(Membership.of(state))


def _application(request: web.Request) -> str:
    return request.match_info["application"]


ALL: Final = "/membership-applications"
ONE: Final = ALL + "/{application}"
ROUTES: Final = (
    Unbound(
        "POST",
        ALL,
        apply,
        "Apply for membership, naming the required contacts",
        "none",
        request=NewMembership,
        responses={201: Applied},
    ),
    Unbound(
        "GET",
        ALL,
        listed,
        "List applications, newest first",
        "operator",
        query=MembershipsQuery,
        responses={200: Memberships},
    ),
    Unbound("GET", ONE, one, "Show an application", "operator", responses={200: Membership}),
    Unbound(
        "PUT",
        ONE + "/steps/{step}",
        record,
        "Put approval, contract or fee on record",
        "operator",
        request=StepDone,
        responses={200: Membership},
    ),
    Unbound(
        "POST",
        ONE + "/refusal",
        partial(end, "refused"),
        "Refuse an application",
        "operator",
        responses={200: Membership},
    ),
    Unbound(
        "POST",
        ONE + "/withdrawal",
        partial(end, "withdrawn"),
        "Note that an application was taken back",
        "operator",
        responses={200: Membership},
    ),
)
