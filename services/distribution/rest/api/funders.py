"""Funders, and the works that name each or a part of it."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiohttp import web

from services.distribution.host import Host
from services.distribution.registers import Funder, Registers
from services.distribution.registers.funders import Funders, render_funder, render_single
from services.distribution.registers.records import funder_id
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get, refuse, single, unknown_works
from services.distribution.rest.api.sources import terms_of
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.names import Place, answers, page_of, tokens
from services.distribution.rest.params import ListQuery, parse_list
from services.distribution.rest.pools import respond
from services.distribution.rest.routes import FUNDERS, WORKS
from services.distribution.search import OneOf, SearchRequest, Term
from shared.web import Route

REGISTER = "funders"


@dataclass(frozen=True, slots=True)
class FundersApi:
    """``/funders``: the register that an operator imported."""

    host: Host
    works: WorksApi
    registers: Registers

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of funders; an id may be a DOI."""
        return (
            get("/funders", self.list_funders, "List funders", "funder-list", FUNDERS),
            get(
                "/funders/{+id}/works",
                self.works_of_funder,
                "List the works that name a funder or a part of it",
                "work-list",
                WORKS,
            ),
            get("/funders/{+id}", single(self.one_funder), "Show a funder", "funder"),
        )

    async def list_funders(self, request: web.Request) -> web.Response:
        """``GET /funders``: the highest of each hierarchy first."""
        query = parse_list(FUNDERS, request.query.items())
        if isinstance(query, list):
            return refuse(request, query)
        # Tens of thousands of names take a while, in which the gate must go on learning.
        page = await asyncio.to_thread(
            page_of, _found(self._held(), query), query, kind="funders", cursor_key=self.host.key
        )
        if isinstance(page, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(page))
        message = envelope.name_list(map(render_funder, page.items), page=page, query=query)
        return respond(request, envelope.success("funder-list", message), self._terms())

    async def one_funder(self, request: web.Request) -> web.Response:
        """``GET /funders/{id}``."""
        held = self._held()
        funder = _asked(request, held)
        if funder is None:
            return respond(request, envelope.resource_not_found("funder"))
        below = held.descendants(funder.id)
        message = render_single(
            funder,
            held,
            works=await self._count([funder.id]),
            with_descendants=await self._count([funder.id, *below]),
        )
        return respond(request, envelope.success("funder", message), self._terms())

    async def works_of_funder(self, request: web.Request) -> web.Response:
        """``GET /funders/{id}/works``."""
        held = self._held()
        funder = _asked(request, held)
        if funder is None:
            return unknown_works(request)
        clause = _naming([funder.id, *held.descendants(funder.id)])
        return await self.works.within(request, plan.Scope("funder", funder.id, clause))

    def _held(self) -> Funders:
        """Return the register, as far as its source lets it be shown."""
        sources = self.host.gate.policy.sources
        row = sources.register(REGISTER) if sources else None
        return Funders() if row and row.restricted else self.registers.funders

    def _terms(self) -> dict[str, str]:
        return terms_of(REGISTER, self.host.gate.policy.sources)

    async def _count(self, numbers: Iterable[str]) -> int:
        asked = SearchRequest((_naming(numbers),), rows=0)
        return (await asyncio.to_thread(self.host.index.search, asked)).total


def _found(held: Funders, query: ListQuery) -> Iterator[tuple[Place, Funder]]:
    """Yield the funders that a query finds; the highest of each hierarchy stand first."""
    words, places = tokens(query.query or ""), dict(query.filters).get("location")
    for one in held.by_id.values():
        named = answers(words, (one.name, *one.alt_names))
        if named and (places is None or one.location in places):
            yield (held.levels[one.id], f"{int(one.id):015}"), one


def _asked(request: web.Request, held: Funders) -> Funder | None:
    number = funder_id(request.match_info["id"])
    return held.by_id.get(number) if number else None


def _naming(numbers: Iterable[str]) -> OneOf:
    return OneOf(Term.FUNDER, frozenset(numbers))
