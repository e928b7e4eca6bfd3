"""Whose data is delivered beside members' own, and under which terms (CRP-12b, CRP-12e)."""

from dataclasses import dataclass

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope
from services.distribution.rest.api.common import get, single
from services.distribution.rest.pools import respond
from shared.policy.sources import RELATIONS, SourcesPolicy
from shared.web import Route


@dataclass(frozen=True, slots=True)
class SourcesApi:
    """``/sources``: the terms page of third parties, for machines."""

    host: Host

    def routes(self) -> tuple[Route, ...]:
        """Return its route."""
        handler = single(self.list_sources)
        return (
            get("/sources", handler, "List third-party sources and their terms", "source-list"),
        )

    async def list_sources(self, request: web.Request) -> web.Response:
        """``GET /sources``."""
        policy = self.host.gate.policy.sources
        stated = policy.stated() if policy else []
        return respond(request, envelope.success("source-list", envelope.plain_list(stated)))


def terms_of(register: str, policy: SourcesPolicy | None) -> dict[str, str]:
    """Return the header that an answer from a register carries: its source's terms (CRP-12b)."""
    row = policy.register(register) if policy else None
    if policy is None or row is None:
        return {}
    said = policy.party(row.party).stated()
    links = (
        f'<{said[name]}>; rel="{rel}"; title="{said["id"]}"'
        for name, rel in RELATIONS.items()
        if name in said
    )
    return {"Link": ", ".join(links)}
