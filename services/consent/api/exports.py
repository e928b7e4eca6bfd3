"""Exports to processors: asked for by one operator, approved by another, fetched encrypted.

Operators share one credential and cannot be told apart by it, so each names themselves.
"""

from typing import Final

from aiohttp import web

from services.consent.api.bodies import Approval, Deleted, NewExport
from services.consent.api.problems import agreed, problem_of
from services.consent.api.shown.exports import Export, Withdrawals
from services.consent.commands import exports
from services.consent.commands.context import Consenting
from services.consent.commands.exports import Asked
from services.consent.errors import Refusal
from shared.policy.uses import Recipient
from shared.web import Unbound, body_of, caller_of, json_answer


async def ask(consenting: Consenting, request: web.Request) -> web.Response:
    """Ask for an export; what nobody may have is refused at once, and on record."""
    body = await body_of(request, NewExport)
    asked = Asked(
        act=body.act,
        recipient=Recipient(body.recipient.kind, body.recipient.name),
        purpose=body.purpose,
        listed=body.list,
        category=body.category,
        fields=body.fields,
        reason=body.reason,
        requester=body.requester,
    )
    state = agreed(await exports.ask(consenting, asked, actor=caller_of(request).actor))
    where = {"Location": f"/exports/{state.export}"}
    return json_answer(Export.of(state), status=201, headers=where)


async def show(consenting: Consenting, request: web.Request) -> web.Response:
    """Show an export; nobody who is in it."""
    state = await consenting.store.exports.load(request.match_info["export"])
    if state is None:
        raise problem_of(Refusal("export-unknown"))
    return json_answer(Export.of(state))


async def approve(consenting: Consenting, request: web.Request) -> web.Response:
    """Approve an export that another asked for, and make it."""
    body = await body_of(request, Approval)
    state = await exports.approve(
        consenting, request.match_info["export"], body.approver, actor=caller_of(request).actor
    )
    return json_answer(Export.of(agreed(state)))


async def fetch(consenting: Consenting, request: web.Request) -> web.Response:
    """Give the encrypted file out; everybody in it was asked about again."""
    actor = caller_of(request).actor
    file = agreed(await exports.fetch(consenting, request.match_info["export"], actor=actor))
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{file.export}-{file.edition}.csv.age"',
        "Cache-Control": "no-store",
        "Export-Edition": str(file.edition),
        "Export-Rows": str(file.rows),
    }
    return web.Response(body=file.content, headers=headers)


async def withdrawals(consenting: Consenting, request: web.Request) -> web.Response:
    """Tell which rows the processor must delete, as of now."""
    actor = caller_of(request).actor
    state = await exports.look_again(consenting, request.match_info["export"], actor=actor)
    return json_answer(Withdrawals.of(agreed(state)))


async def deleted(consenting: Consenting, request: web.Request) -> web.Response:
    """Write down which rows the processor said that it deleted."""
    body = await body_of(request, Deleted)
    state = await exports.deleted(consenting, request.match_info["export"], body.rows)
    return json_answer(Withdrawals.of(agreed(state)))


ROUTES: Final = (
    Unbound(
        "POST",
        "/exports",
        ask,
        "Ask for an export to a processor",
        "operator",
        request=NewExport,
        responses={201: Export},
    ),
    Unbound("GET", "/exports/{export}", show, "An export", "operator", responses={200: Export}),
    Unbound(
        "POST",
        "/exports/{export}/approval",
        approve,
        "Approve an export that another asked for",
        "operator",
        request=Approval,
        responses={200: Export},
    ),
    Unbound(
        "POST",
        "/exports/{export}/downloads",
        fetch,
        "Fetch an export, encrypted for its processor",
        "operator",
        responses={200: "CSV, encrypted for the processor (age-encryption.org/v1)."},
    ),
    Unbound(
        "GET",
        "/exports/{export}/withdrawals",
        withdrawals,
        "Rows that the processor must delete",
        "operator",
        responses={200: Withdrawals},
    ),
    Unbound(
        "POST",
        "/exports/{export}/deletions",
        deleted,
        "Rows that the processor deleted",
        "operator",
        request=Deleted,
        responses={200: Withdrawals},
    ),
)
