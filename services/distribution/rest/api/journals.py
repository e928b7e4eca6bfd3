"""Journals, and the works of each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get, refuse, single, unknown_works
from services.distribution.rest.api.summaries import Summaries
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.failure import Failure
from services.distribution.rest.filters import read_issn
from services.distribution.rest.journals import (
    issn_kinds,
    journal_of,
    list_journals,
    render_journal,
)
from services.distribution.rest.params import parse_list
from services.distribution.rest.pools import respond
from services.distribution.rest.routes import JOURNALS, WORKS
from services.distribution.search import Moment, OneOf, Order, SearchRequest, Term
from shared.events import TitleState
from shared.web import Route


@dataclass(frozen=True, slots=True)
class JournalsApi:
    """``/journals``: the titles of members that have an ISSN."""

    host: Host
    works: WorksApi
    summaries: Summaries

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of journals."""
        return (
            get("/journals", self.list_journals, "List journals", "journal-list", JOURNALS),
            get("/journals/{issn}", single(self.one_journal), "Show a journal", "journal"),
            get(
                "/journals/{issn}/works",
                self.works_of_journal,
                "List a journal's works",
                "work-list",
                WORKS,
            ),
        )

    async def list_journals(self, request: web.Request) -> web.Response:
        """``GET /journals``."""
        query = parse_list(JOURNALS, request.query.items())
        if isinstance(query, list):
            return refuse(request, query)
        known = self.host.gate.titles.journals()
        # A hundred thousand names take a while, in which the gate must go on learning.
        page = await asyncio.to_thread(list_journals, known, query, cursor_key=self.host.key)
        if isinstance(page, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(page))
        message = envelope.name_list(await self._rendered(page.items), page=page, query=query)
        return respond(request, envelope.success("journal-list", message))

    async def one_journal(self, request: web.Request) -> web.Response:
        """``GET /journals/{issn}``."""
        title = self._journal(request)
        if title is None:
            return respond(request, envelope.resource_not_found("journal"))
        (message,) = await self._rendered([title])
        return respond(request, envelope.success("journal", message))

    async def works_of_journal(self, request: web.Request) -> web.Response:
        """``GET /journals/{issn}/works``: those with any of its ISSNs."""
        title = self._journal(request)
        if title is None:
            return unknown_works(request)
        return await self.works.within(
            request, plan.Scope("journal", title.subject, _works_of(title))
        )

    def _journal(self, request: web.Request) -> TitleState | None:
        issn = read_issn(request.match_info["issn"])
        return None if isinstance(issn, Failure) else self.host.gate.titles.journal(str(issn))

    async def _rendered(self, titles: Sequence[TitleState]) -> list[dict[str, Any]]:
        """Render journals; of which medium an ISSN is, their newest works say."""
        newest = await asyncio.gather(*map(self._newest, titles))
        held = await self.host.works.many([doi for doi in newest if doi])
        checked = self.summaries.now()
        return [
            render_journal(
                journal_of(title, self.host.gate.publisher_name(title.owner_prefix)),
                await self.summaries.of(_works_of(title), checked=checked),
                kinds=issn_kinds(held[doi]["work"]) if doi in held else {},
                checked=checked,
            )
            for title, doi in zip(titles, newest, strict=True)
        ]

    async def _newest(self, title: TitleState) -> str | None:
        asked = SearchRequest((_works_of(title),), order=Order(Moment.DEPOSITED), rows=1)
        hits = (await asyncio.to_thread(self.host.index.search, asked)).hits
        return hits[0].doi if hits else None


def _works_of(title: TitleState) -> OneOf:
    return OneOf(Term.ISSN, frozenset(title.issns))
