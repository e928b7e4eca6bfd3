"""Members and prefixes, and the works of each."""

import re
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get, refuse, single, unknown_works
from services.distribution.rest.api.summaries import Summaries
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.failure import Failure, not_an_integer
from services.distribution.rest.members import (
    COUNTED,
    Member,
    OwnedPrefix,
    list_members,
    render_member,
    render_prefix,
)
from services.distribution.rest.params import parse_list
from services.distribution.rest.pools import respond
from services.distribution.rest.routes import MEMBERS, WORKS
from services.distribution.search import OneOf, Term
from shared.web import Route

_DIGITS: Final = re.compile("^[0-9]+$")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")  # no member has a longer one
_DESCRIBED: Final = {"pattern": _DIGITS.pattern}


@dataclass(frozen=True, slots=True)
class MembersApi:
    """``/members`` and ``/prefixes``."""

    host: Host
    works: WorksApi
    summaries: Summaries

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of members and prefixes."""
        return (
            get("/members", self.list_members, "List members", "member-list", MEMBERS),
            get("/members/{id}", single(self.one_member), "Show a member", "member", id=_DESCRIBED),
            get(
                "/members/{id}/works",
                self.works_of_member,
                "List a member's works",
                "work-list",
                WORKS,
                id=_DESCRIBED,
            ),
            get("/prefixes/{prefix}", single(self.one_prefix), "Show a prefix", "prefix"),
            get(
                "/prefixes/{prefix}/works",
                self.works_of_prefix,
                "List the works of an owner prefix",
                "work-list",
                WORKS,
            ),
        )

    async def list_members(self, request: web.Request) -> web.Response:
        """``GET /members``."""
        query = parse_list(MEMBERS, request.query.items())
        if isinstance(query, list):
            return refuse(request, query)
        everyone = [
            member for number in self.host.gate.members() if (member := self._known(number))
        ]
        counted = any(name in COUNTED for name, _ in query.filters)
        works = await self.summaries.by_owner() if counted else None
        page = list_members(everyone, query, works=works, cursor_key=self.host.key)
        if isinstance(page, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(page))
        rendered = [await self._rendered(member) for member in page.items]
        message = envelope.name_list(rendered, page=page, query=query)
        return respond(request, envelope.success("member-list", message))

    async def one_member(self, request: web.Request) -> web.Response:
        """``GET /members/{id}``."""
        if failures := _malformed(request):
            return refuse(request, failures)
        number = self._member(request)
        member = self._known(number) if number is not None else None
        if member is None:
            return respond(request, envelope.resource_not_found("member"))
        return respond(request, envelope.success("member", await self._rendered(member)))

    async def one_prefix(self, request: web.Request) -> web.Response:
        """``GET /prefixes/{prefix}``."""
        state = self.host.gate.prefix(request.match_info["prefix"])
        if state is None:
            return respond(request, envelope.resource_not_found("prefix"))
        message = render_prefix(state.prefix, member=state.owner, name=state.owner_name)
        return respond(request, envelope.success("prefix", message))

    async def works_of_member(self, request: web.Request) -> web.Response:
        """``GET /members/{id}/works``."""
        if failures := _malformed(request):
            return refuse(request, failures)
        member = self._member(request)
        if member is None:
            return unknown_works(request)
        return await self.works.within(request, plan.of_member(member, self.host.gate))

    async def works_of_prefix(self, request: web.Request) -> web.Response:
        """``GET /prefixes/{prefix}/works``."""
        prefix = request.match_info["prefix"]
        if self.host.gate.prefix(prefix) is None:
            return unknown_works(request)
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
        prefixes = frozenset(prefix.value for prefix in member.prefixes)
        checked = self.summaries.now()
        summary = await self.summaries.of(OneOf(Term.OWNER, prefixes), checked=checked)
        return render_member(member, summary, checked=checked)


def _malformed(request: web.Request) -> list[Failure]:
    """Return what is wrong with the number of a path: one that is none is not merely unknown.

    Clients tell the two apart (crossref-commons raises another fault).
    """
    text = request.match_info["id"]
    return [] if _DIGITS.fullmatch(text) else [not_an_integer(text)]
