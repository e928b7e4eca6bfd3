"""``/servlet/getForwardLinks``: who cites a work, to its owner alone (CRR-5).

For a DOI, or for all of a prefix; then the owner of each cited work is asked for by itself, since a
work may be another member's by now. Pages are decided and sent one by one: an answer of any length
takes the memory of one. Where knowledge grows too old meanwhile the connection ends, and the client
sees that the answer is not whole.
"""

import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import Field

from services.distribution.citedby import elements
from services.distribution.citedby.asking import (
    DOI,
    FLAG,
    UNSTORED,
    OfOneDoi,
    caller_in,
    doi_of,
    fields_of,
    is_prefix,
    is_true,
    period_of,
    require,
    servlet,
)
from services.distribution.citedby.citers import Citers, Link
from services.distribution.gate import Subject
from services.distribution.host import Host
from shared.policy import Reader, Visible
from shared.web import Caller, Problem, Route

XML: Final = "text/xml;charset=utf-8"


class LinksQuery(OfOneDoi):
    """Whose citations, made known on which days."""

    doi: str = Field(**DOI, description="A DOI, or a prefix for all of its works.")
    startDate: dt.date | None = Field(None, description="The first day of the matches.")  # noqa: N815
    endDate: dt.date | None = Field(None, description="The last; not before `startDate`.")  # noqa: N815
    date: dt.date | None = Field(None, description="One day, in place of both.")
    include_postedcontent: str = Field("", max_length=FLAG, description="`true`: it too.")


@dataclass(frozen=True, slots=True)
class ForwardLinks:
    """The servlet; ``outlet`` is the row of the policy that it asks about."""

    host: Host
    citers: Citers
    outlet: str

    def routes(self) -> tuple[Route, ...]:
        """Return its routes."""
        return servlet(
            "/servlet/getForwardLinks",
            self.answer,
            "List the works that cite a DOI or a prefix of one's own",
            asked=LinksQuery,
            response="crossref_result 2.0",
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer by DOI or by prefix."""
        said = await fields_of(request)
        asked = doi_of(said.get("doi", ""))
        if not asked:
            raise Problem(400, "no-doi", "Give a DOI or a prefix in the parameter doi")
        caller = await caller_in(request, said, self.host)
        period = period_of(said)
        posted = is_true(said.get("include_postedcontent"))
        await self._admit(asked, self._reader(caller))
        if is_prefix(asked):
            pages = self.citers.citing_prefix(
                asked, period=period, posted=posted, today=self.host.clock.now().date()
            )
        else:
            pages = self.citers.citing(asked, period=period, posted=posted)
        if request.method == "HEAD":
            return web.Response(headers={**UNSTORED, "Content-Type": XML})
        response = web.StreamResponse(headers={**UNSTORED, "Content-Type": XML})
        await response.prepare(request)
        await response.write(elements.HEAD)
        async with aclosing(pages), aclosing(self._written(pages, caller)) as pieces:
            async for piece in pieces:
                await response.write(piece)
        await response.write(elements.TAIL)
        await response.write_eof()
        return response

    def _reader(self, caller: Caller) -> Reader:
        return caller.reader(self.host.clock.now())

    async def _admit(self, asked: str, reader: Reader) -> None:
        """Raise ``Problem`` for a DOI or prefix that is not of the reader's organisation.

        Of what nobody registered the owner of the prefix decides.
        """
        found = None if is_prefix(asked) else await self.host.works.position(asked)
        subject = Subject(asked, found["title"] if found else None)
        require(self.host.gate.visibility(subject, reader, outlet=self.outlet), reader)

    async def _written(
        self, pages: AsyncIterator[list[Link]], caller: Caller
    ) -> AsyncGenerator[bytes, None]:
        async for page in pages:
            titles = await self._titles(page)
            may = partial(self._may, titles=titles, reader=self._reader(caller))
            pieces = [
                elements.forward_link(
                    link.cited,
                    link.citing["_id"],
                    link.citing["work"],
                    cited_by=link.citing.get("cited_by", 0),
                )
                for link in page
                if may(link.cited)
            ]
            if not self.host.gate.fresh():
                raise ConnectionResetError("what owners say is not known well enough to go on")
            yield b"".join(pieces)

    async def _titles(self, page: Sequence[Link]) -> dict[str, str | None]:
        held = await self.citers.registered(sorted({link.cited for link in page}))
        return {doi: document.get("title") for doi, document in held.items()}

    def _may(self, cited: str, *, titles: dict[str, str | None], reader: Reader) -> bool:
        subject = Subject(cited, titles.get(cited))
        seen = self.host.gate.visibility(subject, reader, outlet=self.outlet)
        return isinstance(seen, Visible)
