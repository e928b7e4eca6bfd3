"""Diagnostics: one document a record, under ``<submission>#<record>``; the first one stays."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from services.deposits.model import Verdict
from services.deposits.store.together import insert
from services.deposits.store.verdicts import written
from shared.mongo import Collection, Database
from shared.mongo.client import Document, faults

PAGE: Final = 500
LOOKED_THROUGH: Final = 2_000  # diagnostics that one request with filters looks at
SLICE: Final = 250  # of them in one command
STRIDE: Final = 16
MOST_JUDGED: Final = 1_000  # submissions whose progress is remembered


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """The durable verdict on the record ``index`` of a submission."""

    index: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Filters:
    """Which diagnostics: each field narrows; ``doi`` in lower case."""

    status: str | None = None
    rule: str | None = None
    doi: str | None = None

    def fit(self, verdict: Verdict) -> bool:
        """Say whether a verdict is among them."""
        return (
            self.status in (None, verdict.status)
            and self.rule in (None, verdict.rule)
            and self.doi in (None, verdict.doi.lower())
        )


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The diagnostics of all submissions."""

    database: Database
    _judged: OrderedDict[str, int] = field(default_factory=OrderedDict)

    @property
    def _collection(self) -> Collection:
        return self.database["diagnostics"]

    async def known(self, names: Iterable[str]) -> dict[str, Verdict]:
        """Return the verdicts that are durable under ``<submission>#<record>``."""
        asked = list(names)
        if not asked:
            return {}
        with faults():
            found = await self._collection.find({"_id": {"$in": asked}}).to_list(None)
        return {document["_id"]: _verdict(document) for document in found}

    async def add(self, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Write verdicts where none is; return what is durable now, the first one each."""
        if not verdicts:
            return {}
        written = await insert(
            self._collection, [_document(name, one) for name, one in verdicts.items()]
        )
        lost = [name for name, free in zip(verdicts, written, strict=True) if not free]
        return {**verdicts, **await self.known(lost)}

    async def page(self, submission: str, *, start: int, rows: int) -> list[Diagnostic]:
        """Return the diagnostics of records ``start`` to ``start + rows``, in file order."""
        indexes = range(start, start + rows)
        found = await self.known(f"{submission}#{index}" for index in indexes)
        return [
            Diagnostic(index, found[name])
            for index in indexes
            if (name := f"{submission}#{index}") in found
        ]

    async def matching(
        self, submission: str, filters: Filters, *, start: int, rows: int
    ) -> tuple[list[Diagnostic], int, bool]:
        """Return up to ``rows`` fitting diagnostics from ``start`` on, and where to go on.

        The last says whether all that was looked at was there. Looks at a bounded number, so it
        may return fewer than there are.
        """
        found: list[Diagnostic] = []
        if filters == Filters():
            found = await self.page(submission, start=start, rows=rows)
            return found, start + rows, len(found) == rows
        at = start
        while at < start + LOOKED_THROUGH:
            page = await self.page(submission, start=at, rows=SLICE)
            for one in page:
                if filters.fit(one.verdict):
                    found.append(one)
                if len(found) == rows:
                    return found, one.index + 1, True
            at += SLICE
            if len(page) < SLICE:
                return found, at, False
        return found, at, True

    async def judged(self, submission: str) -> int:
        """Return how many records have a diagnostic, by a few looks: they come in file order.

        Exact to a batch: the diagnostics of one are written together, in any order. It goes on from
        what it said last, for who asks once asks again.
        """
        low, step = self._judged.pop(submission, 0), 1
        while (passed := await self._passed(submission, low, step)) == STRIDE - 1:
            low += step * passed
            step *= STRIDE
        low += step * passed
        while step > 1:
            step //= STRIDE
            low += step * await self._passed(submission, low, step)
        self._judged[submission] = low
        while len(self._judged) > MOST_JUDGED:
            self._judged.popitem(last=False)
        return low

    async def _passed(self, submission: str, low: int, step: int) -> int:
        """Return how many of the marks behind ``low``, at even distances, are there."""
        names = [f"{submission}#{low + step * times - 1}" for times in range(1, STRIDE)]
        there = await self.known(names)
        return sum(1 for _ in takewhile(there.__contains__, names))

    async def all(self, submission: str, *, records: int) -> AsyncIterator[Sequence[Diagnostic]]:
        """Return all diagnostics of a submission of ``records`` records, in pages."""
        for start in range(0, records, PAGE):
            yield await self.page(submission, start=start, rows=min(PAGE, records - start))


def _document(name: str, verdict: Verdict) -> Document:
    return {"_id": name, **written(verdict)}


def _verdict(document: Document) -> Verdict:
    return Verdict(**{key: value for key, value in document.items() if key != "_id"})
