"""Routes of access packages: asked for, looked at, fetched once."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.retention.commands.packages import Packages
from services.retention.model.packages import KeptPackage, Slug, Step, Why
from shared.events.orders import Uuid
from shared.mongo import Refused
from shared.privacy.blind import AddressError
from shared.web import Error, Problem, Route, body_of, json_answer

KINDS: Final[dict[Slug, tuple[int, str]]] = {
    "package-unknown": (404, "There is no such package, or this code does not open it"),
    "package-not-ready": (409, "The package is not ready yet"),
    "package-gone": (410, "The package was fetched, or its time is up"),
}
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
        raise _problem("package-unknown")
    return json_answer(await _view(packages, known))


async def fetch(packages: Packages, request: web.Request) -> web.StreamResponse:
    """Give a package to whoever has its code; once, and then its key is destroyed."""
    scheme, _, code = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not code:
        raise NO_CODE
    known = await packages.opened(request.match_info["package"], code.strip())
    if isinstance(known, Refused):
        raise _problem(known.reason.slug)
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Length": str(known.octets),
            "Content-Disposition": f'attachment; filename="{known.package}.zip"',
            "Cache-Control": "no-store",
            "Digest": f"sha-256={known.sha256}",
        }
    )
    await response.prepare(request)
    async for part in packages.fetched(known):
        await response.write(part)
    await response.write_eof()
    return response


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
        step=known.step,
        times=dict(known.times),
        waiting_for=tuple(sorted(missing)),
        until=known.until,
        octets=known.octets,
        sha256=known.sha256,
        why=known.why,
    )


def _problem(slug: Slug) -> Problem:
    status, title = KINDS[slug]
    return Problem(status, slug, title)
