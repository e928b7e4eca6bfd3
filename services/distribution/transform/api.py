"""A work in the form a reader asks for: by Accept, by path, at the address of its DOI.

What a form is written from is the work as it was rendered for this reader, so that no form can
hold more than another; the gate is asked at the moment of answering.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from services.distribution.gate import Subject
from services.distribution.host import Host, Outlet, Seen
from services.distribution.rest import envelope
from services.distribution.rest.api.common import doi_in
from services.distribution.rest.api.works import GUARDED, UNSTORED, WorksApi
from services.distribution.rest.envelope import Answer
from services.distribution.rest.pools import respond
from services.distribution.rest.render import render_single
from services.distribution.transform import dates, styles
from services.distribution.transform.links import link_header
from services.distribution.transform.media import FORMS, OFFERS, Form, Wish
from services.distribution.transform.negotiation import Chosen, choose
from shared.mongo.client import Document
from shared.policy import Withheld
from shared.web import VARY, Problem, Route, caller_of

OUTLET: Final = "content-negotiation"
UNIXSD: Final = "application/vnd.crossref.unixsd+xml"
STALE: Final = "knowledge-stale"


def open_outlet(host: Host) -> Outlet:
    """Compose content negotiation. Its routes stand before those whose DOI takes the rest."""
    return Outlet((OUTLET,), TransformApi(host).routes())


@dataclass(frozen=True, slots=True)
class TransformApi:
    """What is answered under ``/works/{doi}/transform`` and at a DOI itself."""

    host: Host

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, the longer ones first."""
        return (
            _get(
                "/works/{+doi}/transform/{type}/{subtype}",
                self.by_path,
                "Show a work in one form",
            ),
            _get("/works/{+doi}/transform", self.by_accept, "Show a work in the form accepted"),
            _get("/works/{+doi}.xml", self.as_xml, "Lead to a work as UNIXSD"),
            _get("/10.{+rest}", self.at_doi, "Show the work of a DOI in the form accepted"),
        )

    async def by_accept(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/transform``."""
        return await self._answer(request, "/transform", _accepted(request))

    async def at_doi(self, request: web.Request) -> web.Response:
        """``GET /10.{...}``: where a resolver of DOIs sends its readers."""
        found = await self.host.works.one(f"10.{request.match_info['rest']}".lower())
        if found is None:
            return respond(request, envelope.resource_not_found("work-transform"))
        return await self._formed(request, found, _accepted(request))

    async def by_path(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/transform/{type}/{subtype}``."""
        asked = f"{request.match_info['type']}/{request.match_info['subtype']}".lower()
        chosen = Chosen(asked) if asked in FORMS else None
        return await self._answer(request, f"/transform/{asked}", chosen)

    async def as_xml(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}.xml``: leads to UNIXSD, but where a DOI ends so itself."""
        doi = doi_in(request)
        whole, short = f"{doi}.xml", await self.host.works.one(doi)
        if short is None or await self.host.works.one(whole) is not None:
            return await self._named(request, whole)
        path = request.rel_url.raw_path.removesuffix("/").removesuffix(".xml")
        query = f"?{request.rel_url.raw_query_string}" if request.query_string else ""
        there = {"Location": f"{path}/transform/{UNIXSD}{query}", "Cache-Control": "no-cache"}
        return respond(request, Answer(302, envelope.PLAIN, b""), there)

    async def _answer(
        self, request: web.Request, ending: str, chosen: Chosen | None
    ) -> web.Response:
        doi = doi_in(request)
        found = await self.host.works.one(doi)
        if found is None:  # a DOI may end so itself
            return await self._named(request, doi + ending)
        return await self._formed(request, found, chosen)

    async def _named(self, request: web.Request, doi: str) -> web.Response:
        """Answer as the REST interface does for a DOI that is the whole path."""
        request.match_info["doi"] = doi
        return await WorksApi(self.host).one_work(request)

    async def _formed(
        self, request: web.Request, found: Document, chosen: Chosen | None
    ) -> web.Response:
        """Answer with a work in the form chosen, as its reader sees it at this moment."""
        if chosen is None:
            raise _not_acceptable("There is no such form of a work", "media-type", OFFERS)
        form = FORMS[chosen.media_type]
        wish = await _wish(form, {**chosen.parameters, **request.query})
        seen = self.host.seen(found, self.host.reader(request), outlet=OUTLET)
        stale = isinstance(seen.visibility, Withheld) and seen.visibility.reason == STALE
        tag = _tag(seen, chosen.media_type, wish)
        date = None if stale else self._since(request, found, form)
        headers = {
            **(UNSTORED if stale else GUARDED),
            "Vary": f"Accept, {VARY}",
            "ETag": tag,
            **({"Last-Modified": dates.header(date)} if date else {}),
        }
        content_type = form.content_type or chosen.media_type
        if _holds(request, tag, date):
            return respond(request, Answer(304, content_type, b""), headers)
        work = render_single(
            seen.record,
            seen.ownership,
            cited_by=seen.cited_by,
            visibility=seen.visibility,
            policy=self.host.gate.policy,
        )
        body = await _written(form, work, wish)
        return respond(
            request,
            Answer(200, content_type, body),
            {**headers, "Link": link_header(work)},
        )

    def _since(self, request: web.Request, found: Document, form: Form) -> datetime | None:
        """Return the date of a form, None where something in it changes without a date.

        Counts do, and what a credential opens: it ends with its agreement.
        """
        if form.counts or caller_of(request).kind != "anonymous":
            return None
        gate = self.host.gate
        changed = gate.changed(Subject.of(found))
        if changed is None:
            return None
        changes = [_moment(found["indexed"]), *changed]
        return dates.settled(changes, self.host.clock.now(), lag=gate.policy.stale_after)


async def _written(form: Form, work: Mapping[str, Any], wish: Wish) -> bytes:
    try:
        if form.slow:
            return await asyncio.to_thread(form.write, work, wish)
        return form.write(work, wish)
    except styles.Unformattable:
        raise _not_acceptable(
            "This work cannot be formatted in this style", "style", (styles.STYLE,)
        ) from None


async def _wish(form: Form, asked: Mapping[str, str]) -> Wish:
    """Return the style and locale wanted; raises ``Problem`` 406 where there is no such one."""
    if not form.formatted:
        return Wish()
    found = await asyncio.to_thread(styles.known, asked.get("style"), asked.get("locale"))
    if isinstance(found, styles.NotThere):
        raise _not_acceptable(f"There is no such {found.what}", found.what, found.available)
    return Wish(*found)


def _not_acceptable(title: str, what: str, available: tuple[str, ...]) -> Problem:
    return Problem(
        406,
        "not-acceptable",
        title,
        "What there is stands in available; /styles and /locales have all of them.",
        headers={"Vary": "Accept"},
        what=what,
        available=list(available),
    )


def _accepted(request: web.Request) -> Chosen | None:
    return choose(", ".join(request.headers.getall("Accept", ())), OFFERS)


def _holds(request: web.Request, tag: str, date: datetime | None) -> bool:
    """Whether what the reader has is what it would get; a tag decides where one is sent."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        return known.strip() == "*" or tag.removeprefix("W/") in known
    return dates.unmodified(request.headers.get("If-Modified-Since"), date)


def _tag(seen: Seen, media_type: str, wish: Wish) -> str:
    """Return a weak tag: the same triples and trees may be written in another order."""
    shown = (seen.etag, media_type, wish.style, wish.locale)
    return f'W/"{hashlib.blake2b(repr(shown).encode(), digest_size=12).hexdigest()}"'


def _moment(at: datetime | str) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at


def _get(path: str, handler: Any, summary: str) -> Route:
    return Route(
        "GET",
        path,
        handler,
        summary,
        responses={
            200: "The work in the form asked for: " + ", ".join(OFFERS),
            302: "Where the form asked for is",
            304: "What the caller has is what it would get",
            404: "Unknown",
            406: "There is no such form, style or locale; what there is",
        },
        auth="optional",
        tags=("transform",),
    )
