"""The REST routes: read the question, find the records, ask the gate, answer. No decisions."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from services.distribution.directory import Directory
from services.distribution.gate import Gate, Subject
from services.distribution.rest import envelope, plan
from services.distribution.rest.envelope import Answer
from services.distribution.rest.facets import facets_message
from services.distribution.rest.members import (
    Member,
    OwnedPrefix,
    list_members,
    render_member,
    render_prefix,
)
from services.distribution.rest.params import (
    WorksQuery,
    parse_members,
    parse_single,
    parse_works,
)
from services.distribution.rest.pools import respond
from services.distribution.rest.position import Positions
from services.distribution.rest.render import RegisteredWork, render_item, render_single
from services.distribution.rest.summary import Summary, summarise
from services.distribution.search import Facet, OneOf, SearchIndex, SearchPage, Term
from services.distribution.store import Works
from shared.policy import Reader, Visible, Withheld
from shared.runtime.clock import SYSTEM, Clock
from shared.web import VARY, Problem, Route, caller_of

OUTLET: Final = "rest"
GUARDED: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
CURRENT: Final = {"Cache-Control": "no-cache"}
UNSTORED: Final = {"Cache-Control": "no-store", "Vary": VARY}
RETRY_SECONDS: Final = 2  # watermarks come each second
CARRYING: Final = frozenset({"reference", "relation"})  # selectable fields that references are in

_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(slots=True)
class Rest:
    """The REST interface of this host."""

    gate: Gate
    directory: Directory
    works: Works
    index: SearchIndex
    cursor_key: bytes
    clock: Clock = SYSTEM
    _summaries: dict[tuple[int, frozenset[str]], Summary] = field(default_factory=dict)

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of crossref.md 1.2 that there are so far."""

        def get(path: str, handler: Any, summary: str, message: str) -> Route:
            return Route(
                "GET",
                path,
                handler,
                summary,
                responses={200: message, 400: "What is wrong with the parameters", 404: "Unknown"},
                auth="optional",
                tags=("rest",),
            )

        return (
            get("/works", self.list_works, "List works", "work-list"),
            get("/works/{+doi}/position", self.position, "Show where a work is", "work-position"),
            get("/works/{+doi}", self.one_work, "Show a work", "work"),
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

    async def one_work(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}``."""
        if request.query_string:
            asked = parse_single(request.query.items())
            if isinstance(asked, list):
                return respond(request, envelope.validation_failure(asked))
        return await self._one(request, request.match_info["doi"].lower())

    async def position(self, request: web.Request) -> web.Response:
        """``GET /works/{doi}/position``: in the store, in the lists, under whose setting."""
        refused = parse_single(request.query.items())
        if isinstance(refused, list):
            return respond(request, envelope.validation_failure(refused))
        doi = request.match_info["doi"].lower()
        found = await Positions(self.gate, self.works, self.index).of(doi)
        if found is None:
            return await self._one(request, f"{doi}/position")  # a DOI may end so itself
        return respond(request, envelope.success("work-position", found), CURRENT)

    async def _one(self, request: web.Request, doi: str) -> web.Response:
        found = await self.works.one(doi)
        if found is None:
            return respond(request, envelope.resource_not_found("work"))
        # Asked after the record was fetched: what is decided is what is shown.
        reader = self._reader(request)
        visibility = self.gate.visibility(Subject.of(found), reader, outlet=OUTLET)
        ownership = self.gate.ownership(Subject.of(found))
        tag = etag(found["v"], found.get("cited_by", 0), ownership, visibility)
        headers = {**self._caching(visibility), "ETag": tag}
        if tag in request.headers.get("If-None-Match", ""):
            return respond(request, Answer(304, envelope.JSON, b""), headers)
        work = render_single(
            _registered(found),
            ownership,
            cited_by=found.get("cited_by", 0),
            visibility=visibility,
            policy=self.gate.policy,
        )
        return respond(request, envelope.success("work", work), headers)

    async def list_works(self, request: web.Request) -> web.Response:
        """``GET /works``."""
        return await self._works(request, None)

    async def works_of_member(self, request: web.Request) -> web.Response:
        """``GET /members/{id}/works``."""
        member = self._member(request)
        if member is None:
            return respond(request, envelope.resource_not_found("work-list"))
        return await self._works(request, plan.of_member(member, self.gate))

    async def works_of_prefix(self, request: web.Request) -> web.Response:
        """``GET /prefixes/{prefix}/works``."""
        prefix = request.match_info["prefix"]
        if self.gate.prefix(prefix) is None:
            return respond(request, envelope.resource_not_found("work-list"))
        return await self._works(request, plan.of_prefix(prefix))

    async def _works(self, request: web.Request, scope: plan.Scope | None) -> web.Response:
        query = parse_works(request.query.items())
        if isinstance(query, list):
            return respond(request, envelope.validation_failure(query))
        asked = plan.search_request(query, self.gate, scope=scope, cursor_key=self.cursor_key)
        if isinstance(asked, plan.CursorInvalid):
            return respond(request, envelope.cursor_invalid(asked))
        page = await asyncio.to_thread(self.index.search, asked)
        items = await self._items(query, page, self._reader(request))
        message = envelope.work_list(
            items,
            total=page.total,
            rows=query.rows,
            offset=query.offset,
            terms=query.query,
            facets=facets_message(query, page.facets, self.gate),
            cursor=plan.next_cursor(query, page, scope=scope, cursor_key=self.cursor_key),
        )
        return respond(request, envelope.success("work-list", message), GUARDED)

    async def _items(
        self, query: WorksQuery, page: SearchPage, reader: Reader
    ) -> list[dict[str, Any]]:
        """Fetch the hits by key and let each pass the gate."""
        if not page.hits:
            return []
        held = await self.works.many([hit.doi for hit in page.hits])
        if (not query.select or CARRYING & set(query.select)) and not self.gate.fresh():
            raise Problem(
                503,
                "knowledge-stale",
                "Reference preferences are not known well enough at the moment",
                "Lists without references are served: use select.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        return [
            render_item(
                _registered(held[hit.doi]),
                self.gate.ownership(Subject.of(held[hit.doi])),
                cited_by=held[hit.doi].get("cited_by", 0),
                visibility=self.gate.visibility(Subject.of(held[hit.doi]), reader, outlet=OUTLET),
                policy=self.gate.policy,
                score=hit.score,
                select=query.select,
            )
            for hit in page.hits
            # The index may be ahead of the store by a moment.
            if hit.doi in held
        ]

    async def list_members(self, request: web.Request) -> web.Response:
        """``GET /members``."""
        query = parse_members(request.query.items())
        if isinstance(query, list):
            return respond(request, envelope.validation_failure(query))
        everyone = [member for number in self.gate.members() if (member := self._known(number))]
        page = list_members(everyone, query, cursor_key=self.cursor_key)
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
        state = self.gate.prefix(request.match_info["prefix"])
        if state is None:
            return respond(request, envelope.resource_not_found("prefix"))
        message = render_prefix(state.prefix, member=state.owner, name=state.owner_name)
        return respond(request, envelope.success("prefix", message))

    def _member(self, request: web.Request) -> int | None:
        """Return the member a path names, None where there is none."""
        text = request.match_info["id"]
        if not _NUMBER.fullmatch(text):
            return None
        number = int(text)
        return number if self.gate.prefixes_of_member(number) else None

    def _known(self, number: int) -> Member | None:
        state = self.directory.get(number)
        if state is None:
            return None
        owned = sorted(self.gate.prefixes_of_member(number))
        return Member(
            id=number,
            primary_name=state.name,
            names=state.names or (state.name,),
            location=state.location,
            prefixes=tuple(
                OwnedPrefix(prefix, self.gate.publisher_name(prefix) or "", setting)
                for prefix in owned
                if (setting := self.gate.setting(prefix))
            ),
        )

    async def _rendered(self, member: Member) -> dict[str, Any]:
        """Render a member; its summary is kept until the index changes."""
        prefixes = frozenset(prefix.value for prefix in member.prefixes)
        key = (self.index.generation, prefixes)
        checked = int(self.clock.now().timestamp() * 1000)
        summary = self._summaries.get(key)
        if summary is None:
            clause = OneOf(Term.OWNER, prefixes)
            counted = await asyncio.to_thread(self.index.count, [clause], Facet.PROFILE)
            summary = summarise(counted, this_year=self.clock.now().year, checked=checked)
            if any(generation != key[0] for generation, _ in self._summaries):
                self._summaries.clear()
            self._summaries[key] = summary
        return render_member(member, summary, checked=checked)

    def _reader(self, request: web.Request) -> Reader:
        return caller_of(request).reader(self.clock.now())

    def _caching(self, visibility: Visible | Withheld) -> Mapping[str, str]:
        stale = isinstance(visibility, Withheld) and visibility.reason == "knowledge-stale"
        return UNSTORED if stale else GUARDED


def _registered(document: Mapping[str, Any]) -> RegisteredWork:
    return RegisteredWork(
        document["_id"],
        document["work"],
        document["created"],
        document["deposited"],
        document["indexed"],
    )


def etag(version: int, cited_by: int, *shown: object) -> str:
    """Return a validator that differs whenever what is shown differs, per visibility too."""
    text = repr((version, cited_by, shown))
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'
