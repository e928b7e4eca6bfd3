"""A work's object -> the values it is found by and counted under. Pure.

Sub-records (an award, a licence, a full text, a relation) are found by several of their parts
together: each is kept under every choice of its parts, so that one look at the terms finds the
works that have all of them in the same one, and not one part here and another there.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from services.distribution.search.flags import relations
from services.distribution.search.reading import (
    Work,
    affiliations,
    everyone,
    funders,
    records,
    strings,
    text,
    whole,
)
from services.distribution.search.request import PARTS, Facet, Part, Term

Values: TypeAlias = Callable[[Work], Iterable[object]]

FUNDERS: Final = "10.13039/"
SOURCE: Final = "Crossref"
BETWEEN: Final = "\x1f"  # no value holds it: whole() takes it out
DELAY_DIGITS: Final = 7
LONGEST_DELAY: Final = 10**DELAY_DIGITS - 1

_URL: Final = re.compile(
    r"^(?:https?://)?(?:(?:dx\.)?doi\.org|orcid\.org|ror\.org)/", re.IGNORECASE
)
_SEPARATORS: Final = re.compile(r"[\s_-]+")
_ISBN: Final = re.compile(r"[0-9]{9}[0-9X]|[0-9]{13}")


def bare(identifier: object) -> str:
    """Return an identifier without its resolver's address, lower-case."""
    return _URL.sub("", str(identifier).strip()).lower()


def funder_id(identifier: object) -> str:
    """Return a funder's id: the part of its DOI after 10.13039/, another DOI as it is."""
    return bare(identifier).removeprefix(FUNDERS)


def award_number(number: object) -> str:
    """Return an award number as it is compared: lower-case, without blanks, ``_`` and ``-``."""
    return _SEPARATORS.sub("", str(number)).lower()


def orcid(identifier: object) -> str:
    """Return the bare ORCID iD, its check letter upper-case."""
    return bare(identifier).upper()


def isbn(number: object) -> str:
    """Return an ISBN as thirteen digits; what is none, as it is."""
    digits = re.sub(r"[^0-9X]", "", str(number).upper().rpartition("/")[2])
    if not _ISBN.fullmatch(digits):
        return str(number).strip()
    if len(digits) == len("9780000000000"):
        return digits
    body = f"978{digits[:9]}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighed % 10}"


def said_publisher(name: str) -> str:
    """Return the value of Term.PUBLISHER of works that name their publisher themselves."""
    return f"={name}"


def owning_publisher(prefix: str) -> str:
    """Return the value of Term.PUBLISHER of works whose publisher is the owner of a prefix."""
    return f"@{prefix}"


def publisher_of(work: Work, owner: str) -> str:
    """Return whom a work is published by: whom it names, else whoever owns its prefix then."""
    named = whole(text(work, "publisher"))
    return said_publisher(named) if named else owning_publisher(owner)


def ids_of(record: Work, kind: str) -> Iterator[str]:
    """Yield the identifiers of one kind of a place, an institution or a funder."""
    for one in records(record, "id"):
        if str(one.get("id-type", "")).upper() == kind and one.get("id"):
            yield bare(one["id"])


def _each(name: str, key: str) -> Values:
    return lambda work: (record.get(key) for record in records(work, name))


def _funder(key: str) -> Values:
    return lambda work: (funder.get(key) for funder in funders(work))


def _texts(name: str) -> Values:
    return lambda work: strings(work, name)


def _funders(work: Work) -> Iterator[str]:
    for funder in funders(work):
        if funder.get("DOI"):
            yield funder_id(funder["DOI"])
        yield from (funder_id(one) for one in ids_of(funder, "DOI"))


def _rors(work: Work) -> Iterator[str]:
    for place in (*affiliations(work), *records(work, "institution"), *funders(work)):
        yield from ids_of(place, "ROR")


def _groups(work: Work) -> Iterator[object]:
    for assertion in records(work, "assertion"):
        for group in records(assertion, "group"):
            yield group.get("name")


def _domains(work: Work) -> Iterator[str]:
    for domain in records(work, "content-domain"):
        yield from strings(domain, "domain")


def _orcids(work: Work) -> Iterator[str]:
    return (orcid(person["ORCID"]) for person in everyone(work) if person.get("ORCID"))


def _trials(work: Work) -> Iterator[object]:
    numbers = (trial.get("clinical-trial-number") for trial in records(work, TRIAL))
    return (bare(number) for number in numbers if number)


TRIAL: Final = "clinical-trial-number"

TERMS: Final[Mapping[Term, Values]] = {
    Term.ISSN: _texts("ISSN"),
    Term.ISBN: lambda work: (isbn(number) for number in strings(work, "ISBN")),
    Term.ORCID: _orcids,
    Term.ROR: _rors,
    Term.FUNDER: _funders,
    Term.FUNDER_ASSERTED_BY: _funder("doi-asserted-by"),
    Term.AFFILIATION: lambda work: (place.get("name") for place in affiliations(work)),
    Term.ARCHIVE: _texts("archive"),
    Term.ASSERTION: _each("assertion", "name"),
    Term.ASSERTION_GROUP: _groups,
    Term.CATEGORY: _texts("subject"),
    Term.CONTAINER_TITLE: _texts("container-title"),
    Term.GROUP_TITLE: _texts("group-title"),
    Term.LICENSE: _each("license", "URL"),
    Term.RELATION_TYPE: lambda work: (name for name, _ in relations(work)),
    Term.UPDATE_TYPE: _each("update-to", "type"),
    Term.UPDATES: lambda work: (bare(one.get("DOI") or "") for one in records(work, "update-to")),
    Term.ALTERNATIVE_ID: _texts("alternative-id"),
    Term.ARTICLE_NUMBER: _texts("article-number"),
    Term.CONTENT_DOMAIN: _domains,
    Term.CLINICAL_TRIAL: _trials,
}
"""Where the values of a term stand in a work's object."""

COUNTED: Final[Mapping[Facet, Values]] = {
    Facet.FUNDER_NAME: _funder("name"),
    Facet.JOURNAL_ISSUE: _texts("issue"),
    Facet.JOURNAL_VOLUME: _texts("volume"),
    Facet.LINK_APPLICATION: _each("link", "intended-application"),
    Facet.SOURCE: lambda _: (SOURCE,),
}
"""What is only counted."""


def values_of(work: Work, read: Values) -> tuple[str, ...]:
    """Return the values that something has in a work, each once."""
    return tuple(dict.fromkeys(value for one in read(work) if one and (value := whole(one))))


def _awards(work: Work) -> Iterator[tuple[str, ...]]:
    for funder in funders(work):
        given = [funder_id(funder["DOI"])] if funder.get("DOI") else []
        ids = [*given, *(funder_id(one) for one in ids_of(funder, "DOI"))] or [""]
        for number in strings(funder, "award"):
            for one in dict.fromkeys(ids):
                yield award_number(number), one
    for number in strings(work, "award"):  # of a grant, from whoever funds its projects
        for one in dict.fromkeys(_funders(work)) or ("",):
            yield award_number(number), one


def _licences(work: Work) -> Iterator[tuple[str, ...]]:
    for licence in records(work, "license"):
        yield text(licence, "URL"), text(licence, "content-version")


def _links(work: Work) -> Iterator[tuple[str, ...]]:
    for link in records(work, "link"):
        application = text(link, "intended-application")
        yield text(link, "content-type"), text(link, "content-version"), application


def _relations(work: Work) -> Iterator[tuple[str, ...]]:
    for name, one in relations(work):
        yield bare(one.get("id", "")), text(one, "id-type"), name


_SUB_RECORDS: Final[Mapping[Part, Callable[[Work], Iterator[tuple[str, ...]]]]] = {
    Part.AWARD: _awards,
    Part.LICENSE: _licences,
    Part.FULL_TEXT: _links,
    Part.RELATION: _relations,
}


def part_term(part: Part, named: Mapping[str, str]) -> str:
    """Return the term of the works that have a sub-record with these parts."""
    chosen = (f"{name}={whole(named[name])}" for name in PARTS[part] if name in named)
    return BETWEEN.join((part.value, *chosen))


def delay_term(url: str, version: str, days: int) -> str:
    """Return the term of a licence with its delay, in digits that order as the numbers do."""
    delay = min(max(days, 0), LONGEST_DELAY)
    return BETWEEN.join(("delay", whole(url), whole(version), f"{delay:0{DELAY_DIGITS}}"))


def part_terms(work: Work) -> tuple[str, ...]:
    """Return the terms of all of a work's sub-records."""
    found: dict[str, None] = {}
    for part, read in _SUB_RECORDS.items():
        for values in read(work):
            known = [pair for pair in zip(PARTS[part], values, strict=True) if pair[1]]
            for count in range(1, len(known) + 1):
                for chosen in itertools.combinations(known, count):
                    found[part_term(part, dict(chosen))] = None
    for licence in records(work, "license"):
        days = licence.get("delay-in-days")
        if isinstance(days, int):
            found[delay_term(text(licence, "URL"), text(licence, "content-version"), days)] = None
    return tuple(found)


def award_amounts(work: Work) -> tuple[int, ...]:
    """Return the amounts of a grant, whole numbers of whatever currency."""
    fundings = (one for project in records(work, "project") for one in records(project, "funding"))
    holders = (work, *records(work, "project"), *fundings)
    amounts = (amount.get("amount") for one in holders for amount in records(one, "award-amount"))
    return tuple(dict.fromkeys(int(n) for n in amounts if isinstance(n, int | float) and n >= 0))
