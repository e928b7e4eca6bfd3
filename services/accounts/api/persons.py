"""What handlers about people read from a request: who acts, why, and about whom."""

import math
import re
from typing import Final

from aiohttp import web

from services.accounts.api.problems import problem_of
from services.accounts.commands.acting import Actor
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from shared.policy.signing_in import Limit
from shared.privacy.tokens import Claims
from shared.web import Problem, caller_of, unauthorised
from shared.web.backoff import network

REASON: Final = "Colophon-Access-Reason"
TICKET: Final = "Colophon-Access-Ticket"
OPERATOR: Final = frozenset({"operator"})
NO_STORE: Final = {"Cache-Control": "no-store"}
_TICKET: Final = re.compile(r"[A-Za-z0-9#._-]{1,64}")
_PERSON: Final = re.compile(r"p[0-9a-f]{32}")


def actor_of(request: web.Request, *, scope: str | None = None) -> Actor:
    """Return who acts; ``scope`` is what an API key must be good for, None where none will do."""
    caller = caller_of(request)
    if caller.kind == "operator":
        return Actor(None, OPERATOR)
    person = caller.person
    if person is None:
        raise unauthorised("Sign in: Authorization: Bearer <token>.")
    if person.claims is None and scope not in person.scopes:
        raise _refused(Refusal("not-permitted", "The key was not made for this.", "DOAJ-1d2"))
    return Actor(
        person.person, person.roles, request.headers.get(REASON), ticket=_ticket_in(request)
    )


def claims_of(request: web.Request) -> Claims:
    """Return the signed token that the request shows; raises ``Problem`` 401 where it has none."""
    person = caller_of(request).person
    if person is None or person.claims is None:
        raise unauthorised("Sign in: Authorization: Bearer <token>.")
    return person.claims


def person_in(request: web.Request) -> str:
    """Return the person in the path; what cannot be one is unknown."""
    said = request.match_info["person"]
    if _PERSON.fullmatch(said) is None:
        raise _refused(Refusal("person-unknown"))
    return said


def client_of(request: web.Request) -> str:
    """Return what one client can hardly leave."""
    return network(request.remote or "unknown")


def within_quota(people: People, limit: Limit, client: str) -> None:
    """Refuse a client that has had its share; raises ``Problem`` 429."""
    wait = people.quotas.wait(limit, client)
    if wait > 0:
        problem = _refused(Refusal("too-many-asks"))
        problem.headers = {"Retry-After": str(math.ceil(wait))}
        raise problem


def _ticket_in(request: web.Request) -> str | None:
    said = request.headers.get(TICKET)
    if said is not None and _TICKET.fullmatch(said) is None:
        raise Problem(400, "ticket-unreadable", "A ticket's number has at most 64 of A-Za-z0-9#._-")
    return said


def _refused(refusal: Refusal) -> Problem:
    return problem_of(refusal)
