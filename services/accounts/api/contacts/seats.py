"""Contacts of organisations by role: for the organisation itself, staff and operators.

Whether a caller may is found before anything is looked at, so that no answer tells of a contact.
"""

from typing import Final, Protocol

from aiohttp import web

from services.accounts.api.asking import organisation_in
from services.accounts.api.contacts.bodies import NewContact
from services.accounts.api.persons import NO_STORE, actor_of
from services.accounts.api.problems import agreed, problem_of
from services.accounts.api.shown.contacts import Contact, Contacts
from services.accounts.commands.acting import Actor, may
from services.accounts.commands.contacts import seats
from services.accounts.commands.contacts.context import Contacting
from services.accounts.errors import Refusal
from services.accounts.model.contacts import ContactDetails, KeptSeat
from shared.events.decisions import Refused
from shared.web import Unbound, body_of, caller_of, correlation, json_answer

WRITE: Final = "contacts-write"


class Verb(Protocol):
    """What is done with a seat and takes nothing more."""

    async def __call__(
        self,
        contacting: Contacting,
        organisation: int,
        role: str,
        /,
        *,
        actor: str,
        correlation: str,
    ) -> KeptSeat | Refused[Refusal]:
        """Do it."""
        ...


async def listed(contacting: Contacting, request: web.Request) -> web.Response:
    """List an organisation's contacts; an operator sees no name and no address."""
    organisation = organisation_in(request)
    own = _own(request, organisation)
    found = agreed(
        await seats.listed(
            contacting,
            organisation,
            clear=own,
            reader=None if own else _reader(contacting, request),
            correlation=correlation(request),
        )
    )
    shown = Contacts(contacts=tuple(Contact.of(one) for one in found))
    return json_answer(shown, headers=NO_STORE)


async def name(contacting: Contacting, request: web.Request) -> web.Response:
    """Give a role to somebody, who is asked by mail."""
    organisation = organisation_in(request)
    actor = _actor(contacting, request, organisation)
    body = await body_of(request, NewContact)
    named = agreed(
        await seats.name(
            contacting,
            organisation,
            request.match_info["role"],
            ContactDetails(name=body.name, email=body.email),
            actor=actor,
            correlation=correlation(request),
        )
    )
    return await _shown(contacting, request, named)


async def remove(contacting: Contacting, request: web.Request) -> web.Response:
    """Take a role from its contact."""
    actor = _actor(contacting, request, organisation_in(request))
    return await _changed(contacting, request, actor, seats.remove)


async def opted_out(contacting: Contacting, request: web.Request) -> web.Response:
    """Enter that a contact opted out, as they told staff."""
    organisation_in(request)
    return await _changed(contacting, request, _staff(contacting, request), seats.leave_by_staff)


async def _changed(
    contacting: Contacting, request: web.Request, actor: str, verb: Verb
) -> web.Response:
    state = agreed(
        await verb(
            contacting,
            organisation_in(request),
            request.match_info["role"],
            actor=actor,
            correlation=correlation(request),
        )
    )
    return await _shown(contacting, request, state)


def _own(request: web.Request, organisation: int) -> bool:
    caller = caller_of(request)
    return caller.kind == "role" and caller.may("admin", organisation)


def _reader(contacting: Contacting, request: web.Request) -> Actor | None:
    """Return who of the staff reads names and addresses, None for who writes and does not read.

    Raises ``Problem`` 401 or 403 for anybody else, and for staff without a reason.
    """
    reader = _somebody(request)
    refused = may(contacting.people, reader, seats.READ)
    if refused is None:
        return reader
    if refused.reason.slug == "not-permitted" and may(contacting.people, reader, WRITE) is None:
        return None
    raise problem_of(refused.reason)


def _actor(contacting: Contacting, request: web.Request, organisation: int) -> str:
    """Return what facts call whoever changes a contact; raises ``Problem`` 401 or 403."""
    if _own(request, organisation):
        return f"organisation:{organisation}"
    return _staff(contacting, request)


def _staff(contacting: Contacting, request: web.Request) -> str:
    actor = _somebody(request)
    refused = may(contacting.people, actor, WRITE)
    if refused is not None:
        raise problem_of(refused.reason)
    return actor.named(None)


def _somebody(request: web.Request) -> Actor:
    if caller_of(request).kind not in {"operator", "person"}:
        raise problem_of(Refusal("not-permitted", rule="CRP-4c"))
    return actor_of(request)


async def _shown(contacting: Contacting, request: web.Request, state: KeptSeat) -> web.Response:
    """Answer a change; staff see name and address in the list, where each look is on record."""
    clear = _own(request, state.organisation)
    [found] = await seats.shown(contacting, [state], clear=clear)
    return json_answer(Contact.of(found), headers=NO_STORE)


ALL: Final = "/organisations/{organisation}/contacts"
ONE: Final = ALL + "/{role}"
ROUTES: Final = (
    Unbound(
        "GET",
        ALL,
        listed,
        "List an organisation's contacts; names and addresses for itself, and for staff with "
        "`Colophon-Access-Reason`",
        "caller",
        responses={200: Contacts},
    ),
    Unbound(
        "PUT",
        ONE,
        name,
        "Name a contact for a role, in whosoever's place; a mail asks whether they agree",
        "caller",
        request=NewContact,
        responses={200: Contact},
    ),
    Unbound(
        "DELETE", ONE, remove, "Take a role from its contact", "caller", responses={200: Contact}
    ),
    Unbound(
        "POST",
        ONE + "/opt-out",
        opted_out,
        "Enter that a contact opted out, as they told staff",
        "caller",
        responses={200: Contact},
    ),
)
