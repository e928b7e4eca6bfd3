"""Registers that everybody may read, and the recorded answers of the gate."""

from typing import Final

from aiohttp import web

from services.consent.api.bodies import AskedUse
from services.consent.api.problems import agreed, problem_of
from services.consent.api.shown.consents import ReceiptKey
from services.consent.api.shown.registers import Cookies, Processors, Use
from services.consent.commands import uses
from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from shared.policy import uses as policy
from shared.web import Unbound, body_of, caller_of, json_answer


async def processors(consenting: Consenting, _request: web.Request) -> web.Response:
    """Show who handles personal data for us, and why each is trusted (CRP-1a)."""
    return json_answer(Processors(processors=tuple(await consenting.store.all_processors())))


async def cookies(consenting: Consenting, _request: web.Request) -> web.Response:
    """Show every cookie that an answer may set (CRP-8a)."""
    return json_answer(Cookies.of(consenting.rows.cookies, consenting.rows.analytics))


async def receipt_key(consenting: Consenting, _request: web.Request) -> web.Response:
    """Show what verifies receipts."""
    signer = consenting.signer
    return json_answer(ReceiptKey(name=signer.name, public=signer.public))


async def ask(consenting: Consenting, request: web.Request) -> web.Response:
    """Ask the gate; the answer is recorded, a no as well."""
    body = await body_of(request, AskedUse)
    use = policy.Use(
        act=body.act,
        purpose=body.purpose,
        category=body.category,
        recipient=policy.Recipient(body.recipient.kind, body.recipient.name),
        name=body.name,
        roles=frozenset(body.roles),
        fields=frozenset(body.fields),
        opt_out_link=body.opt_out_link,
        signed_up=body.signed_up,
        reason=body.reason,
    )
    actor = caller_of(request).actor
    decision = agreed(await uses.decide(consenting, use, address=body.email, actor=actor))
    where = {"Location": f"/uses/{decision.decision}"}
    return json_answer(Use.of(decision), status=201, headers=where)


async def asked(consenting: Consenting, request: web.Request) -> web.Response:
    """Show a recorded answer."""
    decision = await consenting.store.decisions.load(request.match_info["use"])
    if decision is None:
        raise problem_of(Refusal("use-unknown"))
    return json_answer(Use.of(decision))


ROUTES: Final = (
    Unbound(
        "GET",
        "/processors",
        processors,
        "The register of processors",
        "none",
        responses={200: Processors},
    ),
    Unbound("GET", "/cookies", cookies, "The cookies", "none", responses={200: Cookies}),
    Unbound(
        "GET",
        "/receipt-key",
        receipt_key,
        "What verifies receipts",
        "none",
        responses={200: ReceiptKey},
    ),
    Unbound(
        "POST",
        "/uses",
        ask,
        "Ask the gate whether data may be used",
        "operator",
        request=AskedUse,
        responses={201: Use},
    ),
    Unbound("GET", "/uses/{use}", asked, "A recorded answer", "operator", responses={200: Use}),
)
