"""Routes of access packages: asked for, looked at, fetched once.

What counts as fetched is what the system took of the last byte, so the system holds little of it:
who breaks off before has not fetched it, and begins again.
"""

import asyncio
import contextlib
import math
import socket
from datetime import datetime
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.retention.commands.fetching import Fetching
from services.retention.commands.packages import Packages
from services.retention.model.packages import KeptPackage, Refusal, Slug, Step, Why
from shared.events.orders import Uuid
from shared.mongo import Refused
from shared.policy.requests import Scope
from shared.privacy.blind import AddressError
from shared.runtime.faults import Transient
from shared.web import Error, Problem, Route, body_of, json_answer

KINDS: Final[dict[Slug, tuple[int, str]]] = {
    "package-unknown": (404, "There is no such package, or this code does not open it"),
    "package-not-ready": (409, "The package is not ready yet"),
    "package-gone": (410, "The package was fetched, or its time is up"),
    "package-in-use": (409, "The package is being fetched at this moment"),
}
HELD: Final = 2**16  # bytes of a download that the system holds at most
LOOKS: Final = 0.02  # seconds between two looks whether it took the last of them
NO_CODE: Final = Problem(
    401, "code-needed", "A package is fetched with its code", "Send Authorization: Bearer <code>."
)


class NewPackage(BaseModel):
    """Of whom a package is to be made, and for which request."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    request: Uuid = Field(description="The request that it answers; one has one package.")
    emails: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)] = Field(
        description="Every address of the person that was confirmed."
    )


class PackageView(BaseModel):
    """How a package stands."""

    package: str
    request: str
    scope: Scope = Field(description="Everything that is held, or what can be taken along.")
    step: Step
    times: dict[str, datetime]
    waiting_for: tuple[str, ...] = Field(
        default=(), description="Services that did not say yet what they hold."
    )
    until: datetime | None = Field(default=None, description="How long it may be fetched.")
    octets: int
    sha256: str | None = None
    why: Why | None = Field(default=None, description="Why it is gone.")
    code: str | None = Field(
        default=None, description="What opens it; said once, when it is asked for."
    )


async def ask(packages: Packages, request: web.Request) -> web.Response:
    """Have a package made."""
    body = await body_of(request, NewPackage)
    try:
        indexes = [one for email in body.emails for one in packages.house.index.all(email)]
    except AddressError:
        raise Problem(
            422,
            "address-invalid",
            "This is no e-mail address",
            errors=[Error("/emails", "address-invalid")],
        ) from None
    known, code = await packages.asked(body.request, indexes)
    shown = (await _view(packages, known)).model_copy(update={"code": code})
    return json_answer(shown, status=202, headers={"Location": f"/packages/{known.package}"})


async def show(packages: Packages, request: web.Request) -> web.Response:
    """Show how a package stands."""
    known = await packages.shown(request.match_info["package"])
    if known is None:
        raise _problem(packages, Refusal("package-unknown"))
    return json_answer(await _view(packages, known))


async def fetch(packages: Packages, request: web.Request) -> web.StreamResponse:
    """Give a package to whoever has its code, to one at a time; whole, and then its key goes."""
    scheme, _, code = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not code:
        raise NO_CODE
    package, code = request.match_info["package"], code.strip()
    if request.method == "HEAD":  # to look is not to fetch
        known = await packages.opened(package, code)
        return web.Response(headers=_headers(_known(packages, known)))
    fetching = Fetching(packages)
    claimed = _known(packages, await fetching.claim(package, code))
    response = web.StreamResponse(headers=_headers(claimed))
    try:
        await _send(request, response, fetching, claimed)
    except BaseException:  # a cancellation too: that is how whoever breaks off is heard of
        with contextlib.suppress(Transient):  # its lease runs out then
            await fetching.release(claimed)
        raise
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, fetching: Fetching, claimed: KeptPackage
) -> None:
    """Send a package while it is this download's; cut the connection where it is so no more."""
    try:
        async with fetching.in_time():
            await response.prepare(request)
        _bound(request)
        async with contextlib.aclosing(fetching.parts(claimed)) as parts:
            async for part in parts:
                async with fetching.in_time():
                    await response.write(part)
                    await _taken(request)
        await fetching.finish(claimed)
    except BaseException as fault:
        if request.transport is not None:
            request.transport.abort()  # also what waits to be sent: another may begin
        if isinstance(fault, TimeoutError):
            raise ConnectionAbortedError("a piece of a package was not taken in time") from None
        raise
    await response.write_eof()


async def _taken(request: web.Request) -> None:
    """Wait until the system took all that was written. Raises ``ConnectionResetError``."""
    while (transport := request.transport) is not None and not transport.is_closing():
        if not transport.get_write_buffer_size():
            return
        await asyncio.sleep(LOOKS)
    raise ConnectionResetError("whoever fetched a package broke off")


def _bound(request: web.Request) -> None:
    if request.transport is not None:
        sending: socket.socket = request.transport.get_extra_info("socket")
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD)


def _headers(known: KeptPackage) -> dict[str, str]:
    return {
        "Content-Type": "application/zip",
        "Content-Length": str(known.octets),
        "Content-Disposition": f'attachment; filename="{known.package}.zip"',
        "Accept-Ranges": "none",
        "Cache-Control": "no-store",
        "Digest": f"sha-256={known.sha256}",
    }


def routes(packages: Packages) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            "POST",
            "/packages",
            partial(ask, packages),
            "Have a package made of all that is held of a person",
            request=NewPackage,
            responses={202: PackageView},
            auth="operator",
            tags=("packages",),
        ),
        Route(
            "GET",
            "/packages/{package}",
            partial(show, packages),
            "Show how a package stands",
            responses={200: PackageView},
            auth="operator",
            tags=("packages",),
        ),
        Route(
            "GET",
            "/packages/{package}/file",
            partial(fetch, packages),
            "Fetch a package, once, with the code that opens it",
            responses={200: "The package: a zip archive with a signed manifest."},
            tags=("packages",),
        ),
    ]


async def _view(packages: Packages, known: KeptPackage) -> PackageView:
    missing: tuple[str, ...] = ()
    if known.step == "looking":
        missing = tuple(set(known.asked) - set(await packages.answers.answers(known.order)))
    return PackageView(
        package=known.package,
        request=known.request,
        scope=known.scope,
        step=known.step,
        times=dict(known.times),
        waiting_for=tuple(sorted(missing)),
        until=known.until,
        octets=known.octets,
        sha256=known.sha256,
        why=known.why,
    )


def _known(packages: Packages, answer: KeptPackage | Refused[Refusal]) -> KeptPackage:
    if isinstance(answer, Refused):
        raise _problem(packages, answer.reason)
    return answer


def _problem(packages: Packages, refusal: Refusal) -> Problem:
    status, title = KINDS[refusal.slug]
    if refusal.slug != "package-in-use":
        return Problem(status, refusal.slug, title)
    until = refusal.until or packages.now()
    left = max(1, math.ceil((until - packages.now()).total_seconds()))
    return Problem(
        status,
        refusal.slug,
        title,
        "One download has it at a time. One that was broken off is begun again from its start.",
        headers={"Retry-After": str(left)},
        rule=packages.policy.download.clause,
    )
