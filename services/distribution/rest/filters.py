"""Filters: name -> how its values are read, and what is asked of the search projection.

One row per filter. Values of one filter are alternatives, different filters narrow each other.
A filter on the owner becomes a set of owner prefixes when the question is asked.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from services.distribution.rest.failure import (
    Failure,
    not_an_integer,
    not_of_form,
    not_one_of,
)
from services.distribution.rest.owners import Owners
from services.distribution.rest.types import TYPE_IDS, TYPE_LABELS
from services.distribution.search import (
    Clause,
    During,
    Flagged,
    Moment,
    OneOf,
    Term,
    date_bounds,
)

Value: TypeAlias = str | int | bool | tuple[int, int]
Reader: TypeAlias = Callable[[str], Value | Failure]
Asker: TypeAlias = Callable[[Sequence[Any], Owners], Clause | None]

VISIBILITIES: Final = ("open", "limited", "closed")
BOOLEANS: Final = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}

_DATE_FORM: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_DOI: Final = re.compile(
    r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:)?(10\.[0-9]{4,9}/.+)", re.IGNORECASE
)
_PREFIX: Final = re.compile(r"(?:https?://id\.crossref\.org/prefix/)?(10\.[0-9]{4,9})")
_ISSN: Final = re.compile(
    r"(?:https?://id\.crossref\.org/issn/)?([0-9]{4})-?([0-9]{3}[0-9X])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Filter:
    """How a filter's values are read, and the clause they make; None: nothing is narrowed."""

    read: Reader
    ask: Asker


def read_integer(text: str) -> Value | Failure:
    """Read a whole number without a sign."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else not_an_integer(text)


def read_boolean(text: str) -> Value | Failure:
    """Read a truth value in one of its six spellings."""
    if text in BOOLEANS:
        return BOOLEANS[text]
    return not_one_of("boolean-not-valid", "Boolean", text, allowed=BOOLEANS)


def read_date(text: str) -> Value | Failure:
    """Read YYYY, YYYY-MM or YYYY-MM-DD as its first and last second."""
    if not _DATE_FORM.fullmatch(text):
        form = "yyyy or yyyy-MM or yyyy-MM-dd"
        return not_of_form("date-not-valid", "Date", text, form=form)
    bounds = date_bounds(text)
    if bounds is None:
        sentence = (
            f"Date {text} specified in the correct format but represents an illegitimate date."
        )
        return Failure("date-not-legitimate", text, sentence)
    return bounds


def read_doi(text: str) -> Value | Failure:
    """Read a DOI, also with its resolver's address, lower-case."""
    match = _DOI.fullmatch(text.strip())
    if match:
        return match.group(1).lower()
    form = "10.prefix/suffix where prefix is 4 or more digits and suffix  is a string"
    return not_of_form("doi-not-valid", "DOI", text, form=form)


def read_prefix(text: str) -> Value | Failure:
    """Read a DOI prefix."""
    match = _PREFIX.fullmatch(text.strip())
    if match:
        return match.group(1)
    form = "10.digits where digits is 4 or more digits"
    return not_of_form("prefix-not-valid", "Prefix", text, form=form)


def read_issn(text: str) -> Value | Failure:
    """Read an ISSN with or without hyphen; returns nnnn-nnnX."""
    match = _ISSN.fullmatch(text.strip())
    if match:
        return f"{match.group(1)}-{match.group(2).upper()}"
    form = "aaaa-aaab where a is a digit, and b is a digit or 'X'"
    return not_of_form("issn-not-valid", "ISSN", text, form=form)


def read_type(text: str) -> Value | Failure:
    """Read the id of a record type."""
    if text in TYPE_LABELS:
        return text
    return not_one_of("type-not-valid", "Type", text, allowed=TYPE_LABELS)


def read_visibility(text: str) -> Value | Failure:
    """Read a reference setting."""
    if text in VISIBILITIES:
        return text
    kind = "reference-visibility-not-valid"
    return not_one_of(kind, "Reference visibility", text, allowed=VISIBILITIES)


def read_text(text: str) -> Value | Failure:
    """Take the text as it is."""
    return text


def _one_of(field: Term) -> Asker:
    return lambda values, _: OneOf(field, frozenset(values))


def _owned(prefixes: Callable[[Owners, Any], Collection[str]]) -> Asker:
    def ask(values: Sequence[Any], owners: Owners) -> Clause:
        owning = (prefix for value in values for prefix in prefixes(owners, value))
        return OneOf(Term.OWNER, frozenset(owning))

    return ask


def _type_named(values: Sequence[Any], _: Owners) -> Clause:
    return OneOf(Term.TYPE, frozenset(TYPE_IDS[name] for name in values if name in TYPE_IDS))


def _flag(name: str) -> Filter:
    def ask(values: Sequence[Any], _: Owners) -> Clause | None:
        wanted = set(values)  # true or false is no condition at all
        return Flagged(name, wanted.pop()) if len(wanted) == 1 else None

    return Filter(read_boolean, ask)


def _from(moment: Moment) -> Filter:
    return Filter(
        read_date, lambda spans, _: During(moment, tuple((first, None) for first, _last in spans))
    )


def _until(moment: Moment) -> Filter:
    return Filter(
        read_date, lambda spans, _: During(moment, tuple((None, last) for _first, last in spans))
    )


_DATES: Final = {
    "index-date": Moment.INDEXED,
    "deposit-date": Moment.DEPOSITED,
    "update-date": Moment.DEPOSITED,
    "created-date": Moment.CREATED,
    "pub-date": Moment.PUBLISHED,
    "issued-date": Moment.ISSUED,
    "online-pub-date": Moment.PUBLISHED_ONLINE,
    "print-pub-date": Moment.PUBLISHED_PRINT,
}

_FLAGS: Final = {
    "has-references": "references",
    "has-abstract": "abstracts",
    "has-affiliation": "affiliations",
    "has-award": "award-numbers",
    "has-description": "descriptions",
    "has-funder": "funders",
    "has-license": "licenses",
    "has-orcid": "orcids",
    "has-ror-id": "ror-ids",
    "has-update-policy": "update-policies",
}

WORK_FILTERS: Final[Mapping[str, Filter]] = {
    "doi": Filter(read_doi, _one_of(Term.DOI)),
    "member": Filter(read_integer, _owned(lambda owners, id_: owners.prefixes_of_member(id_))),
    "prefix": Filter(read_prefix, _one_of(Term.OWNER)),
    "type": Filter(read_type, _one_of(Term.TYPE)),
    "type-name": Filter(read_text, _type_named),
    "issn": Filter(read_issn, _one_of(Term.ISSN)),
    "reference-visibility": Filter(
        read_visibility, _owned(lambda owners, name: owners.prefixes_with_visibility(name))
    ),
    **{name: _flag(flag) for name, flag in _FLAGS.items()},
    **{f"from-{name}": _from(moment) for name, moment in _DATES.items()},
    **{f"until-{name}": _until(moment) for name, moment in _DATES.items()},
}
"""The works routes' filters, in the order in which a failure lists them."""


MEMBER_FILTERS: Final[Mapping[str, Reader]] = {
    "prefix": read_prefix,
    "has-public-references": read_boolean,
    "reference-visibility": read_visibility,
    "backfile-doi-count": read_integer,
    "current-doi-count": read_integer,
}
"""The members route's filters, in the order of the wire (crossref.md 1.5)."""

NOT_YET: Final = frozenset({"backfile-doi-count", "current-doi-count"})
"""Filters that are named as the wire names them, and refused until they are here."""
