"""``/getResolvedRefs``: which works a member's own references were matched to."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.distribution.citedby.asking import (
    UNSTORED,
    OfOneDoi,
    caller_in,
    doi_of,
    fields_of,
    require,
    servlet,
)
from services.distribution.gate import Subject
from services.distribution.host import Host
from shared.web import Problem, Route, json_answer


@dataclass(frozen=True, slots=True)
class Resolved:
    """The route; what it shows was deposited by who asks, or follows from it."""

    host: Host
    outlet: str

    def routes(self) -> tuple[Route, ...]:
        """Return its routes."""
        return servlet(
            "/getResolvedRefs",
            self.answer,
            "List the references of a work of one's own that a DOI is known for",
            asked=OfOneDoi,
            response="matched-references",
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer for one work."""
        said = await fields_of(request)
        doi = doi_of(said.get("doi", ""))
        if not doi:
            raise Problem(400, "no-doi", "Give a DOI in the parameter doi")
        caller = await caller_in(request, said, self.host)
        reader = caller.reader(self.host.clock.now())
        found = await self.host.works.one(doi)
        subject = Subject(doi, None) if found is None else Subject.of(found)
        # Asked first: who may not know does not learn what is registered.
        require(self.host.gate.visibility(subject, reader, outlet=self.outlet), reader)
        if found is None:
            raise Problem(404, "no-such-work", "This DOI is not registered here")
        matched: list[dict[str, Any]] = [
            {
                "key": reference.get("key"),
                "doi": reference["DOI"],
                "doi-asserted-by": reference.get("doi-asserted-by", "publisher"),
            }
            for reference in found["work"].get("reference", ())
            if reference.get("DOI")
        ]
        return json_answer({"doi": doi, "matched-references": matched}, headers=UNSTORED)
