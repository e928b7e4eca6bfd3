"""What a work has, by name: twelve that coverage counts, and the others that filters ask. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from services.distribution.search.reading import (
    Work,
    affiliations,
    everyone,
    funders,
    items,
    records,
    strings,
)

Has: TypeAlias = Callable[[Work], bool]


def reference_count(work: Work) -> int:
    """Return the number of references, whatever their visibility (L4)."""
    declared = work.get("references-count", work.get("reference-count"))
    return int(declared) if declared is not None else len(work.get("reference") or ())


def relations(work: Work) -> list[tuple[str, Work]]:
    """Return the relations of a work by their names, but for those that repeat its references."""
    related = work.get("relation")
    if not isinstance(related, Mapping):
        return []
    return [(str(name), one) for name in related if name != CITES for one in records(related, name)]


CITES: Final = "cites"
"""The relation that is made of the references: it never enters the index, as they do not."""


def _has_ror(work: Work) -> bool:
    places = (*affiliations(work), *funders(work), *records(work, "institution"))
    return _identified(places, "ROR")


def _identified(those: Iterable[Work], kind: str) -> bool:
    """Whether one of those has an identifier of a kind."""
    return any(
        str(identifier.get("id-type", "")).upper() == kind
        for one in those
        for identifier in records(one, "id")
    )


def _has_link_for(*applications: str) -> Has:
    return lambda work: any(
        link.get("intended-application") in applications for link in records(work, "link")
    )


def _some(name: str) -> Has:
    """Whether there is anything under a name."""
    return lambda work: bool(work.get(name))


def _some_funder(name: str) -> Has:
    return lambda work: any(funder.get(name) for funder in funders(work))


def _crossmark(name: str) -> Has:
    return lambda work: any(domain.get(name) for domain in records(work, "content-domain"))


FLAGS: Final[Mapping[str, Has]] = {
    "references": lambda work: reference_count(work) > 0,
    "abstracts": _some("abstract"),
    "affiliations": lambda work: any(affiliations(work)),
    "award-numbers": _some_funder("award"),
    "descriptions": _some("description"),
    "funders": lambda work: any(funders(work)),
    "licenses": lambda work: any(records(work, "license")),
    "orcids": lambda work: any(person.get("ORCID") for person in everyone(work)),
    "resource-links": _has_link_for("text-mining", "unspecified", "syndication"),
    "ror-ids": _has_ror,
    "similarity-checking": _has_link_for("similarity-checking"),
    "update-policies": _some("update-policy"),
}
"""What a work can have: the twelve that coverage counts (crossref.md 1.14), in a fixed order."""

ASKED: Final[Mapping[str, Has]] = {
    "aliases": _some("aliases"),
    "archives": lambda work: bool(strings(work, "archive")),
    "assertions": lambda work: any(records(work, "assertion")),
    "authenticated-orcids": lambda work: any(
        person.get("ORCID") and person.get("authenticated-orcid") is True
        for person in everyone(work)
    ),
    "awards": lambda work: bool(work.get("award")) or FLAGS["award-numbers"](work),
    "clinical-trial-numbers": lambda work: any(records(work, "clinical-trial-number")),
    "content-domains": _crossmark("domain"),
    "domain-restrictions": _crossmark("crossmark-restriction"),
    "events": _some("event"),
    "full-texts": lambda work: bool(items(work, "link")),
    "funder-dois": lambda work: _some_funder("DOI")(work) or _identified(funders(work), "DOI"),
    "prime-dois": _some("prime-doi"),
    "relations": lambda work: bool(relations(work)),
    "updated-by": lambda work: any(records(work, "updated-by")),
    "update-to": lambda work: any(records(work, "update-to")),
}
"""What filters ask besides."""


def flags_of(work: Work) -> frozenset[str]:
    """Return the names of what a work has."""
    tables = (*FLAGS.items(), *ASKED.items())
    return frozenset(name for name, has in tables if has(work))
