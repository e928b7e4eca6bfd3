"""A library of synthetic works for the benches of lists: titles of words as rare as real ones.

They are in a store and in an index as the services keep them; what a kept folder holds already is
not made again.
"""

import bisect
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from services.distribution.projections import WORKS
from services.distribution.search import SearchIndex, open_index, project
from services.distribution.search.schema import LAYOUT
from services.distribution.store import prepare
from shared.mongo import Database, connect
from shared.runtime.clock import rfc3339
from tests.bench.rig import Rig
from tests.events import AT

WORDS: Final = 20_000
TITLE_WORDS: Final = 9
TYPES: Final = ("journal-article",) * 7 + ("book-chapter", "proceedings-article", "posted-content")
PREFIX: Final = "10.5555"
FIRST: Final = datetime(2025, 3, 1, tzinfo=UTC)  # one is deposited each second from then on
INDEX: Final = Path("distribution", "search")  # where a service that runs in the folder looks
INDEXED_AT_ONCE: Final = 5_000
STORED_AT_ONCE: Final = 200  # the embedded store takes one bulk write at a time

_STEEP: Final = 0.9  # of the power law that word frequencies follow
_REACHED: Final = list(itertools.accumulate(1 / (n + 1) ** _STEEP for n in range(WORDS)))


def draw(seed: int) -> float:
    """Return a number in [0, 1) for a seed, always the same."""
    mixed = (seed * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed >> 11) / (1 << 53)


def word(seed: int) -> str:
    """Return a word; low numbers are the frequent ones."""
    return f"w{bisect.bisect(_REACHED, draw(seed) * _REACHED[-1])}"


def state(number: int) -> dict[str, Any]:
    """Return the state of a work as the log carries it: about 3 KB with its twelve references."""
    doi, year = f"{PREFIX}/{number}", 1995 + number % 30
    references = [
        {"key": f"r{n}", "DOI": f"{PREFIX}/{(number * 31 + n * 977) % 50_000}", "year": "2001"}
        for n in range(12 if number % 3 else 0)
    ]
    journal = number * 7919 % 400
    return {
        "doi": doi,
        "prefix": PREFIX,
        "version": 1,
        "title": None,
        "created": AT,
        "deposited": FIRST + timedelta(seconds=number),
        "work": {
            "type": TYPES[number * 31 % 10],
            "DOI": doi,
            "title": [" ".join(word(number * 64 + n) for n in range(TITLE_WORDS))],
            "container-title": [f"Journal {journal} of {word(journal)}"],
            "ISSN": [f"{journal:04}-0000"],
            "volume": str(1 + number % 60),
            "page": f"{number % 900}-{number % 900 + 9}",
            "published": {"date-parts": [[year, 1 + number % 12]]},
            "issued": {"date-parts": [[year, 1 + number % 12]]},
            "author": [
                {"given": "Ada", "family": word(number * 64 + 20 + n), "sequence": "first"}
                for n in range(4)
            ],
            "license": [
                {"URL": "https://a.example/by", "content-version": "vor", "delay-in-days": 0}
            ],
            "resource": {"primary": {"URL": f"https://example.org/{number}"}},
            "abstract": " ".join(word(number * 64 + 30 + n % 30) for n in range(120)),
            "reference": references,
            "references-count": len(references),
            "reference-count": len(references),
        },
    }


def kept(number: int) -> dict[str, Any]:
    """Return the document of a work in the store, as the projector writes it."""
    known = state(number)
    fields = {key: known[key] for key in ("prefix", "title", "created", "deposited", "work")}
    return {
        "_id": known["doi"],
        "v": 1,
        **fields,
        "indexed": AT,
        "cites": [one["DOI"] for one in known["work"]["reference"]],
        "recount": [],
        "cited_by": number % 7,
    }


@asynccontextmanager
async def stored(here: Rig, works: int) -> AsyncIterator[Database]:
    """Put so many works where the projector puts them; gives distribution's database."""
    name = here.prefix.replace(".", "_") + "distribution"
    async with connect(here.mongodb_url, name) as database:
        await prepare(database)
        await _store(database, works)
        yield database


async def _store(database: Database, works: int) -> None:
    held = await database[WORKS].estimated_document_count()
    for start in range(held, works, STORED_AT_ONCE):
        page = [kept(number) for number in range(start, min(start + STORED_AT_ONCE, works))]
        await database[WORKS].insert_many(page, ordered=False)


def filled(folder: Path, works: int) -> SearchIndex:
    """Open the index of a folder with so many works."""
    index, at = open_index(folder, schema_version=str(LAYOUT)), rfc3339(AT)
    for start in range(index.size, works, INDEXED_AT_ONCE):
        numbers = range(start, min(start + INDEXED_AT_ONCE, works))
        index.write([project(state(one), indexed=at) for one in numbers], {("bench", 0): start})
    return index


def question(number: int) -> tuple[str, str]:
    """Return three words as they stand in titles, and two filters."""
    words = " ".join(word(number * 64 * 17 + n) for n in range(3))
    since = 1996 + number % 20
    return words, f"type:journal-article,from-pub-date:{since}"
