"""Contacts of organisations by role: for the organisation itself, staff and operators.

Whether a caller may is found before anything is looked at, so that no answer tells of a contact.
"""

from typing import Final, Literal

from aiohttp import web

from services.accounts.api.asking import organisation_in
from services.accounts.api.contacts_bodies import NewContact
from services.accounts.api.persons import NO_STORE, actor_of
from services.accounts.api.problems import agreed, problem_of
from services.accounts.api.shown.contacts import Contact, Contacts
from services.accounts.commands import contacts
from services.accounts.commands.contacts_context import Contacting
from services.accounts.commands.people import may
from services.accounts.errors import Refusal
from services.accounts.model.contacts import ContactDetails, KeptSeat
from shared.web import Unbound, body_of, caller_of, correlation, json_answer

Action = Literal["contacts-read", "contacts-write"]


async def listed(contacting: Contacting, request: web.Request) -> web.Response:
    """List an organisation's contacts; an operator sees no name and no address."""
    organisation = organisation_in(request)
    clear = _sees(contacting, request, organisation)
    if not clear:
        _actor(contacting, request, organisation, "contacts-write")
    found = agreed(await contacts.listed(contacting, organisation, clear=clear))
    shown = Contacts(contacts=tuple(Contact.of(one) for one in found))
    return json_answer(shown, headers=NO_STORE)


async def name(contacting: Contacting, request: web.Request) -> web.Response:
    """Give a role to somebody, who is asked by mail."""
    organisation = organisation_in(request)
    actor = _actor(contacting, request, organisation, "contacts-write")
    body = await body_of(request, NewContact)
    named = agreed(
        await contacts.name(
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
    organisation = organisation_in(request)
    actor = _actor(contacting, request, organisation, "contacts-write")
    removed = agreed(
        await contacts.remove(
            contacting,
            organisation,
            request.match_info["role"],
            actor=actor,
            correlation=correlation(request),
        )
    )
    return await _shown(contacting, request, removed)


async def opted_out(contacting: Contacting, request: web.Request) -> web.Response:
    """Enter that a contact opted out, as they told staff."""
    organisation = organisation_in(request)
    actor = _staff(contacting, request, "contacts-write")
    left = agreed(
        await contacts.leave_by_staff(
            contacting,
            organisation,
            request.match_info["role"],
            actor=actor,
            correlation=correlation(request),
        )
    )
    return await _shown(contacting, request, left)


def _own(request: web.Request, organisation: int) -> bool:
    caller = caller_of(request)
    return caller.kind == "role" and caller.may("admin", organisation)


def _sees(contacting: Contacting, request: web.Request, organisation: int) -> bool:
    """Say whether the caller may see names and addresses of these contacts."""
    if _own(request, organisation):
        return True
    caller = caller_of(request)
    if caller.kind not in {"operator", "person"}:
        return False
    return may(contacting.people, actor_of(request), "contacts-read") is None


def _actor(contacting: Contacting, request: web.Request, organisation: int, action: Action) -> str:
    """Return what facts call the caller, or refuse; raises ``Problem`` 401 or 403."""
    if _own(request, organisation):
        return f"organisation:{organisation}"
    return _staff(contacting, request, action)


def _staff(contacting: Contacting, request: web.Request, action: Action) -> str:
    if caller_of(request).kind not in {"operator", "person"}:
        raise problem_of(Refusal("not-permitted", rule="CRP-4c"))
    actor = actor_of(request)
    refused = may(contacting.people, actor, action)
    if refused is not None:
        raise problem_of(refused.reason)
    return actor.named(None)


async def _shown(contacting: Contacting, request: web.Request, state: KeptSeat) -> web.Response:
    clear = _sees(contacting, request, state.organisation)
    [found] = await contacts.shown(contacting, [state], clear=clear)
    return json_answer(Contact.of(found), headers=NO_STORE)


ALL: Final = "/organisations/{organisation}/contacts"
ONE: Final = ALL + "/{role}"
ROUTES: Final = (
    Unbound(
        "GET",
        ALL,
        listed,
        "List an organisation's contacts; names and addresses for itself and staff",
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
