"""Accounts of people: asked for, read and mended. Nobody hears of an account that is not theirs."""

from typing import Final

from aiohttp import web

from services.accounts.api.bodies import (
    AskedCode,
    Details,
    GivenRoles,
    InvitedPerson,
    NewPassword,
    NewPerson,
)
from services.accounts.api.persons import (
    NO_STORE,
    actor_of,
    client_of,
    person_in,
    within_quota,
)
from services.accounts.api.problems import agreed
from services.accounts.api.shown.people import Access, Accesses, Account, Mailed, Roles
from services.accounts.commands import asking
from services.accounts.commands import people as commands
from services.accounts.commands.persons import People
from shared.events.decisions import Refused
from shared.web import Unbound, body_of, correlation, json_answer

MAILED: Final = Mailed()


async def register(people: People, request: web.Request) -> web.Response:
    """Ask for an account; the answer is the same whether or not the address has one."""
    client = client_of(request)
    within_quota(people, "asks-of-a-client", client)
    body = await body_of(request, NewPerson)
    people.quotas.count("asks-of-a-client", client)
    refused = await asking.register(people, email=body.email, name=body.name)
    return _mailed(refused)


async def invite(people: People, request: web.Request) -> web.Response:
    """Prepare an account for somebody, who is told by mail."""
    actor = actor_of(request)
    body = await body_of(request, InvitedPerson)
    refused = await commands.invite(
        people,
        actor,
        email=body.email,
        name=body.name,
        category=body.category,
        roles=body.roles,
    )
    return _mailed(refused)


async def shown(people: People, request: web.Request) -> web.Response:
    """Show an account to its holder, or to staff with a reason."""
    actor = actor_of(request, scope="details")
    found = agreed(
        await commands.show(people, actor, person_in(request), correlation=correlation(request))
    )
    return json_answer(Account.shown(found), headers=NO_STORE)


async def found(people: People, request: web.Request) -> web.Response:
    """Show staff the account that has an address, which stands in no URL."""
    actor = actor_of(request)
    body = await body_of(request, AskedCode)
    account = agreed(
        await commands.find(people, actor, body.email, correlation=correlation(request))
    )
    return json_answer(Account.shown(account), headers=NO_STORE)


async def mend(people: People, request: web.Request) -> web.Response:
    """Replace a person's details."""
    actor, person = actor_of(request), person_in(request)
    body = await body_of(request, Details)
    mended = agreed(
        await commands.mend(
            people,
            actor,
            person,
            name=body.name,
            email=body.email,
            correlation=correlation(request),
        )
    )
    status = 202 if mended.address_pending else 200
    return json_answer(Account.shown(mended), status=status, headers=NO_STORE)


async def set_password(people: People, request: web.Request) -> web.Response:
    """Choose a password."""
    actor, person = actor_of(request), person_in(request)
    body = await body_of(request, NewPassword)
    password = body.password.get_secret_value()
    agreed(
        await commands.set_password(
            people, actor, person, password, correlation=correlation(request)
        )
    )
    return web.Response(status=204)


async def reset_password(people: People, request: web.Request) -> web.Response:
    """Void somebody's password."""
    refused = await commands.reset_password(
        people, actor_of(request), person_in(request), correlation=correlation(request)
    )
    return _mailed(refused)


async def set_roles(people: People, request: web.Request) -> web.Response:
    """Give a person these roles and no others."""
    actor, person = actor_of(request), person_in(request)
    body = await body_of(request, GivenRoles)
    state = agreed(
        await commands.set_roles(
            people, actor, person, body.roles, correlation=correlation(request)
        )
    )
    return json_answer(Roles.of(state))


async def accesses(people: People, request: web.Request) -> web.Response:
    """List who of the staff looked at an account, for its holder."""
    looks = agreed(
        await commands.accesses(
            people, actor_of(request), person_in(request), correlation=correlation(request)
        )
    )
    return json_answer(Accesses(accesses=tuple(Access.of(one) for one in looks)))


def _mailed(refused: Refused | None) -> web.Response:  # type: ignore[type-arg]
    if refused is not None:
        agreed(refused)
    return json_answer(MAILED, status=202, headers=NO_STORE)


ONE: Final = "/people/{person}"
ROUTES: Final = (
    Unbound(
        "POST",
        "/people",
        register,
        "Ask for an account; a code comes by mail",
        "none",
        request=NewPerson,
        responses={202: Mailed},
    ),
    Unbound(
        "POST",
        "/people/invitations",
        invite,
        "Prepare an account for somebody, who is told by mail",
        "caller",
        request=InvitedPerson,
        responses={202: Mailed},
    ),
    Unbound(
        "POST",
        "/people/lookups",
        found,
        "Find an account by its address: staff, with `Colophon-Access-Reason`",
        "caller",
        request=AskedCode,
        responses={200: Account},
    ),
    Unbound(
        "GET",
        ONE,
        shown,
        "Read an account: its holder, or staff with `Colophon-Access-Reason`",
        "caller",
        responses={200: Account},
    ),
    Unbound(
        "PUT",
        ONE,
        mend,
        "Mend details: their holder, or staff with `Colophon-Access-Reason: update`",
        "caller",
        request=Details,
        responses={200: Account, 202: Account},
    ),
    Unbound(
        "PUT",
        ONE + "/password",
        set_password,
        "Choose a password; all sign-ins end",
        "caller",
        request=NewPassword,
        responses={204: "It counts from now on."},
    ),
    Unbound(
        "POST",
        ONE + "/password-resets",
        reset_password,
        "Void a password: staff with `Colophon-Access-Reason: reset-password`",
        "caller",
        responses={202: Mailed},
    ),
    Unbound(
        "PUT",
        ONE + "/roles",
        set_roles,
        "Give a person these roles and no others",
        "caller",
        request=GivenRoles,
        responses={200: Roles},
    ),
    Unbound(
        "GET",
        ONE + "/accesses",
        accesses,
        "List who of the staff looked at one's account",
        "caller",
        responses={200: Accesses},
    ),
)
