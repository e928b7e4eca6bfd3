"""A library of synthetic works for the benches of lists: titles of words as rare as real ones."""

import bisect
import itertools
from collections.abc import Iterator
from typing import Any, Final

from services.distribution.search import SearchDoc, project

WORDS: Final = 20_000
TITLE_WORDS: Final = 9
TYPES: Final = ("journal-article",) * 7 + ("book-chapter", "proceedings-article", "posted-content")
AT: Final = "2026-01-01T00:00:00Z"
PREFIX: Final = "10.5555"

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
        "deposited": AT,
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


def projected(numbers: Iterator[int] | range) -> Iterator[SearchDoc]:
    """Yield the search documents of works."""
    return (project(state(number), indexed=AT) for number in numbers)


def question(number: int) -> tuple[str, str]:
    """Return three words as they stand in titles, and two filters."""
    words = " ".join(word(number * 64 * 17 + n) for n in range(3))
    since = 1996 + number % 20
    return words, f"type:journal-article,from-pub-date:{since}"
