"""What the links in mails lead to: a yes, a no in one click, the person's own page.

Opening a link changes nothing, for programs that read mail open links too; the button does.
"""

import html
from typing import Final

from aiohttp import web

from services.consent.api.asking import within_bounds
from services.consent.api.bodies import Choice, WhoIsIt
from services.consent.api.problems import agreed, problem_of
from services.consent.api.shown.consents import Consent, Consents, Noted
from services.consent.commands import consents, links, lists
from services.consent.commands.consents import Settled
from services.consent.commands.context import Consenting
from services.consent.commands.links import Kind, Link
from services.consent.errors import Refusal
from services.consent.model import records
from services.consent.model.consents import Said, Who
from services.consent.model.people import KeptPerson
from shared.policy.consent import in_force
from shared.runtime.clock import rfc3339
from shared.web import Unbound, body_of, correlation, json_answer, text_answer

ALONE: Final = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
SENT: Final = "If this address is known here, a link to its page is under way."


async def show_confirmation(consenting: Consenting, request: web.Request) -> web.Response:
    """Show the button that confirms."""
    link = _link(consenting, "confirm", request)
    return _page(f"Yes, send me {link.purpose.removeprefix('list:')}")


async def confirm(consenting: Consenting, request: web.Request) -> web.Response:
    """Say yes by the link that was mailed."""
    link = _link(consenting, "confirm", request)
    settled = agreed(await consents.confirm(consenting, link, correlation=correlation(request)))
    return await answered(consenting, request, settled)


async def show_unsubscription(consenting: Consenting, request: web.Request) -> web.Response:
    """Show the button that ends a list."""
    link = _link(consenting, "unsubscribe", request)
    return _page(f"No more of {link.purpose.removeprefix('list:')}")


async def unsubscribe(consenting: Consenting, request: web.Request) -> web.Response:
    """Say no in one click, without signing in (RFC 8058)."""
    link = _link(consenting, "unsubscribe", request)
    person = await _person(consenting, link)
    who = Who(person.subject, person.person, link.purpose)
    said = Said("person", "one-click", consenting.now())
    settled = agreed(
        await consents.decline(consenting, who, said, correlation=correlation(request))
    )
    return await answered(consenting, request, settled)


async def send(consenting: Consenting, request: web.Request) -> web.Response:
    """Mail somebody the link to their page; the answer is the same for every address."""
    within_bounds(consenting, request)
    body = await body_of(request, WhoIsIt)
    agreed(await lists.send_preferences(consenting, body.email))
    return json_answer(Noted(detail=SENT), status=202)


async def page(consenting: Consenting, request: web.Request) -> web.Response:
    """Show somebody all they said yes or no to."""
    person = await _person(consenting, _link(consenting, "preferences", request))
    return json_answer(await consents_of(consenting, person), headers=ALONE)


async def choose(consenting: Consenting, request: web.Request) -> web.Response:
    """Say yes or no to one purpose; both take one call (DOAJ-10a)."""
    person = await _person(consenting, _link(consenting, "preferences", request))
    body = await body_of(request, Choice)
    settled = agreed(
        await consents.choose(
            consenting,
            person,
            request.match_info["purpose"],
            body.consent,
            seen=body.seen,
            correlation=correlation(request),
        )
    )
    return await answered(consenting, request, settled)


async def receipt(consenting: Consenting, request: web.Request) -> web.Response:
    """Give the signed record of one consent, to be verified offline."""
    person = await _person(consenting, _link(consenting, "preferences", request))
    purpose = request.match_info["purpose"]
    row = agreed(consenting.purpose(purpose))
    state = await consenting.consent([person.subject], purpose)
    if state is None:
        raise problem_of(Refusal("consent-unknown"))
    notice = await consenting.notice_of(purpose)
    version = in_force(notice, consenting.now()) if notice else None
    if notice is not None and state.notice is not None:
        shown = state.notice
        version = next((one for one in notice.versions if one.sha == shown.sha), version)
    said = records.record(
        state,
        notice=version,
        purpose=row,
        recipients=list(consenting.rows.uses.processors.values()),
        worth=await consenting.worth([person.subject], purpose),
        withdraw_at=f"{consenting.public_url}/preferences",
    )
    created = rfc3339(consenting.now())
    signed = consenting.signer.signed({**said, "dct:created": created}, created=created)
    return json_answer(signed, headers=ALONE, content_type="application/ld+json")


async def consents_of(consenting: Consenting, person: KeptPerson | None) -> Consents:
    """Show all consents of a person, and what else can be chosen."""
    states = await consenting.store.consents_of(person.person) if person else []
    shown = [Consent.of(one, await consenting.worth([one.subject], one.purpose)) for one in states]
    known = {one.purpose for one in shown}
    choices = ["marketing", *(f"list:{row.id}" for row in consenting.rows.lists.lists)]
    return Consents(
        person=person.person if person else None,
        consents=tuple(shown),
        purposes=tuple(one for one in choices if one not in known),
    )


def _link(consenting: Consenting, kind: Kind, request: web.Request) -> Link:
    link = links.read(consenting, kind, request.match_info["token"])
    if link is None:
        raise problem_of(Refusal("link-void"))
    return link


async def _person(consenting: Consenting, link: Link) -> KeptPerson:
    person = await consenting.store.person(link.person)
    if person is None:
        raise problem_of(Refusal("link-void"))
    return person


async def answered(consenting: Consenting, request: web.Request, settled: Settled) -> web.Response:
    """Show a consent after a change, as a page where one is asked for."""
    state = settled.consent
    worth = await consenting.worth([state.subject], state.purpose)
    status = 202 if settled.pending else 200
    if "text/html" in request.headers.get("Accept", ""):
        said = "You said yes." if worth == "given" else "You get no more of this."
        return _html(f"<p>{said}</p>", status=status)
    return json_answer(Consent.settled(settled, worth), status=status, headers=ALONE)


def _page(says: str) -> web.Response:
    return _html(f'<form method="post"><button>{html.escape(says)}</button></form>', status=200)


def _html(body: str, *, status: int) -> web.Response:
    said = f'<!doctype html><html lang="en"><title>Colophon</title>{body}</html>'
    return text_answer(said, status=status, headers=ALONE, content_type="text/html; charset=utf-8")


ROUTES: Final = (
    Unbound(
        "GET",
        "/confirmations/{token}",
        show_confirmation,
        "The button that confirms a list",
        "none",
        responses={200: "A page with one button."},
    ),
    Unbound(
        "POST",
        "/confirmations/{token}",
        confirm,
        "Say yes by the link that was mailed",
        "none",
        responses={200: Consent, 202: Consent},
    ),
    Unbound(
        "GET",
        "/unsubscribe/{token}",
        show_unsubscription,
        "The button that ends a list",
        "none",
        responses={200: "A page with one button."},
    ),
    Unbound(
        "POST",
        "/unsubscribe/{token}",
        unsubscribe,
        "Say no in one click (RFC 8058)",
        "none",
        responses={200: Consent, 202: Consent},
    ),
    Unbound(
        "POST",
        "/preferences",
        send,
        "Mail the link to one's own page",
        "none",
        request=WhoIsIt,
        responses={202: Noted},
    ),
    Unbound(
        "GET",
        "/preferences/{token}",
        page,
        "All that one said yes or no to",
        "none",
        responses={200: Consents},
    ),
    Unbound(
        "PUT",
        "/preferences/{token}/{purpose}",
        choose,
        "Say yes or no to one purpose",
        "none",
        request=Choice,
        responses={200: Consent, 202: Consent},
    ),
    Unbound(
        "GET",
        "/preferences/{token}/{purpose}/receipt",
        receipt,
        "The signed record of one consent",
        "none",
        responses={200: "JSON-LD, ISO/IEC TS 27560 in terms of DPV, signed (Ed25519)."},
    ),
)
