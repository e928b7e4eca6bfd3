"""Which works cite a work, or the works of a prefix: page by page, never all at once.

A link is known since the moment its match was made (services/distribution/matching/kept.py). What
is yielded is looked at again in the citing work as it is now, so that a reference that is gone is
in no list, whatever the matcher has done by then.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.distribution.citedby.asking import Period
from services.distribution.matching.kept import MATCHES, Matches
from services.distribution.projections import cited
from services.distribution.store import Works
from shared.mongo import Database
from shared.mongo.client import Document, faults

PAGE: Final = 50  # citing works that are held at once
MOST_DAYS: Final = 400
ALWAYS: Final = Period()
POSTED: Final = "posted-content"


@dataclass(frozen=True, slots=True)
class Link:
    """One citation: the cited DOI, the citing work's document, since when it is known."""

    cited: str
    citing: Document
    at: datetime


@dataclass(frozen=True, slots=True)
class Citing:
    """A citing work by name: its DOI and the title whose owner owns it, as the gate asks."""

    doi: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Citers:
    """Finds citing works in what matching keeps."""

    database: Database
    works: Works

    @property
    def matches(self) -> Matches:
        """What matching keeps."""
        return Matches(self.database)

    async def citing(
        self, doi: str, *, period: Period = ALWAYS, posted: bool = True
    ) -> AsyncGenerator[list[Link], None]:
        """Yield the works that cite ``doi``, page by page; each page is of one moment."""
        async with aclosing(self._pages({"to": doi}, {"links": 1}, posted=posted)) as pages:
            async for page in pages:
                yield await self._links(page, lambda cited: cited == doi, period)

    async def citing_prefix(
        self, prefix: str, *, period: Period, posted: bool, today: date
    ) -> AsyncGenerator[list[Link], None]:
        """Yield the citations of the DOIs under a prefix, page by page of citing works.

        By the days asked for, where they are not too many; else by the prefix alone.
        """
        days = period.days(until=today, most=MOST_DAYS)
        keys = [f"{prefix}|"] if days is None else [f"{prefix}|{day.isoformat()}" for day in days]
        beginning = f"{prefix}/"
        asked = {"days": {"$in": keys}}
        async with aclosing(self._pages(asked, {"links": 1}, posted=posted)) as pages:
            async for page in pages:
                yield await self._links(page, lambda cited: cited.startswith(beginning), period)

    async def named(self, doi: str) -> AsyncGenerator[list[Citing], None]:
        """Yield the names of all works that cite ``doi``, page by page."""
        async with aclosing(self._pages({"to": doi}, {"title": 1}, posted=True)) as pages:
            async for page in pages:
                yield [Citing(one["_id"], one["title"]) for one in page]

    async def registered(self, dois: Sequence[str]) -> dict[str, Document]:
        """Return the documents of cited works that are registered."""
        return await self.works.bare(dois)

    async def _pages(
        self, asked: Mapping[str, Any], shown: Mapping[str, int], *, posted: bool
    ) -> AsyncGenerator[list[Document], None]:
        wanted = dict(asked) if posted else {**asked, "type": {"$ne": POSTED}}
        page: list[Document] = []
        with faults():
            async with self.database[MATCHES].find(wanted, shown, batch_size=PAGE) as found:
                async for one in found:
                    page.append(one)
                    if len(page) == PAGE:
                        yield page
                        page = []
        if page:
            yield page

    async def _links(self, page: Sequence[Document], wanted: Any, period: Period) -> list[Link]:
        held = await self.works.many([one["_id"] for one in page])
        links: list[Link] = []
        for one in page:
            citing = held.get(one["_id"])
            if citing is None:
                continue  # the projector is behind
            now = set(cited(citing["work"]))
            links += [
                Link(link["doi"], citing, link["at"])
                for link in one["links"]
                if link["doi"] in now and wanted(link["doi"]) and period.holds(link["at"])
            ]
        return links
