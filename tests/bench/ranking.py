"""Ranking: how often a work is found first by a citation of it, and how far down else.

The registry is the real works of the samples and, beside them, the works that their references
describe, some thousands. Each real work is looked up by ``query.bibliographic`` with citations
made of it in four styles; a work that two others cite, with what the one says of it where the
other's words are the registered ones. The last line is the share found first of all.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from services.distribution.search import (
    RELEVANCE,
    Order,
    SearchIndex,
    SearchRequest,
    Text,
    Words,
    open_index,
    project,
)
from services.distribution.search.schema import LAYOUT
from tests.bench.rig import console, describe_machine
from tests.conftest import SAMPLES

AT: Final = "2026-01-01T00:00:00Z"
SEEN: Final = 10  # places that are looked at
SAID: Final = ("article-title", "volume-title", "journal-title")
FIELDS: Final = ("author", "year", *SAID, "series-title", "volume", "issue", "first-page")

Work = Mapping[str, Any]


async def main() -> None:
    """Print the share found first, and the mean of 1 / place, of each kind of citation."""
    file = SAMPLES / "crossref" / "works" / "works-2026.jsonl"
    if not file.is_file():
        console.print(f"skipped: there are no samples at {SAMPLES}")
        return
    describe_machine()
    works = {w["DOI"].lower(): w for w in map(orjson.loads, file.read_bytes().splitlines())}
    cited = references(works)
    questions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for doi, work in works.items():
        for style, text in citations(work):
            questions[style].append((doi, text))
    registered = {**works}
    for doi, said in cited.items():
        if doi not in works:
            registered[doi] = described(said[0])
            questions["named twice"] += [(doi, text) for text in map(words, said[1:]) if text]
    with tempfile.TemporaryDirectory(prefix="colophon-bench-") as folder:
        index = open_index(folder, schema_version=str(LAYOUT))
        index.write([project(state(*one), indexed=AT) for one in registered.items()], {})
        console.print(f"{len(works)} works among {len(registered):,}")
        firsts = [one for style, asked in questions.items() for one in look_up(index, style, asked)]
        index.close()
    print(f"ranking {sum(firsts) / len(firsts):.3f}")  # noqa: T201  (the promised last line)


def look_up(index: SearchIndex, style: str, asked: list[tuple[str, str]]) -> list[bool]:
    """Look works up, print how they were found, return which were found first."""
    places = []
    for doi, text in asked:
        asked_for = (Words(Text.BIBLIOGRAPHIC, text),)
        page = index.search(SearchRequest(texts=asked_for, order=Order(RELEVANCE), rows=SEEN))
        found = [hit.doi for hit in page.hits]
        places.append(found.index(doi) + 1 if doi in found else None)
    first = sum(place == 1 for place in places) / len(places)
    mean = sum(1 / place for place in places if place) / len(places)
    console.print(
        f"{style}: {len(asked)} asked, {first:.3f} found first, mean of 1/place {mean:.3f}"
    )
    return [place == 1 for place in places]


def state(doi: str, work: Work) -> dict[str, Any]:
    """Return a work as the log carries it."""
    kept = {name: value for name, value in work.items() if name != "reference"}
    head = {"doi": doi, "prefix": doi.partition("/")[0], "version": 1, "title": None}
    return {**head, "created": AT, "deposited": AT, "work": kept}


def references(works: Mapping[str, Work]) -> dict[str, list[Work]]:
    """Return what works say of each DOI they cite, one word a citing work, fields first."""
    found: dict[str, list[Work]] = defaultdict(list)
    for work in works.values():
        said = {one["DOI"].lower(): one for one in work.get("reference", ()) if one.get("DOI")}
        for doi, one in said.items():
            found[doi].append(one)
    ordered = {
        doi: sorted(said, key=lambda one: not any(one.get(name) for name in SAID))
        for doi, said in found.items()
    }
    return {doi: said for doi, said in ordered.items() if any(said[0].get(n) for n in SAID)}


def words(reference: Work) -> str:
    """Return a reference as text."""
    fields = " ".join(reference[name] for name in FIELDS if reference.get(name))
    return str(reference.get("unstructured") or fields)


def described(reference: Work) -> dict[str, Any]:
    """Return the work that a reference describes."""
    year = str(reference.get("year", ""))[:4]
    issued = {"date-parts": [[int(year)]]} if year.isdecimal() and int(year) else None
    title = reference.get("article-title") or reference.get("volume-title")
    container = reference.get("journal-title") or reference.get("series-title")
    work = {
        "title": [title] if title else [],
        "container-title": [container] if container else [],
        "author": [{"family": reference["author"]}] if reference.get("author") else [],
        "volume": reference.get("volume"),
        "issue": reference.get("issue"),
        "page": reference.get("first-page"),
        "issued": issued,
    }
    return {"type": "journal-article", **{name: said for name, said in work.items() if said}}


def citations(work: Work) -> Iterator[tuple[str, str]]:
    """Yield a work's citations by style; none of a work without author, title or journal."""
    people = [(one["family"], one.get("given", " ")[0]) for one in named(work)]
    title, journal = first(work, "title"), first(work, "container-title")
    if not (people and title and journal):
        return
    year = str((work["issued"]["date-parts"][0] or [""])[0] or "")
    volume, issue, page = (work.get(name, "") for name in ("volume", "issue", "page"))
    short, start = first(work, "short-container-title") or journal, page.partition("-")[0]
    listed = ", ".join(f"{family}, {initial}." for family, initial in people[:6])
    yield "whole", f"{listed} ({year}). {title}. {journal}, {volume}({issue}), {page}."
    three = ", ".join(f"{family} {initial}" for family, initial in people[:3])
    yield "abbreviated", f"{three}, et al. {title}. {short}. {year};{volume}:{start}."
    yield "without a title", f"{' '.join(people[0])}, {short} {volume}, {start} ({year})"
    yield "title alone", title


def named(work: Work) -> list[Any]:
    """Return the authors that have a family name."""
    return [one for one in work.get("author", ()) if one.get("family")]


def first(work: Work, name: str) -> str:
    """Return the first text of a list."""
    return str((work.get(name) or [""])[0])
