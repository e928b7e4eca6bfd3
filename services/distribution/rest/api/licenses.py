"""Licences: how many of the works that a query finds are under each."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get, refuse
from services.distribution.rest.names import page_of
from services.distribution.rest.params import parse_list
from services.distribution.rest.pools import respond
from services.distribution.rest.routes import LICENSES
from services.distribution.search import Facet, SearchRequest, Text, Words
from shared.web import Route


@dataclass(frozen=True, slots=True)
class LicensesApi:
    """``/licenses``."""

    host: Host

    def routes(self) -> tuple[Route, ...]:
        """Return its route."""
        return (
            get(
                "/licenses", self.list_licenses, "List licences of works", "license-list", LICENSES
            ),
        )

    async def list_licenses(self, request: web.Request) -> web.Response:
        """``GET /licenses``: by address; the query asks for works."""
        query = parse_list(LICENSES, request.query.items())
        if isinstance(query, list):
            return refuse(request, query)
        texts = (Words(Text.FREE, query.query),) if query.query else ()
        asked = SearchRequest(texts=texts, rows=0, facets=(Facet.LICENSE,))
        found = await asyncio.to_thread(self.host.index.search, asked)
        licenses = (
            ((0, url), {"URL": url, "work-count": count})
            for url, count in found.facets[Facet.LICENSE].items()
        )
        page = page_of(licenses, query, kind="licenses", cursor_key=self.host.key)
        if isinstance(page, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(page))
        message = envelope.plain_list(page.items, total=page.total, cursor=page.next_cursor)
        return respond(request, envelope.success("license-list", message))
