"""Works: one, its position, and every list of them, whatever path narrows it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import OUTLET, doi_in, get
from services.distribution.rest.envelope import Answer
from services.distribution.rest.facets import facets_message
from services.distribution.rest.params import WorksQuery, parse_single, parse_works
from services.distribution.rest.pools import respond
from services.distribution.rest.position import Positions
from services.distribution.rest.render import render_item, render_single
from services.distribution.rest.routes import WORKS
from services.distribution.search import SearchPage
from shared.mongo.client import Document
from shared.policy import Reader, Visible, Withheld
from shared.runtime.ids import random_bytes
from shared.web import VARY, Problem, Route

GUARDED: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
CURRENT: Final = {"Cache-Control": "no-cache"}
UNSTORED: Final = {"Cache-Control": "no-store", "Vary": VARY}
RETRY_SECONDS: Final = 2  # watermarks come each second
CARRYING: Final = frozenset({"reference", "relation"})  # selectable fields that references are in


@dataclass(frozen=True, slots=True)
class WorksApi:
    """``/works`` and what is under it."""

    host: Host

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of works."""
        return (
            get("/works", self.list_works, "List works", "work-list", WORKS),
            get("/works/{+doi}/position", self.position, "Show where a work is", "work-position"),
            get("/works/{+doi}", self.one_work, "Show a work", "work"),
        )

    async def one_work(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}``."""
        if request.query_string:
            asked = parse_single(request.query.items())
            if isinstance(asked, list):
                return respond(request, envelope.validation_failure(asked))
        return await self._one(request, doi_in(request))

    async def position(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/position``: in the store, in the lists, under whose setting."""
        refused = parse_single(request.query.items())
        if isinstance(refused, list):
            return respond(request, envelope.validation_failure(refused))
        doi = doi_in(request)
        found = await Positions(self.host.gate, self.host.works, self.host.index).of(doi)
        if found is None:
            return await self._one(request, f"{doi}/position")  # a DOI may end so itself
        return respond(request, envelope.success("work-position", found), CURRENT)

    async def show(self, request: web.Request, doi: str) -> web.Response:
        """Answer with a work whose DOI ends as another route does."""
        return await self._one(request, doi)

    async def _one(self, request: web.Request, doi: str) -> web.Response:
        found = await self.host.works.one(doi)
        if found is None:
            return respond(request, envelope.resource_not_found("work"))
        seen = self.host.seen(found, self.host.reader(request), outlet=OUTLET)
        headers = {**_caching(seen.visibility), "ETag": seen.etag}
        if seen.etag in request.headers.get("If-None-Match", ""):
            return respond(request, Answer(304, envelope.JSON, b""), headers)
        work = render_single(
            seen.record,
            seen.ownership,
            cited_by=seen.cited_by,
            visibility=seen.visibility,
            policy=self.host.gate.policy,
        )
        return respond(request, envelope.success("work", work), headers)

    async def list_works(self, request: web.Request) -> web.Response:
        """``GET /works``."""
        return await self.within(request, None)

    async def within(self, request: web.Request, scope: plan.Scope | None) -> web.Response:
        """Answer a list of works, of those that a path narrows it to."""
        query = parse_works(request.query.items())
        if isinstance(query, list):
            return respond(request, envelope.validation_failure(query))
        asked = plan.search_request(
            query,
            self.host.gate,
            scope=scope,
            cursor_key=self.host.key,
            seed=int.from_bytes(random_bytes(8), "big"),
        )
        if isinstance(asked, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(asked))
        page = await asyncio.to_thread(self.host.index.search, asked)
        items = await self._items(query, page, self.host.reader(request))
        message = envelope.work_list(
            items,
            total=page.total,
            rows=query.rows,
            offset=query.offset,
            terms=query.terms,
            facets=facets_message(query, page.facets, self.host.gate),
            cursor=plan.next_cursor(query, page, scope=scope, cursor_key=self.host.key),
        )
        return respond(request, envelope.success("work-list", message), GUARDED)

    async def _items(
        self, query: WorksQuery, page: SearchPage, reader: Reader
    ) -> list[dict[str, Any]]:
        """Fetch the hits by key and let each pass the gate."""
        if not page.hits:
            return []
        held = await self.host.works.many([hit.doi for hit in page.hits])
        if (not query.select or CARRYING & set(query.select)) and not self.host.gate.fresh():
            raise Problem(
                503,
                "knowledge-stale",
                "Reference preferences are not known well enough at the moment",
                "Lists without references are served: use select.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        return [
            self._item(held[hit.doi], reader, hit.score, query.select)
            for hit in page.hits
            # The index may be ahead of the store by a moment.
            if hit.doi in held
        ]

    def _item(
        self, document: Document, reader: Reader, score: float | None, select: Sequence[str]
    ) -> dict[str, Any]:
        seen = self.host.seen(document, reader, outlet=OUTLET)
        return render_item(
            seen.record,
            seen.ownership,
            cited_by=seen.cited_by,
            visibility=seen.visibility,
            policy=self.host.gate.policy,
            score=score,
            select=select,
        )


def _caching(visibility: Visible | Withheld) -> Mapping[str, str]:
    stale = isinstance(visibility, Withheld) and visibility.reason == "knowledge-stale"
    return UNSTORED if stale else GUARDED
