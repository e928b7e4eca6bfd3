"""The search index of one host: all partitions, written by one consumer, read by many threads.

A commit holds documents and the offsets they came from, in one atomic step: the engine has no
payload for a commit in Python, so the offsets are a document of their own, replaced in every
commit. After a kill the index is exactly what was last committed, and the consumer goes on from
there (L5).

A document's version never goes down (L2). Within a batch the highest version per DOI is kept, and
of those only what is newer than the index's own, or of the same version under another owner; so a
batch that is repeated, or a replay from zero into an existing index, changes no document and
readers never see an older state, while the offsets are taken as given: they say where the consumer
stands, not what the index holds.
"""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import orjson
import tantivy

from services.distribution.search import folder as folders
from services.distribution.search.document import SearchDoc
from services.distribution.search.engine import SearchIndexError, failures_as
from services.distribution.search.facets import count_values
from services.distribution.search.held import Held, counted, is_news, newest
from services.distribution.search.keys import HASH_BITS
from services.distribution.search.paging import page_of
from services.distribution.search.query import compile_query, works
from services.distribution.search.request import (
    Clause,
    Facet,
    SearchPage,
    SearchRequest,
    Term,
    Words,
)
from services.distribution.search.schema import (
    BOOKKEEPING,
    CITED_BY_COLUMN,
    OFFSETS,
    PAYLOAD,
    TOLD,
    VERSION,
    WORDS,
    build_schema,
    read_standing,
    standing,
    to_document,
    word_cutter,
)
from shared.runtime.crashpoints import crashpoint

WRITER_HEAP_BYTES: Final = 64_000_000  # one thread's memory before it writes a segment of its own

Offsets: TypeAlias = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Engine:
    """What an open index works with, to be handed over."""

    place: Path
    index: tantivy.Index
    writer: tantivy.IndexWriter | None
    offsets: Offsets


def open_index(folder: Path | str, *, schema_version: str) -> "SearchIndex":
    """Open the index in a folder, or an empty one where there is none that can be used.

    An index of another schema, engine or an unreadable one is set aside: offsets() is then empty
    and the caller replays the log. Raises IndexBusyError where another process has it open.
    """
    place = Path(folder)
    lock = folders.lock_folder(place)
    try:
        if not folders.is_current(place, schema_version):
            folders.set_aside(place)
        try:
            index = SearchIndex(place / folders.shown(place)[1], lock=lock)
        except SearchIndexError:
            folders.set_aside(place)
            index = SearchIndex(place / folders.INDEX, lock=lock)
        folders.mark_current(place, schema_version)
        folders.remove_older(place)
    except BaseException:
        os.close(lock)
        raise
    return index


class SearchIndex:
    """An open index. Every method blocks; write() is for one caller at a time, reads for many."""

    def __init__(self, place: Path, *, lock: int) -> None:
        self._place = place
        self._schema = build_schema()
        self._words = word_cutter()
        with failures_as("the search index could not be opened"):
            place.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(place))
            self._index.register_tokenizer(WORDS, self._words)
            self._index.config_reader(reload_policy="manual")
            self._index.reload()
            self._offsets = self._read_offsets()
        self._writer: tantivy.IndexWriter | None = None
        self._writing = threading.Lock()
        self._lock: int | None = lock
        self._generation = 0

    @property
    def folder(self) -> Path:
        """The folder of this index and of those that are built beside it."""
        return self._place.parent

    @property
    def generation(self) -> int:
        """A number that changes with every commit: what was computed of an older one is stale."""
        return self._generation

    @property
    def size(self) -> int:
        """How many works the index holds."""
        return _works_in(self._index.searcher())

    def offsets(self) -> dict[tuple[str, int], int]:
        """Return the next offset to read of each (topic, partition); empty for a new index."""
        return dict(self._offsets)

    def write(self, docs: Sequence[SearchDoc], offsets: Offsets) -> int:
        """Put works and offsets in, in one commit, and show them to readers.

        Offsets named here replace those of the same partition. Returns how many works changed.
        Raises SearchIndexError when the engine fails; index and offsets are then as before.
        """
        with self._writing:
            if self._lock is None:
                raise SearchIndexError("the search index is closed")
            try:
                with failures_as("the search index could not be written"):
                    fresh = self._changes(newest(docs))
                    combined = {**self._offsets, **offsets}
                    self._commit(fresh, combined)
                    self._index.reload()
            except SearchIndexError:
                self._abandon_batch()
                raise
            self._offsets = combined
            self._generation += 1
            return len(fresh)

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of works, the exact total, and exact counts of the facets asked for.

        Raises SearchIndexError when the engine fails.
        """
        with failures_as("the search index could not be read"):
            searcher = self._index.searcher()
            asked = compile_query(
                request.clauses, request.texts, schema=self._schema, words=self._words
            )
            query = works(self._schema) if asked is None else asked
            page = page_of(searcher, query, request=request, schema=self._schema)
            facets = {name: count_values(searcher, query, name) for name in request.facets}
        return SearchPage(page.total, page.hits, facets, page.position)

    def nearest(self, text: Words, *, rows: int) -> tuple[str, ...]:
        """Return the DOIs of the works that fit a text best, best first, and count nothing.

        Of few works and without a total the engine need not look at all that hold a word. Raises
        SearchIndexError when the engine fails.
        """
        with failures_as("the search index could not be read"):
            searcher = self._index.searcher()
            query = compile_query((), (text,), schema=self._schema, words=self._words)
            hits = searcher.search(query, limit=rows, count=False).hits if query else ()
            found = (searcher.doc(address)[Term.DOI.value] for _, address in hits)
            return tuple(str(doi[0]) for doi in found)

    def count(self, clauses: Iterable[Clause], facet: Facet) -> Mapping[str, int]:
        """Return how many works each value of a facet has, exactly; values of no work are absent.

        Raises SearchIndexError when the engine fails.
        """
        with failures_as("the search index could not be read"):
            asked = compile_query(clauses, (), schema=self._schema, words=self._words)
            query = works(self._schema) if asked is None else asked
            return count_values(self._index.searcher(), query, facet)

    def held(self, dois: Iterable[str]) -> dict[str, Held]:
        """Return what the index holds of those of the DOIs that it has.

        Raises SearchIndexError when the engine fails.
        """
        with failures_as("the search index could not be read"):
            return self._held(dois)

    def standings(
        self, title: str | None = None, clauses: Iterable[Clause] = ()
    ) -> dict[tuple[str, str], int]:
        """Return how many works are held under which title and owner prefix; of one title, or all.

        With clauses, of the works that satisfy them. Raises SearchIndexError when the engine fails.
        """
        beginning = "" if title is None else standing(title, "")
        with failures_as("the search index could not be read"):
            asked = compile_query(clauses, (), schema=self._schema, words=self._words)
            counted = self._index.searcher().terms_with_prefix(
                Term.STANDING.value, beginning, filter_query=asked or works(self._schema)
            )
        pairs = {read_standing(value): count for value, count in counted if count}
        return {pair: n for pair, n in pairs.items() if title is None or pair[0] == title}

    def dois(self) -> list[str]:
        """Return every DOI that the index holds. Raises SearchIndexError when the engine fails."""
        with failures_as("the search index could not be read"):
            counted = self._index.searcher().terms_with_prefix(
                Term.DOI.value, "", filter_query=works(self._schema)
            )
        return [doi for doi, count in counted if count]

    def beside(self, name: str) -> "SearchIndex":
        """Open another index in the same folder, empty or as far as it was built.

        Raises SearchIndexError when it cannot be opened, or this one is closed.
        """
        if self._lock is None:
            raise SearchIndexError("the search index is closed")
        lock = os.dup(self._lock)
        try:
            return SearchIndex(self.folder / name, lock=lock)
        except BaseException:
            os.close(lock)
            raise

    def become(self, other: "SearchIndex") -> None:
        """Show and write what ``other`` holds from now on; ``other`` is closed by it.

        A search that is under way ends where it began: in the index of before.
        """
        with self._writing:
            if self._lock is None:
                raise SearchIndexError("the search index is closed")
            old, new = self._writer, other.hand_over()
            self._place, self._index = new.place, new.index
            self._writer, self._offsets = new.writer, dict(new.offsets)
            self._generation += 1
        if old is not None:
            old.rollback()
            old.wait_merging_threads()

    def hand_over(self) -> Engine:
        """Let go of what this index works with, for another one to go on with it; closes it."""
        with self._writing:
            if self._lock is None:
                raise SearchIndexError("the search index is closed")
            os.close(self._lock)
            engine = Engine(self._place, self._index, self._writer, self._offsets)
            self._writer = self._lock = None
            return engine

    def close(self) -> None:
        """Let the index go; what was not committed is forgotten. Calling it again does nothing."""
        with self._writing:
            if self._lock is None:
                return
            if self._writer is not None:
                self._writer.rollback()
                self._writer.wait_merging_threads()
            os.close(self._lock)
            self._writer = self._lock = None

    def _commit(self, docs: Iterable[SearchDoc], offsets: Offsets) -> None:
        writer = self._writer or self._new_writer()
        self._writer = writer
        for doc in docs:
            writer.delete_documents_by_term(Term.DOI.value, doc.doi)
            writer.add_document(to_document(doc, schema=self._schema))
        payload = orjson.dumps([[topic, part, at] for (topic, part), at in offsets.items()])
        writer.delete_documents_by_term(BOOKKEEPING, OFFSETS)
        bookkeeping = {BOOKKEEPING: OFFSETS, PAYLOAD: payload}
        writer.add_document(tantivy.Document.from_dict(bookkeeping, self._schema))
        crashpoint("search.before-commit")
        writer.commit()
        crashpoint("search.committed")

    def _abandon_batch(self) -> None:
        """Forget what was added since the last commit; a writer that died is replaced."""
        try:
            with failures_as("the batch could not be rolled back"):
                if self._writer is not None:
                    self._writer.rollback()
        except SearchIndexError:
            self._writer = None

    def _new_writer(self) -> tantivy.IndexWriter:
        # One thread makes one segment per commit; small segments cost every search.
        return self._index.writer(heap_size=WRITER_HEAP_BYTES, num_threads=1)

    def _read_offsets(self) -> dict[tuple[str, int], int]:
        searcher = self._index.searcher()
        query = tantivy.Query.term_query(self._schema, BOOKKEEPING, OFFSETS, index_option="basic")
        hits = searcher.search(query, limit=1).hits
        if not hits:
            return {}
        entries = orjson.loads(bytes(searcher.doc(hits[0][1])[PAYLOAD][0]))
        return {(str(topic), int(partition)): int(at) for topic, partition, at in entries}

    def _changes(self, docs: Mapping[str, SearchDoc]) -> list[SearchDoc]:
        held = self._held(docs)
        return [
            counted(doc, held.get(doi)) for doi, doc in docs.items() if is_news(doc, held.get(doi))
        ]

    def _held(self, dois: Iterable[str]) -> dict[str, Held]:
        wanted = list(dois)
        searcher = self._index.searcher()
        if not wanted or not searcher.num_docs:
            return {}
        query = tantivy.Query.term_set_query(self._schema, Term.DOI.value, wanted)
        hits = searcher.search(query, limit=len(wanted), count=False).hits
        addresses = [address for _, address in hits]
        versions = searcher.fast_field_values(VERSION, addresses)
        counts = searcher.fast_field_values(CITED_BY_COLUMN, addresses)
        told = searcher.fast_field_values(TOLD, addresses)
        found = {}
        for address, version, count, said in zip(addresses, versions, counts, told, strict=True):
            stored = searcher.doc(address)
            doi, owner = str(stored[Term.DOI.value][0]), str(stored[Term.OWNER.value][0])
            cited_by = int(count or 0) >> HASH_BITS
            found[doi] = Held(int(version or 0), owner, cited_by, int(said or 0))
        return found


def _works_in(searcher: tantivy.Searcher) -> int:
    """Return the number of works: of all documents but the offsets, which every commit holds."""
    return max(searcher.num_docs - 1, 0)
