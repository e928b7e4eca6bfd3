"""How the values of filters are read, each in one form whatever the caller's; the members' filters.

The works' filters are in work_filters.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.distribution.rest.failure import (
    Failure,
    not_an_integer,
    not_of_form,
    not_one_of,
)
from services.distribution.rest.types import TYPE_LABELS
from services.distribution.search import date_bounds, funder_id, orcid

Value: TypeAlias = str | int | bool | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reader:
    """How the text of a value is read, and the pattern of the texts that a description promises.

    Whatever matches the pattern as a whole is read without failure; it has no comma. Other texts
    may be read too.
    """

    read: Callable[[str], Value | Failure]
    pattern: str

    def __call__(self, text: str) -> Value | Failure:
        """Read a text."""
        return self.read(text)


def reads(pattern: str) -> Callable[[Callable[[str], Value | Failure]], Reader]:
    """Make a function the reader of texts of a pattern (of what regular expressions share)."""
    return lambda read: Reader(read, pattern)


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

_ORCID: Final = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]")
_NUMBER: Final = re.compile(r"[0-9]{1,30}")
_CONTENT_TYPE: Final = re.compile(r"[\w-]+/[\w+.-]+", re.ASCII)

_DAYS: Final = (
    r"02(-(0[1-9]|1[0-9]|2[0-8]))?|(0[469]|11)(-(0[1-9]|[12][0-9]|30))?"
    r"|(0[13578]|1[02])(-(0[1-9]|[12][0-9]|3[01]))?"
)
"""Month, or month and day; the day that only leap years have is read and not promised."""


@reads(r"[0-9]{1,18}")
def read_integer(text: str) -> Value | Failure:
    """Read a whole number without a sign."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else not_an_integer(text)


@reads("|".join(BOOLEANS))
def read_boolean(text: str) -> Value | Failure:
    """Read a truth value in one of its six spellings."""
    if text in BOOLEANS:
        return BOOLEANS[text]
    return not_one_of("boolean-not-valid", "Boolean", text, allowed=BOOLEANS)


@reads(rf"[1-9][0-9]{{3}}(-({_DAYS}))?")
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


@reads(r"10\.[0-9]{4,9}/[^\s,]+")
def read_doi(text: str) -> Value | Failure:
    """Read a DOI, also with its resolver's address, lower-case."""
    match = _DOI.fullmatch(text.strip())
    if match:
        return match.group(1).lower()
    form = "10.prefix/suffix where prefix is 4 or more digits and suffix  is a string"
    return not_of_form("doi-not-valid", "DOI", text, form=form)


@reads(r"10\.[0-9]{4,9}")
def read_prefix(text: str) -> Value | Failure:
    """Read a DOI prefix."""
    match = _PREFIX.fullmatch(text.strip())
    if match:
        return match.group(1)
    form = "10.digits where digits is 4 or more digits"
    return not_of_form("prefix-not-valid", "Prefix", text, form=form)


@reads(r"[0-9]{4}-[0-9]{3}[0-9X]")
def read_issn(text: str) -> Value | Failure:
    """Read an ISSN with or without hyphen; returns nnnn-nnnX."""
    match = _ISSN.fullmatch(text.strip())
    if match:
        return f"{match.group(1)}-{match.group(2).upper()}"
    form = "aaaa-aaab where a is a digit, and b is a digit or 'X'"
    return not_of_form("issn-not-valid", "ISSN", text, form=form)


@reads("|".join(TYPE_LABELS))
def read_type(text: str) -> Value | Failure:
    """Read the id of a record type."""
    if text in TYPE_LABELS:
        return text
    return not_one_of("type-not-valid", "Type", text, allowed=TYPE_LABELS)


@reads("|".join(VISIBILITIES))
def read_visibility(text: str) -> Value | Failure:
    """Read a reference setting."""
    if text in VISIBILITIES:
        return text
    kind = "reference-visibility-not-valid"
    return not_one_of(kind, "Reference visibility", text, allowed=VISIBILITIES)


@reads(r"([0-9]{4}-){3}[0-9]{3}[0-9X]")
def read_orcid(text: str) -> Value | Failure:
    """Read an ORCID iD, also with its address; returns the bare one."""
    found = orcid(text)
    if _ORCID.fullmatch(found):
        return found
    form = "aaaa-aaaa-aaaa-aaab where a is a digit and b is a digit or 'X'"
    return not_of_form("orcid-not-valid", "ORCID", text, form=form)


@reads(r"[0-9]{1,30}|10\.13039/[0-9]{1,30}")
def read_funder(text: str) -> Value | Failure:
    """Read a funder's id, alone or as its DOI; returns the id (search.funder_id)."""
    if _NUMBER.fullmatch(text.strip()) or _DOI.fullmatch(text.strip()):
        return funder_id(text)
    sentence = f"Funder ID specified as {text} but must be a DOI or positive integer"
    return Failure("funder-id-not-valid", text, sentence)


@reads(r"[A-Za-z0-9_-]+/[A-Za-z0-9_+.-]+")
def read_content_type(text: str) -> Value | Failure:
    """Read a media type."""
    if _CONTENT_TYPE.fullmatch(text) or text == "unspecified":
        return text
    sentence = f"Content type specified as {text} but must be a valid MIME type without wildcards"
    return Failure("content-type-not-valid", text, sentence)


def one_of(kind: str, name: str, allowed: Iterable[str]) -> Reader:
    """Return the reader of one of some words; ``kind`` and ``name`` are its failure's."""
    words = tuple(allowed)
    return Reader(
        lambda text: text if text in words else not_one_of(kind, name, text, allowed=words),
        "|".join(words),
    )


@reads("[^,]*")
def read_text(text: str) -> Value | Failure:
    """Take the text as it is."""
    return text


MEMBER_FILTERS: Final[Mapping[str, Reader]] = {
    "prefix": read_prefix,
    "has-public-references": read_boolean,
    "reference-visibility": read_visibility,
    "backfile-doi-count": read_integer,
    "current-doi-count": read_integer,
}
"""The members route's filters, in the order of the wire (crossref.md 1.5)."""

FUNDER_FILTERS: Final[Mapping[str, Reader]] = {"location": read_text}
"""The funders route's filters."""
