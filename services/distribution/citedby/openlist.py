"""``/works/{doi}/cited-by``: the citing works whose references the reader may see, for everyone.

Who reads a work's open reference list reads that it cites another one; this list says the same from
the other end and no more. Beside it stands the whole count, so that what is withheld is plain.
"""

import heapq
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, Field

from services.distribution.citedby.asking import PRIVATE, refuse_stale
from services.distribution.citedby.citers import Citers
from services.distribution.gate import Subject
from services.distribution.host import Host
from services.distribution.projections import cited
from services.distribution.rest import envelope
from services.distribution.rest.api.common import doi_in
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.pools import respond
from services.distribution.rest.render import render_item
from services.distribution.search import After, FromStart, fingerprint, read_cursor, write_cursor
from shared.policy import Reader, Visible
from shared.web import Problem, Route, query_of

SHOWN: Final = (
    "DOI", "URL", "type", "title", "container-title", "author", "issued", "publisher", "member",
    "is-referenced-by-count",
)  # fmt: skip
START: Final = "*"


class CitedByQuery(BaseModel):
    """Which page of the list."""

    rows: int = Field(default=20, ge=0, le=1000)
    cursor: str = Field(
        default=START, max_length=2_000, description="`*`, then `next-cursor` of the page before."
    )
    mailto: str = Field(default="", max_length=500, description="Who asks, as elsewhere.")


@dataclass(frozen=True, slots=True)
class OpenList:
    """The list; ``outlet`` is the row of the policy that it asks about, of each citing work."""

    host: Host
    citers: Citers
    outlet: str

    def routes(self) -> tuple[Route, ...]:
        """Return its route; it must stand before ``/works/{doi}``."""
        return (
            Route(
                "GET",
                "/works/{+doi}/cited-by",
                self.answer,
                "List the works that cite a work, by references that the reader may see",
                query=CitedByQuery,
                responses={200: "citing-work-list", 404: "Unknown"},
                auth="optional",
                tags=("cited-by",),
            ),
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one page, by DOI of the citing works."""
        doi = doi_in(request)
        document = (await self.host.works.bare([doi])).get(doi)
        if document is None:  # a DOI may end so itself
            whole = f"{doi}/cited-by"
            if not await self.host.works.bare([whole]):
                return respond(request, envelope.resource_not_found("work"))
            request.match_info["doi"] = whole
            return await WorksApi(self.host).one_work(request)
        query = query_of(request, CitedByQuery)
        after = self._after(doi, query.cursor)
        if not self.host.gate.fresh():
            raise refuse_stale()
        reader = self.host.reader(request)
        total, dois = await self._page(doi, reader, after=after, rows=query.rows)
        items = await self._items(doi, dois, reader)
        message: dict[str, Any] = {
            "DOI": doi,
            "total-results": total,
            "is-referenced-by-count": document.get("cited_by", 0),
            "items-per-page": query.rows,
            "items": items,
        }
        if dois:
            message["next-cursor"] = self._cursor(doi, dois[-1])
        if not self.host.gate.fresh():
            raise refuse_stale()
        return respond(request, envelope.success("citing-work-list", message), PRIVATE)

    async def _page(
        self, doi: str, reader: Reader, *, after: str, rows: int
    ) -> tuple[int, list[str]]:
        """Return how many the reader may see in all, and the next of them.

        All names go through the gate, one page of them in memory at a time.
        """
        total = 0
        page: list[str] = []
        async for names in self.citers.named(doi):
            seen = [one.doi for one in names if self._sees(Subject(one.doi, one.title), reader)]
            total += len(seen)
            page = heapq.nsmallest(rows, [*page, *(one for one in seen if one > after)])
        return total, page

    def _sees(self, citing: Subject, reader: Reader) -> bool:
        seen = self.host.gate.visibility(citing, reader, outlet=self.outlet)
        return isinstance(seen, Visible)

    async def _items(self, doi: str, dois: list[str], reader: Reader) -> list[dict[str, Any]]:
        """Return the works of a page as they are now; each asks the gate again."""
        held = await self.host.works.many(dois)
        items = []
        for name in dois:
            if name not in held or doi not in cited(held[name]["work"]):
                continue  # redeposited without it a moment ago
            seen = self.host.seen(held[name], reader, outlet=self.outlet)
            if isinstance(seen.visibility, Visible):
                item = render_item(
                    seen.record,
                    seen.ownership,
                    cited_by=seen.cited_by,
                    visibility=seen.visibility,
                    policy=self.host.gate.policy,
                    select=SHOWN,
                )
                items.append(item)
        return items

    def _after(self, doi: str, cursor: str) -> str:
        if cursor == START:
            return ""
        match read_cursor(cursor, question=_question(doi), key=self.host.key):
            case After(doi=last):
                return last
            case FromStart():
                return ""
        raise Problem(400, "cursor-invalid", "The cursor is not one of this list")

    def _cursor(self, doi: str, last: str) -> str:
        return write_cursor(After(key=0, doi=last), question=_question(doi), key=self.host.key)


def _question(doi: str) -> bytes:
    return fingerprint(["cited-by", doi])
