"""What works say of other works, told at the other end: relations by their inverse, and updates.

A review says that it reviews an article; the article's record then says that it has that review,
``asserted-by`` its object. What is told of a work is found from an index, as its citations are
counted, and kept in its document beside their number (citations.py): it follows from what the other
works say now, in whatever order they came (L4).

Relations that are citations are never told from the other end: who cites may keep that to itself
(CRR-2). Neither is what the policy withholds, whatever it may be (``not_withheld``).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson

from services.distribution.search.reading import records, text
from services.distribution.search.terms import bare
from shared.mongo.client import Collection, Document

Work: TypeAlias = Mapping[str, Any]
Claim: TypeAlias = Mapping[str, Any]
"""``as``: a relation's name, or UPDATED; ``by``: the DOI of who says it; ``says``: an update."""

UPDATES: Final = "update-to"
UPDATED: Final = "updated-by"
RELATION: Final = "relation"
PAIRS: Final = (
    ("is-derived-from", "has-derivation"),
    ("is-review-of", "has-review"),
    ("is-comment-on", "has-comment"),
    ("is-reply-to", "has-reply"),
    ("based-on-data", "is-data-basis-for"),
    ("has-related-material", "is-related-material"),
    ("is-compiled-by", "compiles"),
    ("is-documented-by", "documents"),
    ("is-supplement-to", "is-supplemented-by"),
    ("is-continued-by", "continues"),
    ("is-part-of", "has-part"),
    ("references", "is-referenced-by"),
    ("cites", "is-cited-by"),
    ("is-based-on", "is-basis-for"),
    ("requires", "is-required-by"),
    ("finances", "is-financed-by"),
    ("has-translation", "is-translation-of"),
    ("has-preprint", "is-preprint-of"),
    ("has-manuscript", "is-manuscript-of"),
    ("has-expression", "is-expression-of"),
    ("has-manifestation", "is-manifestation-of"),
    ("replaces", "is-replaced-by"),
    ("is-same-as", "is-same-as"),
    ("is-identical-to", "is-identical-to"),
    ("is-original-form-of", "is-variant-form-of"),
    ("has-version", "is-version-of"),
    ("has-format", "is-format-of"),
)
INVERSES: Final[Mapping[str, str]] = {
    **dict(PAIRS),
    **{inverse: name for name, inverse in PAIRS},
}
"""Name of a relation -> what the work at its other end is to this one."""
CITATIONS: Final = frozenset({"cites", "is-cited-by", "references", "is-referenced-by"})
"""Relations that say who cites whom, which is the citing work's to show."""
TOLD_AS: Final[Mapping[str, str]] = {
    name: inverse for name, inverse in INVERSES.items() if name not in CITATIONS
}
"""Name of a relation -> how it is told at the other end."""

# What is told of a work is in its document, whoever says it: nobody may say so much that it bursts.
MOST_TOLD: Final = 1_000  # that is told of one work; of more, what the first say by their DOI
MOST_OF_ONE: Final = 10  # that one work is heard to say of another
LONGEST: Final = 1_000  # bytes of an update that is told
MOST_LOOKED: Final = 2_000  # works that are looked at together; MOST_TOLD of one fit in
KEYS: Final = 100  # keys a look-up: fewer and more both cost the embedded store more a key
SAID: Final = {"work.relation": 1, f"work.{UPDATES}": 1}


def named(doi: str, work: Work) -> list[str]:
    """Return the DOIs that a work says something of, lower-cased, each once.

    Of itself it can only say that it updates itself.
    """
    return list(dict.fromkeys(other for other, _ in _said(doi, work)))


def _said(doi: str, work: Work) -> Iterator[tuple[str, Claim]]:
    """Yield what a work says of others, with whom it says it of."""
    for other, claim in (*_relations(doi, work), *_updates(doi, work)):
        # A work that has a new version under the same DOI updates itself, and is told so.
        if other.startswith("10.") and (other != doi or claim["as"] == UPDATED):
            yield other, claim


def _relations(doi: str, work: Work) -> Iterator[tuple[str, Claim]]:
    relation = _relation(work)
    for name in sorted(relation.keys() & TOLD_AS.keys()):
        for one in records(relation, name):
            if text(one, "id-type").lower() == "doi" and one.get("asserted-by") != "object":
                yield bare(text(one, "id")), {"as": TOLD_AS[name], "by": doi}


def _relation(work: Work) -> Mapping[str, Any]:
    relation = work.get(RELATION)
    return relation if isinstance(relation, Mapping) else {}


def _updates(doi: str, work: Work) -> Iterator[tuple[str, Claim]]:
    for update in records(work, UPDATES):
        says = {name: value for name, value in update.items() if name != "DOI"}
        if len(orjson.dumps(says)) <= LONGEST:
            yield bare(text(update, "DOI")), {"as": UPDATED, "by": doi, "says": says}


async def claimed(works: Collection, dois: Sequence[str]) -> dict[str, list[Claim]]:
    """Return what other works say of each of ``dois``, in an order that follows from what is said.

    One look for all; where so many works say something of them that it may not have met all, each
    is looked at by itself.
    """
    asked = {"names": {"$in": list(dois)}}
    found = await works.find(asked, SAID).limit(MOST_LOOKED).to_list(None)
    if len(found) < MOST_LOOKED:
        return _told(found, dois)
    told: dict[str, list[Claim]] = {}
    for doi in dois:
        told |= _told(await _first(works, doi), [doi])
    return told


async def _first(works: Collection, doi: str) -> list[Document]:
    """Return the works that name one, of many the first; the store is not asked to sort."""
    naming = await works.find({"names": doi}, {"_id": 1}).to_list(None)
    keys = sorted(one["_id"] for one in naming)[:MOST_TOLD]
    found: list[Document] = []
    for start in range(0, len(keys), KEYS):
        asked = {"_id": {"$in": keys[start : start + KEYS]}}
        found += await works.find(asked, SAID).to_list(None)
    return found


def _told(found: Iterable[Document], dois: Sequence[str]) -> dict[str, list[Claim]]:
    """Sort what works say by whom they say it of, by name, and by who says it."""
    told: dict[str, list[Claim]] = {doi: [] for doi in dois}
    for document in sorted(found, key=lambda one: str(one["_id"])):
        said: dict[str, list[Claim]] = {}
        for doi, claim in _said(document["_id"], document.get("work", {})):
            heard = said.setdefault(doi, [])
            if doi in told and len(heard) < MOST_OF_ONE and claim not in heard:
                heard.append(claim)
        for doi, claims in said.items():
            if claims:
                told[doi] += claims[: MOST_TOLD - len(told[doi])]
    return {doi: sorted(claims, key=lambda one: one["as"]) for doi, claims in told.items()}


def not_withheld(told: Iterable[Claim], fields: Sequence[str]) -> list[Claim]:
    """Return what is told without what a policy withholds at either end.

    ``fields`` are the policy's paths. Whether somebody may see them is the work's that says it;
    here it is told to everyone or to nobody.
    """
    paths = [field.split(".") for field in fields]
    return [one for one in told if not any(_is_under(one["as"], path) for path in paths)]


def _is_under(name: str, path: Sequence[str]) -> bool:
    root, *below = path
    if name == UPDATED:
        return root in {UPDATED, UPDATES}
    return root == RELATION and (not below or below[0] in {name, INVERSES.get(name)})


def with_claims(work: Work, told: Sequence[Claim]) -> Work:
    """Return a work with what is told of it; the work itself stays as it is.

    What it says itself comes first, and is not said twice.
    """
    if not told:
        return work
    own = _relation(work)
    seen = {(name, bare(one.get("id", ""))) for name in own for one in records(own, name)}
    related: dict[str, list[Work]] = {}
    updates: list[Work] = []
    updated = records(work, UPDATED)
    for one in told:
        name, doi = one["as"], one["by"]
        if name == UPDATED:
            update = {"DOI": doi, **one["says"]}
            updates += [update] if update not in updated else []
        elif (name, doi) not in seen:
            item = {"id-type": "doi", "id": doi, "asserted-by": "object"}
            related.setdefault(name, records(own, name)).append(item)
    return {
        **work,
        **({RELATION: {**own, **related}} if related else {}),
        **({UPDATED: [*updated, *updates]} if updates else {}),
    }


def digest(told: Sequence[Claim]) -> int:
    """Return a number of eight bytes that differs where what is told does; 0 of nothing."""
    if not told:
        return 0
    written = orjson.dumps(list(told), option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(written, digest_size=8).digest(), "big") or 1
