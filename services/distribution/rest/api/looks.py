"""What can be asked of one DOI beside its record: whose it is, and how well it is described."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.distribution.host import Host
from services.distribution.registers import Registers
from services.distribution.rest import envelope
from services.distribution.rest.api.common import doi_in, get, single
from services.distribution.rest.api.sources import terms_of
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.pools import respond
from services.distribution.rest.quality import judge
from services.distribution.rest.render import SOURCE, registered
from shared.web import Route

REGISTER: Final = "agencies"


@dataclass(frozen=True, slots=True)
class LooksApi:
    """``/works/{doi}/agency`` and ``/works/{doi}/quality``."""

    host: Host
    works: WorksApi
    registers: Registers

    def routes(self) -> tuple[Route, ...]:
        """Return its routes."""
        return (
            get(
                "/works/{+doi}/agency",
                single(self.agency),
                "Show which agency registers a DOI",
                "work-agency",
            ),
            get(
                "/works/{+doi}/quality",
                single(self.quality),
                "Show how well a work is described",
                "work-quality",
            ),
        )

    async def agency(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/agency``: ours where we have the work, else whose its prefix is."""
        doi = doi_in(request)
        if await self.host.works.position(doi) is not None:
            return respond(request, envelope.success("work-agency", _agency(doi, SOURCE)))
        label = self._other(doi)
        if label is None:
            return await self._ending(request, "agency")
        message = _agency(doi, label)
        terms = terms_of(REGISTER, self.host.gate.policy.sources)
        return respond(request, envelope.success("work-agency", message), terms)

    async def quality(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/quality``: fifteen checks; none of them shows a reference."""
        found = await self.host.works.one(doi_in(request))
        if found is None:
            return await self._ending(request, "quality")
        return respond(request, envelope.success("work-quality", judge(registered(found).work)))

    async def _ending(self, request: web.Request, word: str) -> web.Response:
        """Answer for a DOI that is not there, or that itself ends with the word."""
        doi = f"{doi_in(request)}/{word}"
        if await self.host.works.position(doi) is not None:
            return await self.works.show(request, doi)
        return respond(request, envelope.resource_not_found(f"work-{word}"))

    def _other(self, doi: str) -> str | None:
        sources = self.host.gate.policy.sources
        row = sources.register(REGISTER) if sources else None
        return None if row and row.restricted else self.registers.agency(doi)


def _agency(doi: str, label: str) -> dict[str, object]:
    return {"DOI": doi, "agency": {"id": "".join(label.lower().split()), "label": label}}
