"""Dissertations, reports and working papers, and standards."""

from collections.abc import Iterator

from services.distribution.transform.records import parts
from services.distribution.transform.records.books import content_item
from services.distribution.transform.records.components import components
from services.distribution.transform.records.elements import (
    REGISTERED,
    Work,
    date,
    element,
    many,
    stand_in,
    text,
)
from services.distribution.transform.records.identifiers import citations, doi_data
from services.distribution.transform.records.people import contributors
from services.distribution.transform.records.programs import relations


def dissertation(work: Work, version: str) -> str:
    """Return a dissertation, children in the schema's order."""
    return element(
        "dissertation",
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        date("approval_date", work.get("approved")),
        parts.institutions(work),
        many(work.get("degree", ()), lambda degree: text("degree", degree)),
        parts.isbns(work),
        *parts.record(work),
        components(work),
        language=work.get("language"),
    )


# -- reports -----------------------------------------------------------------------------------


def report(work: Work, version: str) -> str:
    """Return a report-paper: the report or its series as a record, or around one part of it."""
    match work["type"]:
        case "report-series":
            inner = _series_record(work, version)
        case "report-component":
            inner = _around(work, version) + content_item(work, version)
        case _ if "ISSN" in work:
            inner = _report_in_series(work, version) + components(work)
        case _:
            inner = _report(work, version) + components(work)
    return element("report-paper", inner)


def _report(work: Work, version: str) -> str:
    return element(
        "report-paper_metadata",
        contributors(work, version),
        parts.titles(work),
        _edition(work),
        parts.abstract(work),
        *_made(work, parts.dates(work)),
        *parts.record(work),
        language=work.get("language"),
    )


def _report_in_series(work: Work, version: str) -> str:
    return element(
        "report-paper_series_metadata",
        _series(work["container-title"][0], work) if work.get("container-title") else "",
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        text("volume", work.get("volume")),
        _edition(work),
        *_made(work, parts.dates(work)),
        parts.publisher_item(work),
        parts.marked(work),
        parts.archives(work),
        parts.version(work),
        doi_data(work),
        citations(work),
        relations(work),  # last here, by the schema
        language=work.get("language"),
    )


def _edition(work: Work) -> str:
    return text("edition_number", work.get("edition-number"))


def _made(work: Work, dated: str) -> tuple[str, ...]:
    """Return when and by whom it was made: from publication_date to institution."""
    return (
        dated,
        date("approval_date", work.get("approved")),
        parts.isbns(work),
        parts.publisher(work),
        parts.institutions(work),
    )


def _series(title: str, work: Work) -> str:
    return element("series_metadata", parts.titled(title), parts.issns(work))


def _series_record(work: Work, version: str) -> str:
    """Return a series that is a record itself; the schema wants a volume and a date beside it."""
    return element(
        "report-paper_series_metadata",
        parts.series(work, version),
        stand_in(version, parts.NO_VOLUME),
        parts.container_date(work, version),
        parts.publisher(work),
    )


def _around(work: Work, version: str) -> str:
    """Return the metadata of the report that an item stands in, as far as the item shows it."""
    outer, named = parts.containers(work)
    title = parts.titled(named) if named else stand_in(version, parts.NO_VOLUME)
    dated = parts.container_date(work, version)
    said = (title, _edition(work), *_made({**work, "approved": None}, dated))
    if outer:
        return element("report-paper_series_metadata", _series(outer[0], work), *said)
    return element("report-paper_metadata", *said)


# -- standards ---------------------------------------------------------------------------------


def standards(works: list[Work], version: str) -> Iterator[str]:
    """Yield a standard element per standard, with its parts: those that follow it.

    Raises ValueError for a part without its standard, whose DOI a deposit's schema wants. The
    registry gives such a part out alone.
    """
    found: list[tuple[Work, list[Work]]] = []
    for work in works:
        if work["type"] == "standard":
            found.append((work, []))
        elif found and found[-1][0]["title"][-1:] == work["container-title"]:
            found[-1][1].append(work)
        elif version == REGISTERED:
            yield element("standard", _standard_around(work), content_item(work, version))
        else:
            raise ValueError("a part of a standard is written with its standard")
    for whole, inside in found:
        yield element(
            "standard",
            _standard_metadata(whole, version),
            *(content_item(item, version) for item in inside),
            components(whole),
        )


def _standard_metadata(work: Work, version: str) -> str:
    return element(
        "standard_metadata",
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        stand_in(version, "<designators/>"),
        _edition(work),
        date("approval_date", work.get("approved")),
        parts.isbns(work),
        parts.publisher(work),
        _body(work.get("standards-body", {})),
        *parts.record(work),
        language=work.get("language"),
    )


def _standard_around(work: Work) -> str:
    """Return the metadata of the standard that a part stands in, as far as the part shows it."""
    return element(
        "standard_metadata",
        *map(parts.titled, work.get("container-title", ())[:1]),
        parts.publisher(work),
        _body(work.get("standards-body", {})),
    )


def _body(body: Work) -> str:
    return element(
        "standards_body",
        text("standards_body_name", body.get("name")),
        text("standards_body_acronym", body.get("acronym")),
    )
