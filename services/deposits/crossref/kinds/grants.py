"""Grants: a schema of their own (http://www.crossref.org/grant_id/0.1.0 to 0.2.0).

The schema is not published with the others and no deposit of it was at hand: its elements are
those of Crossref's markup guide, its keys those of the works route's `project`.
"""

import math

from services.deposits.crossref import dates, identity, markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.common import DISTRIBUTION
from services.deposits.crossref.kinds.shapes import Body, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.people import orcid
from services.deposits.crossref.programs import RELATIONS_ROW, RESOLVER
from services.deposits.crossref.rows import Notes, Read, Row, Table, attribute, table, text
from services.deposits.crossref.vocabulary import XML


def _worded(key: str) -> Read:
    """Return a reader of text with its xml:lang: {key, language}."""

    def read(element: Element, _: Notes) -> Work | None:
        said = markup.titled(element)
        if not said:
            return None
        language = element.get(f"{{{XML}}}lang")
        return {key: said, "language": language} if language else {key: said}

    return read


def _day(attribute: str) -> Read:
    """Return a reader of an xs:date attribute as a partial date."""

    def read(element: Element, _: Notes) -> Work | None:
        parts = dates.iso_parts((element.get(attribute) or "").strip(markup.SPACE))
        return dates.partial(parts) if parts else None

    return read


def _own_day(element: Element, _: Notes) -> Work | None:
    found = dates.iso_parts(markup.plain(element))
    return dates.partial(found) if found else None


def _number(written: str) -> float | None:
    """Return a finite number, None for anything else (JSON has no others)."""
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _amount(element: Element, _: Notes) -> Work | None:
    amount = _number(markup.plain(element))
    if amount is None:
        return None
    currency = element.get("currency")
    return {"amount": amount, "currency": currency} if currency else {"amount": amount}


def _figure(name: str) -> Read:
    def read(element: Element, _: Notes) -> float | None:
        return _number(element.get(name) or "")

    return read


def _ror(element: Element, _: Notes) -> Work | None:
    value = markup.plain(element)
    return {"id": value, "id-type": "ROR", "asserted-by": "publisher"} if value else None


def _funder_id(element: Element, _: Notes) -> Work | None:
    value = RESOLVER.sub("", markup.plain(element))
    return {"id": value, "id-type": "DOI", "asserted-by": "publisher"} if value else None


# -- people ------------------------------------------------------------------------------------

AFFILIATION = Table(
    "affiliation",
    Row("institution", "name", text, kind="text", note="@country is affiliation.country"),
    Row("ROR", "id", _ror, kind="ror", many=True),
)


def _affiliation(element: Element, notes: Notes) -> Work | None:
    said = AFFILIATION.read(element, notes)
    named = element.find("{*}institution")
    country = "" if named is None else (named.get("country") or "").strip()
    return {**said, "country": country} if said and country else said or None


INVESTIGATOR = Table(
    "person",
    Row("@start-date", "role-start", _day("start-date"), kind="date"),
    Row("@end-date", "role-end", _day("end-date"), kind="date"),
    Row("givenName", "given", text, kind="name"),
    Row("familyName", "family", text, kind="surname"),
    Row("alternateName", "alternate-name", text, kind="name", many=True),
    Row("affiliation", "affiliation", _affiliation, many=True, inside=AFFILIATION),
    Row("ORCID", "*", orcid, kind="orcid", keys=("ORCID", "authenticated-orcid")),
)
_ROLES = {
    "lead_investigator": "lead-investigator",
    "co-lead_investigator": "co-lead-investigator",
    "co_lead_investigator": "co-lead-investigator",
}


def _investigator(element: Element, notes: Notes) -> Work:
    person = INVESTIGATOR.read(element, notes)
    person.setdefault("affiliation", [])
    return {_ROLES.get(element.get("role") or "", "investigator"): [person]}


INVESTIGATORS = Table(
    "investigators",
    Row(
        "person",
        "*",
        _investigator,
        keys=("lead-investigator", "co-lead-investigator", "investigator"),
        inside=INVESTIGATOR,
        note="by @role; any other role is an investigator",
    ),
)

# -- projects ----------------------------------------------------------------------------------

_AMOUNT = Row("award_amount", "award-amount", _amount, kind="amount", note="with @currency")
_HYPHENED = Row("award-amount", "award-amount", _amount, kind="amount", note="another spelling")


def _funder(read: Read, key: str, *, many: bool = False) -> Read:
    def field(element: Element, notes: Notes) -> Work | None:
        value = read(element, notes)
        return {"funder": {key: [value] if many else value}} if value else None

    return field


FUNDING = Table(
    "funding",
    Row("@funding-type", "type", attribute("funding-type"), kind="short"),
    Row("@amount", "amount", _figure("amount"), kind="amount"),
    Row("@currency", "currency", attribute("currency"), kind="short"),
    Row("@funding-percentage", "percentage", _figure("funding-percentage"), kind="amount"),
    _AMOUNT,
    _HYPHENED,
    Row("funder-name", "*", _funder(text, "name"), keys=("funder.name",)),
    Row("funder-id", "*", _funder(_funder_id, "id", many=True), keys=("funder.id",)),
    Row("ROR", "*", _funder(_ror, "id", many=True), keys=("funder.id",)),
    Row("funding-scheme", "scheme", text, kind="text"),
)


def _funding(element: Element, notes: Notes) -> Work | None:
    """Read one funding; an amount given in attributes becomes award-amount too."""
    said = FUNDING.read(element, notes)
    found = {k: v for k, v in said.items() if k not in {"amount", "currency", "percentage"}}
    amount = {k: said[k] for k in ("amount", "currency", "percentage") if k in said}
    if amount:
        found["award-amount"] = {**amount, **found.get("award-amount", {})}
    return found or None


DATES = Table(
    "award-dates",
    *(
        Row(f"@{name}", f"award-{key}", _day(name), kind="date", many=True)
        for name, key in (
            ("start-date", "start"),
            ("end-date", "end"),
            ("planned-start-date", "planned-start"),
            ("planned-end-date", "planned-end"),
        )
    ),
)
PROJECT = Table(
    "project",
    Row("project-title", "project-title", _worded("title"), kind="worded", many=True),
    Row("investigators", "*", table(INVESTIGATORS), inside=INVESTIGATORS),
    Row("description", "project-description", _worded("description"), kind="worded", many=True),
    _AMOUNT,
    _HYPHENED,
    Row("funding", "funding", _funding, many=True, inside=FUNDING),
    Row("award-dates", "*", table(DATES), inside=DATES),
)


def _start(element: Element, notes: Notes) -> Work | None:
    started = _own_day(element, notes)
    planned = _day("planned-start-date")(element, notes)
    found = {"award-start": started, "award-planned-start": planned}
    return {key: value for key, value in found.items() if value} or None


GRANT = Table(
    "grant",
    *DISTRIBUTION,
    Row("project", "project", table(PROJECT), kind="project", many=True, inside=PROJECT),
    Row("award-number", "award", text, kind="text"),
    Row(
        "award-start-date",
        "*",
        _start,
        kind="award-start",
        keys=("award-start", "award-planned-start"),
    ),
    RELATIONS_ROW,
    identity.DOI_DATA_ROW,
)
_GRANT = Kind("grant", "Grant", "grant", GRANT, (("missing-title", "project", "project"),))
GRANTS = Body("grant", "Grant", (Part((), _GRANT),))
