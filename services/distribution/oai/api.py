"""The routes of OAI-PMH: read the question, find the records, ask the gate, answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from services.distribution.host import Host, Outlet
from services.distribution.oai import envelope, verbs
from services.distribution.oai.datestamps import GRANULARITY, span_of, written
from services.distribution.oai.envelope import Edge, Resumption
from services.distribution.oai.faults import Fault
from services.distribution.oai.formats import FORMATS, OUTLET, Format
from services.distribution.oai.harvest import RETRY_SECONDS, admitted, headers, owned_by, records
from services.distribution.oai.identifiers import dois_of
from services.distribution.oai.listing import Sets
from services.distribution.oai.sets import clauses_of
from services.distribution.oai.tokens import Walk, read_token, write_token
from services.distribution.oai.verbs import AS_BEFORE, PREFIX, TO_THE_LETTER, TOKEN, Asked, Manner
from services.distribution.oai.walk import OLDEST_FIRST, PAGE, Behind, Page, Question, page_of
from services.distribution.search import After, FromStart, OneOf, SearchRequest, Term
from services.distribution.search.keys import HASH_BITS, seconds_of
from shared.mongo.client import Document
from shared.policy.harvesting import Reach
from shared.web import FIELDS, VARY, Caller, Problem, Route, caller_of

GUARDED: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
FORM: Final = "application/x-www-form-urlencoded"
PLACES: Final[Mapping[str, Manner]] = {"/oai": TO_THE_LETTER, "/OAIHandler": AS_BEFORE}
LISTS: Final = frozenset({"ListIdentifiers", "ListRecords"})
UNECHOED: Final = frozenset({"badVerb", "badArgument"})  # OAI-PMH 3.2: no attributes then
_CREDENTIALS: Final = frozenset(name for pair in FIELDS for name in pair)

Content = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and at which of the addresses."""

    caller: Caller
    base_url: str


@dataclass(frozen=True, slots=True)
class OaiApi:
    """The verbs over one host."""

    host: Host
    sets: Sets

    def routes(self) -> tuple[Route, ...]:
        """Return both places, each to be asked by GET and by POST."""
        return tuple(
            Route(
                method,
                path,
                partial(self.answer, manner=manner),
                f"Harvest over OAI-PMH 2.0{said}",
                accepts=(FORM,) if method == "POST" else (),
                bodyless=True,
                responses={
                    200: "An OAI-PMH answer; errors of the protocol are answers too",
                    401: "Records need a Metadata Plus token, or a member's own login",
                    403: "Not open to this caller",
                    503: "Not known well enough at the moment; ask again",
                },
                auth="optional",
                tags=("oai-pmh",),
                credentials_in_query=True,
            )
            for path, manner in PLACES.items()
            for method, said in (("GET", ""), ("POST", ", asked by a form"))
        )

    async def answer(self, request: web.Request, *, manner: Manner) -> web.Response:
        """Answer any verb."""
        place = self.host.settings.oai_url or f"{request.scheme}://{request.host}"
        edge = Edge(written(self._now()), place + request.path)
        said = await _pairs(request)
        caller = await self._caller(request, dict(said))
        try:
            asked = verbs.read([one for one in said if one[0] not in _CREDENTIALS], manner)
            date = written(self._settled()) if asked.verb in LISTS else edge.date
            edge = Edge(date, edge.base_url, asked.verb, asked.said)
            content = await self._verbs()[asked.verb](asked, Asker(caller, edge.base_url))
            body = envelope.answer(edge, asked.verb, content)
        except Fault as fault:
            unechoed = Edge(edge.date, edge.base_url)
            body = envelope.refusal(unechoed if fault.code in UNECHOED else edge, fault)
        except Behind:
            again = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
            title = "The next record of this list is on its way"
            raise Problem(503, "record-on-its-way", title, headers=again) from None
        return web.Response(body=body, headers={**GUARDED, "Content-Type": envelope.CONTENT_TYPE})

    async def _caller(self, request: web.Request, said: Mapping[str, str]) -> Caller:
        """Return who asks: by headers or address, or by a form's login. Raises ``Problem`` 401."""
        caller = caller_of(request)
        if caller.kind == "anonymous" and self.host.callers is not None:
            for login, password in FIELDS:
                if said.get(login):
                    return await self.host.callers.of_login(
                        said[login], said.get(password, ""), address=request.remote or "unknown"
                    )
        return caller

    def _verbs(self) -> Mapping[str, Callable[[Asked, Asker], Awaitable[Content]]]:
        return {
            "Identify": self._identify,
            "ListMetadataFormats": self._formats,
            "ListSets": self._list_sets,
            "ListIdentifiers": self._list,
            "ListRecords": self._list,
            "GetRecord": self._record,
        }

    # -- what the service is ---------------------------------------------------------------------

    async def _identify(self, asked: Asked, asker: Asker) -> Content:
        admitted(self.host, asker.caller, asked.verb)
        settings = self.host.settings
        said = (
            ("repositoryName", settings.oai_name),
            ("baseURL", asker.base_url),
            ("protocolVersion", "2.0"),
            ("adminEmail", settings.oai_admin_email),
            ("earliestDatestamp", written(await asyncio.to_thread(self._earliest))),
            ("deletedRecord", "persistent"),
            ("granularity", GRANULARITY),
            ("compression", "gzip"),
        )
        return [envelope.element(name, text).encode() for name, text in said]

    async def _formats(self, asked: Asked, asker: Asker) -> Content:
        admitted(self.host, asker.caller, asked.verb)
        identifier = asked.get("identifier")
        if identifier is not None:
            await self._found(identifier)  # what there is, is there in every format
        return [envelope.format_(one.prefix, one.schema, one.namespace) for one in FORMATS.values()]

    async def _list_sets(self, asked: Asked, asker: Asker) -> Content:
        admitted(self.host, asker.caller, asked.verb)
        walk = self._walk(asked)
        last = walk.position.doi if isinstance(walk.position, After) else ""
        everything = await asyncio.to_thread(self.sets.all)
        left = [one for one in everything if one.spec > last]
        shown = left[:PAGE]
        resume = After(0, shown[-1].spec) if len(left) > PAGE else None
        resumption = self._resumption(walk, len(shown), resume, len(everything))
        return [*(envelope.set_(one) for one in shown), envelope.resumption(resumption)]

    # -- records ---------------------------------------------------------------------------------

    async def _record(self, asked: Asked, asker: Asker) -> Content:
        kind = _format(asked.arguments)
        reach = admitted(self.host, asker.caller, asked.verb, kind)
        document = await self._found(asked.arguments["identifier"])
        reader = asker.caller.reader(self.host.clock.now())
        if reach == "own" and not owned_by(self.host, document, reader.organisation):
            raise Problem(403, "not-its-owner", "A member harvests its own records alone")
        return await records(self.host, [document], kind, reader)

    async def _list(self, asked: Asked, asker: Asker) -> Content:
        walk = self._walk(asked)
        kind = _format(walk.arguments)
        reach = admitted(self.host, asker.caller, asked.verb, kind)
        question = self._question(walk.arguments, reach, asker.caller.organisation)
        page = await self._page(question, walk, kind.rows)
        if not page.works:
            raise Fault("noRecordsMatch", "No records are in this set with such a datestamp.")
        resumption = self._resumption(walk, len(page.works), page.resume, page.total)
        if asked.verb == "ListIdentifiers":
            listed = headers(self.host, page.works)
        else:
            reader = asker.caller.reader(self.host.clock.now())
            listed = await records(self.host, page.works, kind, reader)
        return [*listed, envelope.resumption(resumption)]

    async def _page(self, question: Question | None, walk: Walk, rows: int) -> Page:
        if question is None:
            return Page((), None, 0)
        return await page_of(
            question,
            walk.position,
            index=self.host.index,
            works=self.host.works,
            now=self._now(),
            rows=rows,
        )

    def _question(
        self, arguments: Mapping[str, str], reach: Reach, member: int | None
    ) -> Question | None:
        """Return what a list asks for, None where no work can be in it; raises ``Fault``."""
        span = span_of(arguments.get("from"), arguments.get("until"))
        spec = arguments.get("set")
        clauses = () if spec is None else clauses_of(spec)
        if clauses is None:
            return None
        if reach == "all":
            return Question(clauses, span)
        prefixes = self.host.gate.prefixes_of_member(member) if member is not None else ()
        owned = OneOf(Term.OWNER, frozenset(prefixes))
        # Lists follow a transfer in a while, the gate at once.
        return Question((*clauses, owned), span, lambda one: owned_by(self.host, one, member))

    def _walk(self, asked: Asked) -> Walk:
        """Return the list that is asked for, from its start or as far as it was given."""
        token = asked.get(TOKEN)
        if token is None:
            return Walk(asked.verb, asked.arguments, 0, FromStart())
        return read_token(token, verb=asked.verb, key=self.host.key)

    def _resumption(
        self, walk: Walk, given: int, resume: After | None, total: int
    ) -> Resumption | None:
        if resume is None:
            first = isinstance(walk.position, FromStart)
            return None if first else Resumption("", walk.given, total)
        onward = Walk(walk.verb, walk.arguments, walk.given + given, resume)
        return Resumption(write_token(onward, key=self.host.key), walk.given, total)

    async def _found(self, identifier: str) -> Document:
        for doi in dois_of(identifier):
            document = await self.host.works.one(doi)
            if document is not None:
                return document
        raise Fault("idDoesNotExist", "No record has this identifier.")

    def _earliest(self) -> int:
        """Return the datestamp of the oldest record; of an empty registry, the present."""
        request = SearchRequest(order=OLDEST_FIRST, start=FromStart(), rows=1)
        hits = self.host.index.search(request).hits
        key = hits[0].key if hits else None
        return self._now() if key is None else key >> HASH_BITS

    def _settled(self) -> int:
        """Return the second up to which lists are whole.

        A deposit is on its way into the lists for a moment after the second that it is accepted
        in. A harvester that asks next time from the date of this answer meets it then.
        """
        return self._now() - self.host.settings.oai_settling_seconds

    def _now(self) -> int:
        return seconds_of(self.host.clock.now())


def open_outlet(host: Host) -> Outlet:
    """Open the OAI-PMH interface of a host."""
    return Outlet((OUTLET,), OaiApi(host, Sets(host.index, host.gate)).routes())


def _format(arguments: Mapping[str, str]) -> Format:
    found = FORMATS.get(arguments[PREFIX])
    if found is None:
        raise Fault("cannotDisseminateFormat", "ListMetadataFormats says which formats there are.")
    return found


async def _pairs(request: web.Request) -> list[tuple[str, str]]:
    """Return what a request says in its address and its form, credentials too."""
    said = list(request.query.items())
    if request.method == "POST" and request.content_type == FORM:
        # Whatever charset it claims: what is no UTF-8 is an argument that nobody knows.
        form = (await request.read()).decode("utf-8", errors="replace")
        said += parse_qsl(form, keep_blank_values=True)
    return said
