"""``/openurl``: where a work is, what it is, and how often it is cited; for everyone.

By DOI (``id=doi:...``), or by what a reference says: issn or title, volume, spage, date, aulast.
The address or login in ``pid`` is not looked at, and is in no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel, Field
from yarl import URL

from services.distribution.citedby import elements
from services.distribution.citedby.asking import ADDRESS, DOI, FLAG, doi_of, fields_of, is_true
from services.distribution.citedby.citers import Citers
from services.distribution.citedby.forward import XML
from services.distribution.host import Host
from services.distribution.matching import references
from services.distribution.matching.scoring import choose
from shared.mongo.client import Document
from shared.web import Problem, Route, text_answer

CURRENT: Final = {"Cache-Control": "no-cache"}
KEYS: Final[Mapping[str, str]] = {
    "issn": "ISSN",
    "title": "journal-title",
    "stitle": "journal-title",
    "atitle": "article-title",
    "volume": "volume",
    "spage": "first-page",
    "date": "year",
    "aulast": "author",
}
"""Key of an OpenURL -> field of a reference; the last that is given counts."""


class OpenUrlQuery(BaseModel):
    """Which work, by its DOI; by what describes it where keys of a reference stand beside `id`."""

    id: str = Field(
        **DOI,
        description="`doi:` and a DOI. `rft_id` and `doi` say the same; else "
        "issn or title, volume, spage, date and aulast describe the work.",
    )
    noredirect: str = Field("", max_length=FLAG, description="`true`: say what it is.")
    redirect: str = Field("", max_length=FLAG, description="`false`: the same.")
    pid: str = Field("", max_length=ADDRESS, description="Who asks; it is not looked at.")


@dataclass(frozen=True, slots=True)
class OpenUrl:
    """The resolver."""

    host: Host
    citers: Citers

    def routes(self) -> tuple[Route, ...]:
        """Return its routes."""
        return tuple(
            Route(
                "GET",
                path,
                self.answer,
                "Find a work by DOI or description: its count, or its place",
                query=OpenUrlQuery,
                responses={200: "crossref_result 2.0", 302: "The work", 404: "Unknown"},
                tags=("cited-by",),
            )
            for path in ("/openurl", "/servlet/openurl")
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Say what a work is, or lead to it."""
        said = await fields_of(request)
        doi, found = await self._found(said)
        if not (is_true(said.get("noredirect")) or said.get("redirect") == "false"):
            return _lead(found)
        work = None if found is None else found["work"]
        count = 0 if found is None else found.get("cited_by", 0)
        body = elements.query(doi, work, cited_by=count)
        headers = {**CURRENT, "Content-Type": XML}
        return web.Response(body=elements.QUERY_HEAD + body + elements.TAIL, headers=headers)

    async def _found(self, said: Mapping[str, str]) -> tuple[str, Document | None]:
        named = said.get("id") or said.get("rft_id") or said.get("doi")
        if named:
            doi = doi_of(named)
            return doi, (await self.host.works.bare([doi])).get(doi)
        reference = {KEYS[key]: text for key, text in said.items() if key in KEYS and text}
        reading = references.read(reference)
        if reading is None:
            raise Problem(400, "nothing-asked", "Give id=doi:..., or what describes a work")
        offering = await self.citers.matches.offering(references.wanted(reading))
        chosen = choose(reading, (card for card, _ in offering.values()))
        if chosen is None:
            return "", None
        return chosen, (await self.host.works.bare([chosen])).get(chosen)


def _lead(found: Document | None) -> web.Response:
    place = {} if found is None else found["work"].get("resource", {}).get("primary", {})
    address = str(place.get("URL") or "")
    if not _leads(address):
        return text_answer("Resource not found.", status=404, headers=CURRENT)
    return web.Response(status=302, headers={**CURRENT, "Location": address})


def _leads(address: str) -> bool:
    try:
        url = URL(address)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and address.isprintable()
