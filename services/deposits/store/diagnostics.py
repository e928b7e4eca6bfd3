"""Diagnostics: one document a record, under ``<submission>#<record>``; the first one stays."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.deposits.model import Verdict
from services.deposits.store.together import insert
from shared.mongo import Collection, Database
from shared.mongo.client import Document, faults

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """The durable verdict on the record ``index`` of a submission."""

    index: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The diagnostics of all submissions."""

    database: Database

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

    async def all(self, submission: str, *, records: int) -> AsyncIterator[Sequence[Diagnostic]]:
        """Return all diagnostics of a submission of ``records`` records, in pages."""
        for start in range(0, records, PAGE):
            yield await self.page(submission, start=start, rows=min(PAGE, records - start))


def _document(name: str, verdict: Verdict) -> Document:
    said: dict[str, Any] = {key: value for key, value in asdict(verdict).items() if value}
    return {"_id": name, **said}


def _verdict(document: Document) -> Verdict:
    return Verdict(**{key: value for key, value in document.items() if key != "_id"})
