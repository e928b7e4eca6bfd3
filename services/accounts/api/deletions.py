"""Deletions of accounts: asked for, shown, taken back; and who takes the journals over."""

from typing import Final

from aiohttp import web
from pydantic import Field, SecretStr

from services.accounts.api.bodies import Address, PersonName
from services.accounts.api.persons import (
    NO_STORE,
    actor_of,
    claims_of,
    client_of,
    person_in,
    within_quota,
)
from services.accounts.api.problems import agreed
from services.accounts.api.shown.deletions import Deletion, TakenOver
from services.accounts.api.shown.people import Mailed, Roles
from services.accounts.api.sign_ins import TRIED
from services.accounts.commands import deletions as commands
from services.accounts.commands.persons import People
from shared.events.decisions import Refused
from shared.web import Body, Unbound, body_of, correlation, json_answer


class NamedReplacement(Body):
    """Who is asked to take the journals over."""

    email: Address
    name: PersonName | None = None


class Acceptance(Body):
    """The code that was mailed to whoever is asked."""

    code: SecretStr = Field(max_length=100)


async def ask(people: People, request: web.Request) -> web.Response:
    """Ask that an account be deleted."""
    actor, person = actor_of(request), person_in(request)
    standing = agreed(await commands.ask(people, actor, person, correlation=correlation(request)))
    return json_answer(Deletion.of(standing), status=202, headers=NO_STORE)


async def shown(people: People, request: web.Request) -> web.Response:
    """Show what a deletion waits for."""
    actor, person = actor_of(request), person_in(request)
    standing = agreed(await commands.show(people, actor, person, correlation=correlation(request)))
    return json_answer(Deletion.of(standing), headers=NO_STORE)


async def take_back(people: People, request: web.Request) -> web.Response:
    """Take a deletion back."""
    actor, person = actor_of(request), person_in(request)
    state = agreed(
        await commands.take_back(people, actor, person, correlation=correlation(request))
    )
    return json_answer(Roles.of(state), headers=NO_STORE)


async def offer(people: People, request: web.Request) -> web.Response:
    """Ask somebody to take the journals over; the answer does not tell whether they are known."""
    actor, person = actor_of(request), person_in(request)
    body = await body_of(request, NamedReplacement)
    refused = await commands.offer(
        people,
        actor,
        person,
        email=body.email,
        name=body.name,
        correlation=correlation(request),
    )
    if refused is not None:
        agreed(refused)
    return json_answer(Mailed(), status=202, headers=NO_STORE)


async def accept(people: People, request: web.Request) -> web.Response:
    """Take journals over, by whoever has the address that was asked."""
    claims_of(request)  # an API key accepts nothing for its holder
    client = client_of(request)
    within_quota(people, TRIED, client)
    body = await body_of(request, Acceptance)
    done = await commands.accept(
        people,
        actor_of(request),
        body.code.get_secret_value(),
        correlation=correlation(request),
    )
    if isinstance(done, Refused):
        people.quotas.count(TRIED, client)
    return json_answer(TakenOver(journals=agreed(done)), status=202, headers=NO_STORE)


ONE: Final = "/people/{person}/deletion"
ROUTES: Final = (
    Unbound(
        "POST",
        ONE,
        ask,
        "Ask that an account be deleted: holder, or staff with `Colophon-Access-Reason: delete`",
        "caller",
        responses={202: Deletion},
    ),
    Unbound(
        "GET",
        ONE,
        shown,
        "Read what a deletion waits for",
        "caller",
        responses={200: Deletion},
    ),
    Unbound(
        "DELETE",
        ONE,
        take_back,
        "Take a deletion back that was not carried out",
        "caller",
        responses={200: Roles},
    ),
    Unbound(
        "POST",
        ONE + "/replacement",
        offer,
        "Ask somebody, by mail, to take the journals over",
        "caller",
        request=NamedReplacement,
        responses={202: Mailed},
    ),
    Unbound(
        "POST",
        "/replacements",
        accept,
        "Take over the journals that a mailed code offers; only whoever has its address",
        "caller",
        request=Acceptance,
        responses={202: TakenOver},
    ),
)
