"""Applications of volunteers: anybody sends one, the team reads and decides, executives archive."""

import re
from functools import partial
from typing import Final, Literal, Protocol

from aiohttp import web
from pydantic import Field

from services.accounts.api.asking import next_page
from services.accounts.api.bodies import Address, PersonName, PersonRole
from services.accounts.api.persons import NO_STORE, actor_of, client_of, within_quota
from services.accounts.api.problems import agreed, problem_of
from services.accounts.api.shown.volunteers import (
    Applied,
    Verdict,
    VolunteerItem,
    VolunteersPage,
    VolunteerView,
)
from services.accounts.commands import volunteers as commands
from services.accounts.commands.acting import Actor
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.model.volunteers import KeptVolunteer, Referee, Volunteer
from shared.events.decisions import Refused
from shared.web import Body, Unbound, body_of, correlation, json_answer, query_of

_APPLICATION: Final = re.compile(r"[0-9a-f-]{36}")


class Verb(Protocol):
    """What is done with an application and takes nothing more."""

    async def __call__(
        self, people: People, actor: Actor, application: str, /, *, correlation: str
    ) -> KeptVolunteer | Refused[Refusal]:
        """Do it."""
        ...


class NamedReferee(Body):
    """Somebody who may be asked about the applicant."""

    name: PersonName
    email: Address


class NewVolunteer(Body):
    """An application: who applies, and referees; nothing else is taken (DOAJ-1b1)."""

    name: PersonName
    email: Address
    referees: tuple[NamedReferee, ...] = Field(min_length=1, max_length=5)


class VolunteersQuery(Body):
    """Which applications: open and decided ones, or the archive."""

    archived: bool = False
    status: Literal["open", "accepted", "rejected"] | None = None
    after: str | None = Field(default=None, max_length=36)
    rows: int = Field(default=20, ge=1, le=100)


class Acceptance(Body):
    """What kind of account the applicant is offered."""

    category: PersonRole = Field(description="A category that volunteers get: rows of roles.toml.")


async def apply(people: People, request: web.Request) -> web.Response:
    """Take an application."""
    client = client_of(request)
    within_quota(people, "asks-of-a-client", client)
    body = await body_of(request, NewVolunteer)
    people.quotas.count("asks-of-a-client", client)
    agreed(
        await commands.apply(
            people,
            Volunteer(name=body.name, email=body.email),
            [Referee(name=one.name, email=one.email) for one in body.referees],
            correlation=correlation(request),
        )
    )
    return json_answer(Applied(), status=202, headers=NO_STORE)


async def listed(people: People, request: web.Request) -> web.Response:
    """List applications."""
    query = query_of(request, VolunteersQuery)
    found = agreed(
        await commands.page(
            people,
            actor_of(request),
            archived=query.archived,
            status=query.status,
            before=query.after,
            most=query.rows,
            correlation=correlation(request),
        )
    )
    following = next_page(MANY, query, states=found, mark=lambda one: one.state.application)
    items = tuple(VolunteerItem.shown(one) for one in found)
    return json_answer(VolunteersPage(items=items, next=following), headers=NO_STORE)


async def shown(people: People, request: web.Request) -> web.Response:
    """Show an application."""
    found = agreed(
        await commands.show(
            people, actor_of(request), _application_in(request), correlation=correlation(request)
        )
    )
    return json_answer(VolunteerView.whole(found), headers=NO_STORE)


async def accept(people: People, request: web.Request) -> web.Response:
    """Accept an applicant."""
    actor, application = actor_of(request), _application_in(request)
    body = await body_of(request, Acceptance)
    state = agreed(
        await commands.accept(
            people, actor, application, body.category, correlation=correlation(request)
        )
    )
    return json_answer(Verdict.of(state), headers=NO_STORE)


async def decided(verb: Verb, people: People, request: web.Request) -> web.Response:
    """Reject an applicant, or put a decided application away."""
    state = agreed(
        await verb(
            people, actor_of(request), _application_in(request), correlation=correlation(request)
        )
    )
    return json_answer(Verdict.of(state), headers=NO_STORE)


def _application_in(request: web.Request) -> str:
    said = request.match_info["application"]
    if _APPLICATION.fullmatch(said) is None:
        raise problem_of(Refusal("volunteer-unknown"))
    return said


MANY: Final = "/volunteer-applications"
ONE: Final = MANY + "/{application}"
ROUTES: Final = (
    Unbound(
        "POST",
        MANY,
        apply,
        "Apply as a volunteer, with referees",
        "none",
        request=NewVolunteer,
        responses={202: Applied},
    ),
    Unbound(
        "GET",
        MANY,
        listed,
        "List applications of volunteers: the team; the archive: executives; "
        "with `Colophon-Access-Reason`",
        "caller",
        query=VolunteersQuery,
        responses={200: VolunteersPage},
    ),
    Unbound(
        "GET",
        ONE,
        shown,
        "Read an application of a volunteer and its referees, with `Colophon-Access-Reason`",
        "caller",
        responses={200: VolunteerView},
    ),
    Unbound(
        "POST",
        ONE + "/acceptance",
        accept,
        "Accept an applicant, who is offered an account by mail",
        "caller",
        request=Acceptance,
        responses={200: Verdict},
    ),
    Unbound(
        "POST",
        ONE + "/rejection",
        partial(decided, commands.reject),
        "Reject an applicant",
        "caller",
        responses={200: Verdict},
    ),
    Unbound(
        "POST",
        ONE + "/archive",
        partial(decided, commands.archive),
        "Put a decided application away, for executives alone",
        "caller",
        responses={200: Verdict},
    ),
)
