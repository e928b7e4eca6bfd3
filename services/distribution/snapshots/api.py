"""The routes of snapshots: what there is, what is in it, and the files, for subscribers."""

import contextlib
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope
from services.distribution.rest.pools import respond, stated
from services.distribution.snapshots.board import Board, ShownBuilds, shown
from services.distribution.snapshots.choosing import Member, Served, served
from services.distribution.snapshots.forms import FORMS, Form
from services.distribution.snapshots.manifest import manifest
from services.distribution.snapshots.months import Month, read_month
from services.distribution.snapshots.ranges import Span, wanted
from services.distribution.snapshots.serving import Opened, Serving, form_of, pieces
from services.distribution.snapshots.tarring import ending
from services.distribution.snapshots.watching import Watched
from shared.policy import Visible
from shared.web import VARY, Problem, Route, json_answer

OUTLET: Final = "snapshots"
RETRY_SECONDS: Final = 2
GUARDED: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
TAR: Final = "application/gzip"
AT: Final = "/snapshots/monthly"


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent: a form of a snapshot, as it was chosen when the answer began."""

    watched: Watched
    opened: Opened
    file: Served


@dataclass(frozen=True, slots=True)
class SnapshotsApi:
    """``/snapshots``."""

    host: Host
    serving: Serving
    board: Board

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of snapshots; what names the latest stands before what names any."""
        file = {200: "The archive", 206: "A part of it", 416: "There is no such part"}
        said = {200: "What it holds, member by member", 404: "There is none"}
        return (
            self._get(
                AT, self.list_months, "List the snapshots there are", {200: "Months"}, "none"
            ),
            self._get(f"{AT}/latest", self.show, "Show what the latest snapshot holds", said),
            self._get(f"{AT}/latest/{{file}}", self.send, "Fetch the latest snapshot", file),
            self._get(f"{AT}/{{year}}/{{month}}", self.show, "Show what a snapshot holds", said),
            self._get(f"{AT}/{{year}}/{{month}}/{{file}}", self.send, "Fetch a snapshot", file),
            self._get(
                "/snapshots/jobs",
                self.jobs,
                "List how builds of snapshots stand",
                {200: ShownBuilds},
                "operator",
            ),
            Route(
                "POST",
                f"{AT}/{{year}}/{{month}}",
                self.wish,
                "Have a month's snapshot built, again where there is one",
                responses={202: "Noted", 404: "No such month"},
                auth="operator",
                tags=(OUTLET,),
            ),
        )

    def _get(
        self, path: str, handler: Any, summary: str, responses: Any, auth: Any = "caller"
    ) -> Route:
        return Route("GET", path, handler, summary, responses=responses, auth=auth, tags=(OUTLET,))

    async def list_months(self, _request: web.Request) -> web.Response:
        """``GET /snapshots/monthly``: open to all, for it says nothing of any record."""
        listed = [
            {
                "month": str(one.month),
                "as-of": one.manifest["as-of"],
                "ready": one.built,
                "complete": one.manifest["complete"],
                "works": one.manifest["works"],
                "at": f"{AT}/{one.month.year:04}/{one.month.month:02}",
                "files": [form.file for form in FORMS.values()],
            }
            for one in self.serving.months()
        ]
        return json_answer({"snapshots": listed}, headers={"Cache-Control": "no-cache"})

    async def show(self, request: web.Request) -> web.Response:
        """``GET /snapshots/monthly/{year}/{month}``: its manifest, as this reader would get it."""
        watched = self._found(request)
        if watched is None:
            return respond(request, envelope.resource_not_found("member"))
        files = {form: self._served(request, watched, form) for form in FORMS.values()}
        told = manifest(watched, files, key=self.host.key, sources=self.host.gate.policy.sources)
        return json_answer(told, headers=GUARDED)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """``GET`` and ``HEAD`` of a file, whole or a part of it."""
        form = form_of(request.match_info["file"])
        watched = self._found(request) if form else None
        if form is None or watched is None:
            return respond(request, envelope.resource_not_found("member"))
        file = self._served(request, watched, form)
        length = file.length + len(ending())
        headers = {
            **GUARDED,
            "ETag": file.etag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f'attachment; filename="{watched.ready.month}-{form.file}"',
            **stated(request),
        }
        if file.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        span = wanted(request.headers, length=length, etag=file.etag)
        if span is None:
            headers["Content-Range"] = f"bytes */{length}"
            return web.Response(status=416, headers=headers)
        if span.part:
            headers["Content-Range"] = span.stated(length)
        response = web.StreamResponse(status=206 if span.part else 200, headers=headers)
        response.content_type = TAR
        response.content_length = span.end - span.start
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(contextlib.closing(Opened(watched, form)))
            except FileNotFoundError:  # it was removed this moment
                return respond(request, envelope.resource_not_found("member"))
            await response.prepare(request)
            if request.method != "HEAD":
                await self._stream(request, response, Sent(watched, opened, file), span)
        return response

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, sent: Sent, span: Span
    ) -> None:
        """Send a span; cut the connection where something of it may not be sent now."""
        last = min(span.end, sent.file.length)
        async for member, full, content in pieces(sent.opened, sent.file, span.start, last):
            may = not full or self._may(request, sent.watched, member)
            if not may or not self._still(request):
                transport = request.transport
                if transport is not None:
                    transport.abort()  # also what waits to be sent
                raise ConnectionResetError("what was begun may not be sent any more")
            await response.write(content)
        if span.end > last:
            await response.write(ending()[max(span.start - last, 0) : span.end - last])

    async def jobs(self, _request: web.Request) -> web.Response:
        """``GET /snapshots/jobs``."""
        return json_answer(shown(await self.board.read()))

    async def wish(self, request: web.Request) -> web.Response:
        """``POST /snapshots/monthly/{year}/{month}``."""
        month = _month(request)
        if month is None:
            return respond(request, envelope.resource_not_found("member"))
        await self.board.wish(month)
        return json_answer({"month": str(month), "jobs": "/snapshots/jobs"}, status=202)

    def _found(self, request: web.Request) -> Watched | None:
        """Return the snapshot a path names; refuses readers it is not for, and stale knowledge."""
        if not self.host.reader(request).plus:
            raise Problem(
                403, "plus-only", "Snapshots are for Metadata Plus subscribers", "Show its token."
            )
        month = _month(request)
        if "year" in request.match_info and month is None:
            return None
        watched = self.serving.of(month)
        if watched is not None and not (self.host.gate.fresh() and self.serving.known(watched)):
            raise Problem(
                503,
                "knowledge-stale",
                "What became of this snapshot's works is not known well enough at the moment",
                "Ask again shortly.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        return watched

    def _served(self, request: web.Request, watched: Watched, form: Form) -> Served:
        reader = self.host.reader(request)
        seen: dict[str, bool] = {}

        def may(member: Member) -> bool:
            if member.owner not in seen:
                visibility = self.host.gate.visibility_under(member.owner, reader, outlet=OUTLET)
                seen[member.owner] = isinstance(visibility, Visible)
            return seen[member.owner] and watched.sound(member)

        return served(watched.members[form.name], may, of=(watched.ready.id, form.name))

    def _may(self, request: web.Request, watched: Watched, member: Member) -> bool:
        """Ask the gate for one member, at this moment."""
        reader = self.host.reader(request)
        visibility = self.host.gate.visibility_under(member.owner, reader, outlet=OUTLET)
        return isinstance(visibility, Visible) and watched.sound(member)

    def _still(self, request: web.Request) -> bool:
        """Say whether the caller is still a subscriber: its time runs, its token is not revoked."""
        return self.host.reader(request).plus and self.host.still(request)


def _month(request: web.Request) -> Month | None:
    asked = request.match_info
    return read_month(f"{asked['year']}-{asked['month']}") if "year" in asked else None
