"""What can be wrong with a deposit: the rules, their exact sentences and what to do about each.

A fault of the file (`Unreadable`) refuses it whole, as the real system does: one failure and no
record processed. A fault of a record (`Problem`) fails that record only. Both are data: a rule's
slug names it for programs, its sentence is what Crossref's log would say where that is known
(crossref.md 5.8), its remedy is ours.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["failure", "advice"]

NO_DOI = "DOI not found"  # what the real log shows instead of a DOI it will not repeat


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold; `sentence` is a format string over the facts of the finding."""

    sentence: str
    remedy: str
    msg_id: int | None = None
    severity: Severity = "failure"
    hides_doi: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file: element path from the root, and the line (0 = unknown)."""

    path: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in one record: a `failure` refuses the record, an `advice` only informs."""

    rule: str
    place: Place
    message: str
    remedy: str
    severity: Severity
    msg_id: int | None = None
    hides_doi: bool = False


class Unreadable(Exception):
    """The file as a whole is refused; nothing in it may be processed."""

    def __init__(self, rule: str, place: Place, *, message: str = "", **facts: object) -> None:
        found = FILE_RULES[rule]
        self.rule = rule
        self.place = place
        self.message = message or found.sentence.format(**facts)
        self.remedy = found.remedy
        self.msg_id = found.msg_id
        super().__init__(self.message)


def problem(rule: str, place: Place, **facts: object) -> Problem:
    """Return the finding of a record rule at a place; KeyError for a rule that does not exist."""
    found = RECORD_RULES[rule]
    return Problem(
        rule=rule,
        place=place,
        message=found.sentence.format(**facts),
        remedy=found.remedy,
        severity=found.severity,
        msg_id=found.msg_id,
        hides_doi=found.hides_doi,
    )


_UNSUPPORTED = "Record not processed because submitted XML does not match any supported schema"

FILE_RULES: dict[str, Rule] = {
    "unsupported-schema": Rule(
        _UNSUPPORTED,
        "Send a doi_batch in http://www.crossref.org/schema/4.3.0 to 5.5.0, in "
        "http://www.crossref.org/doi_resources_schema/4.3.0 to 5.5.0 or in "
        "http://www.crossref.org/grant_id/0.0.1 to 0.2.0.",
        msg_id=4,
    ),
    "schema-invalid": Rule(
        "{detail}",
        "Validate the file against the schema its namespace names, then send it again.",
    ),
    "head-incomplete": Rule(
        "The head of the submission has no {element}",
        "Give the head a doi_batch_id; see the schema's head element.",
        msg_id=4,
    ),
    "malformed": Rule(
        "[fatal error] :{line}:{column}: {detail}",
        "Make the file well-formed XML; any XML editor or xmllint shows the same place.",
    ),
    "content-in-prolog": Rule(
        "[fatal error] :1:1: Content is not allowed in prolog.",
        "Send XML: the first character of the file must open the XML declaration or the root.",
    ),
    "truncated": Rule(
        "[fatal error] :{line}:{column}: XML document structures must start and end within the "
        "same entity.",
        "The file ends before its root element does; send it whole.",
    ),
    "doctype": Rule(
        "[fatal error] :{line}:1: DOCTYPE is disallowed.",
        "Remove the DOCTYPE; write special characters as themselves or as &#...; references.",
    ),
    "entity": Rule(
        "[fatal error] :{line}:{column}: The entity reference is not allowed: {detail}",
        "Only &amp; &lt; &gt; &apos; &quot; and &#...; exist in a deposit.",
    ),
    "encoding": Rule(
        "[fatal error] :{line}:{column}: {detail}",
        "Save the file as UTF-8 and let its XML declaration say so.",
    ),
    "forbidden-character": Rule(
        "[fatal error] :{line}:{column}: An invalid XML character was found in the document.",
        "Remove control characters and NULs; XML 1.0 has no place for them, not even escaped.",
    ),
    "too-many": Rule(
        "One record holds more than {limit} components",
        "Deposit components in an sa_component of their own.",
    ),
    "too-deep": Rule(
        "Elements are nested deeper than {limit} levels",
        "No deposit needs this depth; look for a runaway generator.",
    ),
    "too-large": Rule(
        "A single part of the file is larger than {limit} MB",
        "Split the record: one record, text or attribute must stay below this size.",
    ),
}

RECORD_RULES: dict[str, Rule] = {
    "orcid-checksum": Rule(
        'Error in {kind} ({role} ORCID): ORCID "{orcid}" has invalid checksum',
        "Collect the ORCID iD from its owner through authentication instead of typing it.",
        msg_id=45,
        hides_doi=True,
    ),
    "orcid-form": Rule(
        'Error in {kind} ({role} ORCID): ORCID "{orcid}" is not an ORCID iD',
        "Write it as https://orcid.org/0000-0000-0000-000X.",
        msg_id=45,
        hides_doi=True,
    ),
    "missing-doi": Rule(
        "Error in {kind}: the record has no DOI",
        "Give the record a doi_data with a doi.",
        hides_doi=True,
    ),
    "doi-pattern": Rule(
        'Error in {kind} (DOI): DOI "{doi}" does not match the pattern 10.[0-9]{{4,9}}/.{{1,200}}',
        "Write the bare DOI: a registrant's prefix, a slash, 1 to 200 characters.",
    ),
    "missing-resource": Rule(
        "Error in {kind} (DOI data): the DOI has no resource URL",
        "Give doi_data a resource with the landing page's URL.",
    ),
    "resource-url": Rule(
        'Error in {kind} (DOI data): resource "{url}" is not an http, https or ftp URL of at most '
        "2048 characters",
        "Write the whole URL of the landing page.",
    ),
    "missing-timestamp": Rule(
        "Error in {kind}: submission version is null",
        "Give the head a timestamp, or the record's doi_data one of its own.",
    ),
    "timestamp": Rule(
        'Error in {kind}: submission version "{timestamp}" is not a whole number of at most 32 '
        "digits",
        "Write digits only; a common form is YYYYMMDDhhmmss.",
    ),
    "missing-title": Rule(
        "Error in {kind} (titles): the record has no title",
        "Give the record titles/title, or its journal a full_title.",
    ),
    "missing-date": Rule(
        "Error in {kind}: the record has no {element}",
        "Every record of this kind needs that date, with at least a year.",
    ),
    "invalid-year": Rule(
        'Error in {kind} ({element}): invalid year "{year}"',
        "Write a year of four digits between 1400 and 2200.",
    ),
    "citation-key": Rule(
        "Error in {kind} (citation_list): a citation has no key",
        "Give every citation a key that is unique within its record.",
    ),
    "no-record": Rule(
        "Error in {kind}: nothing in {element} has a DOI, so nothing was registered",
        "Give a doi_data to what is to be registered.",
        hides_doi=True,
    ),
    "unknown-kind": Rule(
        "Record kind unknown: {element}",
        "The body of a deposit holds journals, books, conferences and the other kinds of the "
        "schema.",
    ),
    "issn-checksum": Rule(
        'ISSN "{issn}" has an invalid check digit',
        "Compare with the ISSN Portal; the record was taken as it stands.",
        severity="advice",
    ),
    "isbn-checksum": Rule(
        'ISBN "{isbn}" has an invalid length or check digit',
        "Compare with the book's imprint; the record was taken as it stands.",
        severity="advice",
    ),
    "component-elsewhere": Rule(
        'A component without doi_data is no record of its own (DOI "{doi}")',
        "Give it a doi_data to register it; a DOI of another agency stays where it is.",
        severity="advice",
    ),
    "duplicate-citation-key": Rule(
        'The citation key "{key}" stands for several references',
        "Give each citation its own key; all were kept.",
        severity="advice",
    ),
    "reference-doi": Rule(
        'The reference "{key}" has a doi that is none: "{doi}"',
        "Write the bare DOI; the reference was kept as it stands.",
        severity="advice",
    ),
    "unknown-element": Rule(
        "The element {element} belongs to no supported schema here and was ignored",
        "Check its spelling and where the schema allows it.",
        severity="advice",
    ),
}
