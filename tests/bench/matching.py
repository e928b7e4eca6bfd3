"""Matching: how many references find their work, and how many find a wrong one (issue: precision).

References of the samples that carry a DOI and words are matched with the DOI hidden. What stands
behind a DOI is not in the samples, so a registry is made of what references say of it:

- ``named twice``: two works name one DOI; one reference is the registered work, the other is
  matched;
- ``fields and text``: one reference says it twice; its fields are the work, its text is matched;
- ``registered``: the work itself is in the samples;
- ``absent``: every reference, its own work taken away: whatever is found is wrong, or another DOI
  of the same work.

All other works and references of the samples stand beside as distractors. The last line is
precision where the work is there.
"""

import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from services.distribution.matching import references
from services.distribution.matching.cards import Card
from services.distribution.matching.scoring import choose, points_of
from services.distribution.search import Text, Words, open_index, project
from services.distribution.search.schema import LAYOUT
from tests.bench.rig import console
from tests.conftest import SAMPLES
from tests.unit.deposits import test_crossref_unixsd as unixsd

NEAREST: Final = 5
FIELDS: Final = 4  # that a reference says of its work beside its text
AT: Final = "2026-01-01T00:00:00Z"
DOI: Final = re.compile(r"(https?://(dx\.)?doi\.org/|doi:?\s*)?10\.\d{4,9}/\S+", re.IGNORECASE)
WORDS: Final = ("article-title", "volume-title", "journal-title", "volume", "unstructured")

Reference = Mapping[str, Any]


@dataclass
class Registry:
    """Works by DOI, found as the matcher finds them."""

    folder: Path
    cards: dict[str, Card] = field(default_factory=dict)
    works: dict[str, Any] = field(default_factory=dict)
    by_feature: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, doi: str, work: Mapping[str, Any]) -> None:
        """Register a work."""
        if doi not in self.cards:
            self.cards[doi] = card = Card.of(doi, work)
            self.works[doi] = work
            for feature in references.offered(card):
                self.by_feature[feature].append(doi)

    def indexed(self) -> None:
        """Put all into a search index."""
        self.index = open_index(self.folder, schema_version=str(LAYOUT))
        self.index.write(
            [
                project(
                    {"doi": doi, "prefix": doi.partition("/")[0], "title": None, "version": 1}
                    | {"created": AT, "deposited": AT, "work": work},
                    indexed=AT,
                )
                for doi, work in self.works.items()
            ],
            {},
        )

    def find(self, reference: Reference, without: str = "") -> str | None:
        """Return the work a reference means; ``without`` is as if it were not registered."""
        reading = references.read(reference)
        if reading is None:
            return None
        near = {doi for one in references.wanted(reading) for doi in self.by_feature.get(one, ())}
        found = choose(reading, (self.cards[doi] for doi in near if doi != without))
        if found is None:
            text = Words(Text.BIBLIOGRAPHIC, references.query_of(reference))
            near |= set(self.index.nearest(text, rows=NEAREST))
            found = choose(reading, (self.cards[doi] for doi in near if doi != without))
        return found


def shown(reference: Reference) -> dict[str, Any]:
    """Return a reference without its DOI, in its field or its text."""
    rest = {k: v for k, v in reference.items() if k not in ("DOI", "doi-asserted-by")}
    if "unstructured" in rest:
        rest["unstructured"] = DOI.sub("", rest["unstructured"])
    return rest


def as_work(reference: Reference) -> dict[str, Any]:
    """Return the work that a reference speaks of, as far as it does."""
    title = reference.get("article-title") or reference.get("volume-title")
    year = re.search(r"\d{4}", reference.get("year", ""))
    names = [w for w in re.split(r"[\s,.]+", reference.get("author", "")) if len(w) > 2]
    work = {
        "type": "journal-article" if "journal-title" in reference else "other",
        "title": [title] if title else [],
        "container-title": [reference[n] for n in ("journal-title",) if n in reference],
        "volume": reference.get("volume"),
        "page": reference.get("first-page"),
        "author": [{"family": names[0]}] if names else [],
    }
    if year:
        work["issued"] = {"date-parts": [[int(year[0])]]}
    return {name: value for name, value in work.items() if value}


def of_samples() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every work of the samples with its DOI."""
    path = SAMPLES / "crossref" / "works" / "works-2026.jsonl"
    for line in path.read_bytes().splitlines():
        work = orjson.loads(line)
        yield work["DOI"].lower(), work
    for path in unixsd.FILES:
        for record in unixsd.deposited(path):
            yield str(record.work["DOI"]).lower(), record.work


async def main() -> None:
    """Print precision and recall of each kind; the last line is precision where the work is."""
    if not SAMPLES.is_dir():
        console.print("skipped: the samples folder is not beside this checkout")
        return
    works = dict(of_samples())
    named: dict[str, list[tuple[str, Reference]]] = defaultdict(list)
    for citing, work in works.items():
        for one in work.get("reference", ()):
            if one.get("DOI") and any(one.get(name) for name in WORDS):
                named[one["DOI"].lower()].append((citing, one))
    with tempfile.TemporaryDirectory(prefix="colophon-bench-") as folder:
        registry = Registry(Path(folder))
        for doi, work in works.items():
            registry.add(doi, work)
        spoken = [(doi, refs) for doi, refs in named.items() if doi not in works]
        for doi, refs in spoken:
            registry.add(doi, as_work(refs[0][1]))
        registry.indexed()
        everything = [(doi, one) for doi, refs in named.items() for _, one in refs]
        console.print(f"{len(registry.cards)} works registered, {len(everything)} references")
        twice = [(doi, one) for doi, refs in spoken for _, one in refs[1:]]
        texts = [
            (doi, {"unstructured": refs[0][1]["unstructured"]})
            for doi, refs in spoken
            if "unstructured" in refs[0][1] and len(as_work(refs[0][1])) >= FIELDS
        ]  # fmt: skip
        there = [(doi, one) for doi, refs in named.items() if doi in works for _, one in refs]
        right = wrong = 0
        for name, asked in (
            ("named twice", twice), ("fields and text", texts), ("registered", there)
        ):  # fmt: skip
            good, bad = measure(registry, name, asked)
            right, wrong = right + good, wrong + bad
        absent(registry, everything)
        registry.index.close()
    console.print(f"matching {right / max(right + wrong, 1):.4f}")


def measure(
    registry: Registry, name: str, asked: Sequence[tuple[str, Reference]]
) -> tuple[int, int]:
    """Print precision and recall of one kind; return how many were right and wrong."""
    good = bad = 0
    for doi, reference in asked:
        found = registry.find(shown(reference))
        good += found == doi
        bad += found not in (doi, None)
        if found not in (doi, None):
            console.print(f"  wrong: {shown(reference)} -> {registry.cards[str(found)]}")
        elif found is None and VERBOSE:
            reading = references.read(shown(reference))
            p = reading and points_of(reading, registry.cards[doi])
            console.print(f"  missed {p}: {reading} -> {registry.cards[doi]}")
    precision = good / max(good + bad, 1)
    console.print(
        f"{name}: {len(asked)} references, {good} right, {bad} wrong:"
        f" precision {precision:.4f}, recall {good / max(len(asked), 1):.3f}"
    )
    return good, bad


def absent(registry: Registry, asked: Sequence[tuple[str, Reference]]) -> None:
    """Print how many references find something where their own work is not registered."""
    began = time.perf_counter()
    found = 0
    for doi, one in asked:
        other = registry.find(shown(one), without=doi)
        if other is not None:
            found += 1
            console.print(f"  absent {doi}: {shown(one)} -> {registry.cards[other]}")
    seconds = time.perf_counter() - began
    console.print(
        f"absent: {len(asked)} references, {found} find another DOI:"
        f" {found / len(asked):.4f}; {1000 * seconds / len(asked):.2f} ms each"
    )


VERBOSE: Final = False
