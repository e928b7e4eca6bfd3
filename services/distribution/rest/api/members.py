"""Members and prefixes, and the works of each."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.members import (
    Member,
    OwnedPrefix,
    list_members,
    render_member,
    render_prefix,
)
from services.distribution.rest.params import parse_members, parse_single
from services.distribution.rest.pools import respond
from services.distribution.rest.summary import Summary, summarise
from services.distribution.search import Facet, OneOf, Term
from shared.web import Route

_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class MembersApi:
    """``/members`` and ``/prefixes``."""

    host: Host
    works: WorksApi
    _summaries: dict[tuple[int, frozenset[str]], Summary] = field(default_factory=dict)

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of members and prefixes."""
        return (
            get("/members", self.list_members, "List members", "member-list"),
            get("/members/{id}", self.one_member, "Show a member", "member"),
            get("/members/{id}/works", self.works_of_member, "List a member's works", "work-list"),
            get("/prefixes/{prefix}", self.one_prefix, "Show a prefix", "prefix"),
            get(
                "/prefixes/{prefix}/works",
                self.works_of_prefix,
                "List the works of an owner prefix",
                "work-list",
            ),
        )

    async def list_members(self, request: web.Request) -> web.Response:
        """``GET /members``."""
        query = parse_members(request.query.items())
        if isinstance(query, list):
            return respond(request, envelope.validation_failure(query))
        everyone = [
            member for number in self.host.gate.members() if (member := self._known(number))
        ]
        page = list_members(everyone, query, cursor_key=self.host.key)
        if isinstance(page, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(page))
        message = envelope.member_list(
            [await self._rendered(member) for member in page.members],
            total=page.total,
            rows=query.rows,
            offset=query.offset,
            terms=query.query,
            cursor=page.next_cursor,
        )
        return respond(request, envelope.success("member-list", message))

    async def one_member(self, request: web.Request) -> web.Response:
        """``GET /members/{id}``."""
        refused = parse_single(request.query.items())
        if isinstance(refused, list):
            return respond(request, envelope.validation_failure(refused))
        number = self._member(request)
        member = self._known(number) if number is not None else None
        if member is None:
            return respond(request, envelope.resource_not_found("member"))
        return respond(request, envelope.success("member", await self._rendered(member)))

    async def one_prefix(self, request: web.Request) -> web.Response:
        """``GET /prefixes/{prefix}``."""
        refused = parse_single(request.query.items())
        if isinstance(refused, list):
            return respond(request, envelope.validation_failure(refused))
        state = self.host.gate.prefix(request.match_info["prefix"])
        if state is None:
            return respond(request, envelope.resource_not_found("prefix"))
        message = render_prefix(state.prefix, member=state.owner, name=state.owner_name)
        return respond(request, envelope.success("prefix", message))

    async def works_of_member(self, request: web.Request) -> web.Response:
        """``GET /members/{id}/works``."""
        member = self._member(request)
        if member is None:
            return respond(request, envelope.resource_not_found("work-list"))
        return await self.works.within(request, plan.of_member(member, self.host.gate))

    async def works_of_prefix(self, request: web.Request) -> web.Response:
        """``GET /prefixes/{prefix}/works``."""
        prefix = request.match_info["prefix"]
        if self.host.gate.prefix(prefix) is None:
            return respond(request, envelope.resource_not_found("work-list"))
        return await self.works.within(request, plan.of_prefix(prefix))

    def _member(self, request: web.Request) -> int | None:
        """Return the member a path names, None where there is none."""
        text = request.match_info["id"]
        if not _NUMBER.fullmatch(text):
            return None
        number = int(text)
        return number if self.host.gate.prefixes_of_member(number) else None

    def _known(self, number: int) -> Member | None:
        state = self.host.directory.get(number)
        if state is None:
            return None
        owned = sorted(self.host.gate.prefixes_of_member(number))
        return Member(
            id=number,
            primary_name=state.name,
            names=state.names or (state.name,),
            location=state.location,
            prefixes=tuple(
                OwnedPrefix(prefix, self.host.gate.publisher_name(prefix) or "", setting)
                for prefix in owned
                if (setting := self.host.gate.setting(prefix))
            ),
        )

    async def _rendered(self, member: Member) -> dict[str, Any]:
        """Render a member; its summary is kept until the index changes."""
        prefixes = frozenset(prefix.value for prefix in member.prefixes)
        key = (self.host.index.generation, prefixes)
        checked = int(self.host.clock.now().timestamp() * 1000)
        summary = self._summaries.get(key)
        if summary is None:
            clause = OneOf(Term.OWNER, prefixes)
            counted = await asyncio.to_thread(self.host.index.count, [clause], Facet.PROFILE)
            summary = summarise(counted, this_year=self.host.clock.now().year, checked=checked)
            if any(generation != key[0] for generation, _ in self._summaries):
                self._summaries.clear()
            self._summaries[key] = summary
        return render_member(member, summary, checked=checked)
