"""A work's references with the DOIs that were found for them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.distribution.matching.kept import Found
from services.distribution.matching.references import digest_of

MATCHED: Final = "matched"
"""The field of a document that names what was found; it is no part of the work."""

BY_US: Final = "crossref"


def has_open(work: Mapping[str, Any]) -> bool:
    """Say whether a work has a reference without a DOI."""
    return any("DOI" not in reference for reference in work.get("reference", ()))


def with_matches(document: dict[str, Any], found: Sequence[Found]) -> dict[str, Any]:
    """Return a work's document with DOIs in the references that they were found for.

    A match stands for the text it was found for: under the same key another reference of a newer
    deposit gets none (CRR-11).
    """
    by_key = {one.key: one for one in found}
    shown = []
    used = []
    for reference in document["work"]["reference"]:
        one = by_key.get(reference.get("key", ""))
        if one is None or "DOI" in reference or digest_of(reference) != one.of:
            shown.append(reference)
            continue
        shown.append({**reference, "DOI": one.doi, "doi-asserted-by": BY_US})
        used.append(f"{one.key} {one.doi}")
    if not used:
        return document
    work = {**document["work"], "reference": shown}
    return {**document, "work": work, MATCHED: used}
