"""project: a work's state -> what the search projection keeps of it. Pure.

Only the fields named here and in the tables of terms.py, flags.py and texts.py are read, so the
text and the DOIs of references cannot enter the index (design 1.7); their number can, whatever the
setting (L4).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.distribution.search.flags import flags_of, reference_count
from services.distribution.search.keys import first_second, seconds_of
from services.distribution.search.reading import Work, parts, records
from services.distribution.search.request import Facet, Moment, Term, Text
from services.distribution.search.terms import (
    COUNTED,
    TERMS,
    award_amounts,
    part_terms,
    publisher_of,
    values_of,
)
from services.distribution.search.texts import texts_of


class WorkFacts(Protocol):
    """The state of a work as deposits.works.v1 carries it, as far as search reads it."""

    @property
    def doi(self) -> str:
        """Its DOI."""

    @property
    def prefix(self) -> str:
        """The DOI's own prefix."""

    @property
    def title(self) -> str | None:
        """Subject of the title it stands in, None where it stands in none."""

    @property
    def version(self) -> int:
        """Our version of it; grows with each change."""

    @property
    def created(self) -> dt.datetime:
        """When it was first registered."""

    @property
    def deposited(self) -> dt.datetime:
        """When this state was accepted."""

    @property
    def work(self) -> Mapping[str, Any]:
        """The Crossref work object as far as the deposit says it."""


@dataclass(frozen=True, slots=True)
class SearchDoc:
    """One work in the search projection. Dates are seconds since year one; unknown ones absent."""

    doi: str
    version: int
    owner: str
    title: str | None
    type: str
    published_year: int | None
    issued_year: int | None
    references: int
    has: frozenset[str]
    moments: Mapping[Moment, int]
    texts: Mapping[Text, str]
    terms: Mapping[Term, tuple[str, ...]] = field(default_factory=dict)
    counted: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    award_amounts: tuple[int, ...] = ()
    cited_by: int | None = None
    """How many works cite it; None: whatever the index says of it, nothing where it is new."""
    told: int | None = None
    """A digest of what other works say of it, which is among all the above; None: that is not."""

    @property
    def issn(self) -> tuple[str, ...]:
        """Its ISSNs."""
        return self.terms.get(Term.ISSN, ())


_DATES: Final = (
    Moment.PUBLISHED_ONLINE,
    Moment.PUBLISHED_PRINT,
    Moment.POSTED,
    Moment.ACCEPTED,
    Moment.APPROVED,
)
"""Dates that a work's object has under the names they have here."""


def project(
    state: WorkFacts | Mapping[str, Any],
    *,
    indexed: dt.datetime | str,
    owner: str | None = None,
    cited_by: int | None = None,
    told: int | None = None,
) -> SearchDoc:
    """Return the search document of a work.

    ``indexed`` is the event's own time, not this host's, so that all hosts agree; ``owner`` is the
    owner prefix, by default the DOI's own; ``cited_by`` is what was counted, if it was, and
    ``told`` a digest of what the work's object has from others, if that was looked for.
    """
    facts = _facts(state)
    work: Work = facts["work"]
    doi, held = str(facts["doi"]).lower(), owner or str(facts["prefix"])
    issued = parts(work, "issued") or parts(work, "published")
    published = parts(work, "published") or issued
    moments = {
        Moment.INDEXED: seconds_of(indexed),
        Moment.DEPOSITED: seconds_of(facts["deposited"]),
        Moment.CREATED: seconds_of(facts["created"]),
        Moment.PUBLISHED: first_second(published),
        Moment.ISSUED: first_second(issued),
        **{moment: first_second(parts(work, moment.value)) for moment in _DATES},
        **_events(work),
    }
    known = {moment: seconds for moment, seconds in moments.items() if seconds is not None}
    title = facts.get("title")
    terms = {
        Term.TITLE: (str(title),) if title else (),
        Term.PREFIX: (str(facts["prefix"]),),
        Term.PUBLISHER: (publisher_of(work, held),),
        **{term: values_of(work, read) for term, read in TERMS.items()},
    }
    return SearchDoc(
        doi=doi,
        version=int(facts["version"]),
        owner=held,
        title=title,
        type=str(work.get("type", "other")),
        published_year=int(published[0]) if Moment.PUBLISHED in known else None,
        issued_year=int(issued[0]) if Moment.ISSUED in known else None,
        references=reference_count(work),
        has=flags_of(work),
        moments=known,
        texts=texts_of({**work, "DOI": doi}),
        terms={term: values for term, values in terms.items() if values},
        counted={facet: values_of(work, read) for facet, read in COUNTED.items()},
        parts=part_terms(work),
        award_amounts=award_amounts(work),
        cited_by=cited_by,
        told=told,
    )


def _facts(state: WorkFacts | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(state, Mapping):
        return state
    names = ("doi", "prefix", "title", "version", "created", "deposited", "work")
    return {name: getattr(state, name) for name in names}


def _events(work: Work) -> dict[Moment, int | None]:
    """Return when a grant began and an event took place: the first of several."""
    granted = [work, *records(work, "project")]
    awarded = [first_second(parts({"at": at}, "at")) for one in granted for at in _starts(one)]
    return {
        Moment.AWARDED: min((at for at in awarded if at is not None), default=None),
        Moment.EVENT_START: _first(records(work, "event"), "start"),
        Moment.EVENT_END: _first(records(work, "event"), "end"),
    }


def _starts(one: Work) -> list[Work]:
    return [date for name in ("awarded", "award-start") for date in records(one, name)]


def _first(those: list[Work], name: str) -> int | None:
    dates = (first_second(parts(one, name)) for one in those)
    return min((at for at in dates if at is not None), default=None)
