"""How well a work is described: fifteen checks of its record (crossref.md 1.2). Pure.

What they see of references is how many there are, which is shown whatever the setting (L4).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Work: TypeAlias = Mapping[str, Any]

ARTICLES: Final = frozenset({"journal-article", "proceedings-article"})
IN_JOURNALS: Final = frozenset({"journal-article", "journal-issue", "journal-volume"})
WHOLE_DATE: Final = 3  # parts: year, month, day
ROLES: Final = ("author", "editor", "chair", "translator", "contributor")
DATES: Final = ("published-print", "published-online")
ODD: Final = re.compile(r"[;:\"><@&^%*]")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: true where the work has nothing that fails it."""

    id: str
    description: str
    passes: Callable[[Work], bool]


def judge(work: Work) -> list[dict[str, Any]]:
    """Return every check with whether the work passes it."""
    return [
        {"id": check.id, "description": check.description, "pass": check.passes(work)}
        for check in CHECKS
    ]


def _people(work: Work) -> list[Work]:
    return [person for role in ROLES for person in work.get(role, ()) if "name" not in person]


def _names(person: Work) -> list[str]:
    return [str(person.get(name) or "") for name in ("given", "family")]


def _every(found: Callable[[Work], Sequence[Work]], right: Callable[[Work], bool]) -> Any:
    return lambda work: all(right(one) for one in found(work))


def _funders(work: Work) -> Sequence[Work]:
    found: Sequence[Work] = work.get("funder", ())
    return found


def _pages(work: Work) -> list[str]:
    return [part.strip() for part in str(work.get("page") or "").split("-")]


def _article(right: Callable[[Work], bool]) -> Callable[[Work], bool]:
    return lambda work: work.get("type") not in ARTICLES or right(work)


def _journal(name: str) -> Callable[[Work], bool]:
    return lambda work: work.get("type") not in IN_JOURNALS or bool(work.get(name))


def _cites(work: Work) -> bool:
    return bool(work.get("references-count") or work.get("reference-count"))


def _mixed_case(work: Work) -> bool:
    return not any(title.upper() == title != title.lower() for title in work.get("title", ()))


def _whole_dates(work: Work) -> bool:
    dates = [date for name in DATES for date in work.get(name, {}).get("date-parts", ())]
    return all(len([part for part in date if part]) == WHOLE_DATE for date in dates)


CHECKS: Final = (
    Check(
        "misc.funding-information",
        "Some funding information should be listed",
        lambda work: bool(_funders(work)),
    ),
    Check("misc.citations", "Some citations should be listed", _cites),
    Check("misc.standard-case-titles", "Titles should not be all upper-case", _mixed_case),
    Check(
        "article.has-pages",
        "Articles should have first and last page numbers",
        _article(lambda work: len(_pages(work)) > 1 and all(_pages(work))),
    ),
    Check(
        "article.has-separate-pages",
        "Article first and last page numbers should be separated",
        _article(lambda work: len(_pages(work)) <= len(("first", "last"))),
    ),
    Check("journal.has-issn", "Journals should have at least one ISSN", _journal("ISSN")),
    Check("journal.has-volume", "Journals should have a volume number", _journal("volume")),
    Check("journal.has-issue", "Journals should have an issue number", _journal("issue")),
    Check(
        "misc.full-publication-dates",
        "Publication dates should have a day, month and year",
        _whole_dates,
    ),
    Check(
        "funder.has-doi",
        "Funders should have FundRef Funder DOIs",
        _every(_funders, lambda funder: bool(funder.get("DOI"))),
    ),
    Check(
        "funder.has-award",
        "Funders should have at least one award",
        _every(_funders, lambda funder: bool(funder.get("award"))),
    ),
    Check(
        "contributor.has-full-name",
        "Contributors should have a given and family name",
        _every(_people, lambda person: all(_names(person))),
    ),
    Check(
        "contributor.has-orcid",
        "Contributors should have an ORCID",
        _every(_people, lambda person: bool(person.get("ORCID"))),
    ),
    Check(
        "contributor.has-affiliation",
        "Contributors should have an affiliation",
        _every(_people, lambda person: bool(person.get("affiliation"))),
    ),
    Check(
        "contributor.no-punctuation",
        "Contributors should have names without erroneous punctuation",
        _every(_people, lambda person: not any(map(ODD.search, _names(person)))),
    ),
)
