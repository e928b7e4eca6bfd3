"""Routes about ownership: transfers, titles, and works that say they are the same thing."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.deposits.api import pages
from services.deposits.api.owning import (
    ConflictsQuery,
    ConflictsView,
    ConflictView,
    InConflict,
    MovedView,
    NewName,
    TitlesQuery,
    TitlesView,
    TitleView,
    Transfer,
    TransferView,
)
from services.deposits.errors import NO_TITLE, NOT_A_MEMBER, PREFIXES_STALE
from services.deposits.model import conflict_id, fingerprint, isbn_13, owner_of
from services.deposits.permissions import Permissions
from services.deposits.store import Candidates, Conflicts, Owned, Ownership, Works
from services.deposits.store.ownership import words
from services.deposits.transfers import Transferred, Transfers
from shared.events import OwnershipState, TitleState, WorkState
from shared.web import (
    Error,
    Problem,
    Route,
    body_of,
    caller_of,
    correlation,
    json_answer,
    query_of,
)

MOST_SHOWN: Final = 100  # DOIs of one conflict


@dataclass(frozen=True, slots=True)
class Registry:
    """Handlers of these routes."""

    transfers: Transfers
    works: Works
    ownership: Ownership
    conflicts: Conflicts
    permissions: Permissions

    async def transfer(self, request: web.Request) -> web.StreamResponse:
        """Give works or titles to the owner of a prefix; durable when it answers."""
        said = await body_of(request, Transfer)
        self._known(said.to)
        command = self.transfers.of_works if said.works else self.transfers.of_titles
        subjects = list(dict.fromkeys(said.works or said.titles))
        done = await command(subjects, to=said.to, correlation=correlation(request))
        return json_answer(_transfer(said.to, done), headers=pages.NO_STORE)

    async def titles(self, request: web.Request) -> web.StreamResponse:
        """List titles."""
        query = query_of(request, TitlesQuery)
        if query.issn or query.isbn:
            found = [one for one in await self._identified(query) if _fits(one, query)]
            found, more = found[query.offset :][: query.rows], None
        else:
            found = await self.ownership.titles(
                query=query.query,
                owner_prefix=query.owner_prefix,
                rows=query.rows,
                offset=query.offset,
            )
            more = query.offset + query.rows if len(found) == query.rows else None
        return json_answer(TitlesView(items=[TitleView.of(one) for one in found], next=more))

    async def title(self, request: web.Request) -> web.StreamResponse:
        """Show a title."""
        return json_answer(TitleView.of(await self._title(request)))

    async def name(self, request: web.Request) -> web.StreamResponse:
        """Let a title be deposited by another name as well."""
        said = await body_of(request, NewName)
        title = await self._title(request)
        changed = await self.transfers.name_title(
            title.subject, said.name, correlation=correlation(request)
        )
        if changed is None:
            raise Problem(409, "too-many-names", "This title has as many names as it may have")
        return json_answer(TitleView.of(changed))

    async def in_conflict(self, request: web.Request) -> web.StreamResponse:
        """List conflicts as they are now: of all for operators, of its own for a member."""
        query = query_of(request, ConflictsQuery)
        found = await self.conflicts.page(
            prefixes=self._visible(request, query.prefix), rows=query.rows, offset=query.offset
        )
        more = query.offset + query.rows if len(found) == query.rows else None
        return json_answer(
            ConflictsView(items=await self._compared(found), next=more), headers=pages.NO_STORE
        )

    def _known(self, prefix: str) -> None:
        if not self.permissions.fresh():
            raise pages.problem_of(PREFIXES_STALE)
        if not self.permissions.known(prefix):
            remedy = "Name a prefix that is assigned to an organisation, or assign it first."
            raise Problem(
                400,
                "prefix-unknown",
                "The prefix is not assigned to anybody",
                "Nothing was transferred.",
                errors=[Error("/to", "prefix-unknown", remedy)],
            )

    def _visible(self, request: web.Request, prefix: str | None) -> set[str] | None:
        caller = caller_of(request)
        if caller.kind == "operator":
            return None if prefix is None else {prefix}
        if caller.organisation is None or not caller.scopes & {"deposit", "admin"}:
            raise pages.problem_of(NOT_A_MEMBER)
        own = set(self.permissions.of(caller.organisation).prefixes)
        return own if prefix is None else own & {prefix}

    async def _title(self, request: web.Request) -> TitleState:
        subject = request.match_info["id"]
        match (await self.ownership.load([subject])).get(subject):
            case TitleState() as title:
                return title
        raise pages.problem_of(NO_TITLE)

    async def _identified(self, query: TitlesQuery) -> list[TitleState]:
        keys = []
        if query.issn:
            digits = query.issn.replace("-", "").upper()
            keys.append(f"issn:{digits[:4]}-{digits[4:]}")
        if query.isbn:
            keys.append(f"isbn:{isbn_13(query.isbn)}")
        subjects = await self.ownership.subjects(keys)
        if len(subjects) < len(keys) or len(set(subjects.values())) != 1:
            return []
        found = await self.ownership.load(subjects.values())
        return [one for one in found.values() if isinstance(one, TitleState)]

    async def _compared(self, found: list[Candidates]) -> list[ConflictView]:
        """Return the conflicts that are: works may have changed since they were noted."""
        shown = {doi for one in found for doi in one.dois[:MOST_SHOWN]}
        held = await self.works.load(sorted(shown))
        works = {doi: state for doi, one in held.items() if (state := one.state)}
        titles = {work.title for work in works.values() if work.title}
        owned = await self.ownership.load([*works, *titles])
        items = []
        for one in found:
            same = [
                works[doi]
                for doi in one.dois[:MOST_SHOWN]
                if doi in works and fingerprint(works[doi].work) == one.fingerprint
            ]
            if len(same) > 1:
                items.append(_conflict(one.fingerprint, same, owned))
        return items


def routes(registry: Registry) -> list[Route]:
    """Return the routes."""
    tags = ("ownership",)
    return [
        Route(
            "POST",
            "/transfers",
            registry.transfer,
            "Give works or titles to the owner of another prefix",
            request=Transfer,
            responses={200: TransferView, 400: "The prefix is not assigned to anybody."},
            auth="operator",
            tags=tags,
        ),
        Route(
            "GET",
            "/titles",
            registry.titles,
            "Titles and their owners",
            query=TitlesQuery,
            responses={200: TitlesView},
            tags=tags,
        ),
        Route(
            "GET",
            "/titles/{id}",
            registry.title,
            "A title and its owner",
            responses={200: TitleView},
            tags=tags,
        ),
        Route(
            "POST",
            "/titles/{id}/names",
            registry.name,
            "Let a title be deposited by another name as well",
            request=NewName,
            responses={200: TitleView},
            auth="operator",
            tags=tags,
        ),
        Route(
            "GET",
            "/conflicts",
            registry.in_conflict,
            "Works that are registered with the same bibliographic metadata",
            query=ConflictsQuery,
            responses={200: ConflictsView},
            auth="caller",
            tags=tags,
        ),
    ]


def _transfer(to: str, done: Transferred) -> TransferView:
    moved = [
        MovedView(subject=one.subject, was=one.was, to=one.to, version=one.version)
        for one in done.moved
    ]
    return TransferView(to=to, transferred=moved, unchanged=done.unchanged, unknown=done.unknown)


def _fits(title: TitleState, query: TitlesQuery) -> bool:
    if query.owner_prefix is not None and title.owner_prefix != query.owner_prefix:
        return False
    asked = words(query.query or "")
    return set(asked) <= set(words(" ".join((title.name, *title.names))))


def _conflict(shared: str, works: list[WorkState], owned: dict[str, Owned]) -> ConflictView:
    first = works[0].work
    return ConflictView(
        id=conflict_id(shared),
        type=first.get("type", ""),
        title=next(iter(first.get("title", ())), ""),
        works=[
            InConflict(
                doi=one.doi,
                owner_prefix=_owner(one, owned),
                created=one.created,
                deposited=one.deposited,
            )
            for one in works
        ],
    )


def _owner(work: WorkState, owned: dict[str, Owned]) -> str:
    own = owned.get(work.doi)
    title = owned.get(work.title) if work.title else None
    return owner_of(
        work,
        owner=own if isinstance(own, OwnershipState) else None,
        title=title if isinstance(title, TitleState) else None,
    )
