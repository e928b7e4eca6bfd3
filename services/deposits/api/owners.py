"""Routes about whose journals are: for operators, until journals themselves are kept here."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.deposits.api import pages
from services.deposits.errors import NO_JOURNAL, OWNER_UNKNOWN, Refusal
from services.deposits.model.owners import KeptJournal
from services.deposits.owners import Owning
from shared.events import OwnerState
from shared.events.personal import Pseudonym
from shared.mongo import Refused
from shared.web import Route, body_of, correlation, json_answer

_JOURNAL: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_PERSON: Final = re.compile(r"p[0-9a-f]{32}")


class NewJournalOwner(BaseModel):
    """Whose a journal becomes; ``from`` is whose it is, left out where it is nobody's."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    person: Pseudonym
    former: Annotated[Pseudonym | None, Field(alias="from")] = None


class JournalView(BaseModel):
    """A journal and whose it is."""

    journal: str
    owner: Pseudonym
    version: int = Field(description="Grows by one each time it changes hands.")

    @classmethod
    def of(cls, state: KeptJournal) -> "JournalView":
        """Show a journal; raises ``Problem`` 404 where it is nobody's."""
        if state.owner is None:
            raise pages.problem_of(NO_JOURNAL)
        return cls(journal=state.journal, owner=state.owner, version=state.version)


class OwnerView(BaseModel):
    """What hangs on a person's account."""

    person: Pseudonym
    journals: list[str]
    closing: int | None = Field(description="The deletion that was asked for, by its number.")
    heir: Pseudonym | None = Field(description="Who accepted to take the journals over.")
    released: bool = Field(description="Nothing stands in the way of that deletion.")
    version: int

    @classmethod
    def of(cls, state: OwnerState) -> "OwnerView":
        """Show a list."""
        return cls(
            person=state.person,
            journals=sorted(one.journal for one in state.journals),
            closing=state.closing,
            heir=state.heir,
            released=state.released is not None,
            version=state.version,
        )


@dataclass(frozen=True, slots=True)
class JournalOwners:
    """Handlers of these routes."""

    owning: Owning

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Give a journal to a person; it may be sent again."""
        journal, said = _journal_in(request), await body_of(request, NewJournalOwner)
        asked = correlation(request)
        if said.former is None:
            done = await self.owning.assign(journal, said.person, correlation=asked)
        else:
            done = await self.owning.transfer(journal, said.former, said.person, correlation=asked)
        return json_answer(JournalView.of(_agreed(done)), headers=pages.NO_STORE)

    async def journal(self, request: web.Request) -> web.StreamResponse:
        """Show whose a journal is."""
        found = await self.owning.store.journals.load(_journal_in(request))
        if found is None:
            raise pages.problem_of(NO_JOURNAL)
        return json_answer(JournalView.of(found), headers=pages.NO_STORE)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Let a journal leave the index."""
        _agreed(await self.owning.remove(_journal_in(request), correlation=correlation(request)))
        return web.Response(status=204)

    async def owner(self, request: web.Request) -> web.StreamResponse:
        """Show what hangs on a person's account."""
        person = request.match_info["person"]
        found = await self.owning.store.people.load(person) if _PERSON.fullmatch(person) else None
        if found is None:
            raise pages.problem_of(OWNER_UNKNOWN)
        return json_answer(OwnerView.of(found), headers=pages.NO_STORE)


def routes(owners: JournalOwners) -> list[Route]:
    """Return the routes."""
    tags, one = ("owners",), "/journals/{journal}/owner"
    return [
        Route(
            "PUT",
            one,
            owners.give,
            "Give a journal to a person; it always has an owner",
            request=NewJournalOwner,
            responses={200: JournalView, 409: "It is another's, or the account is being deleted."},
            auth="operator",
            tags=tags,
        ),
        Route(
            "GET",
            one,
            owners.journal,
            "Whose a journal is",
            responses={200: JournalView},
            auth="operator",
            tags=tags,
        ),
        Route(
            "DELETE",
            one,
            owners.remove,
            "Let a journal leave the index",
            responses={204: "It hangs on no account any more."},
            auth="operator",
            tags=tags,
        ),
        Route(
            "GET",
            "/owners/{person}",
            owners.owner,
            "What hangs on a person's account",
            responses={200: OwnerView},
            auth="operator",
            tags=tags,
        ),
    ]


def _journal_in(request: web.Request) -> str:
    journal = request.match_info["journal"]
    if _JOURNAL.fullmatch(journal) is None:
        raise pages.problem_of(NO_JOURNAL)
    return journal


def _agreed(decided: KeptJournal | Refused[Refusal]) -> KeptJournal:
    if isinstance(decided, Refused):
        raise pages.problem_of(decided.reason)
    return decided
