"""Conferences with their proceedings and papers: one conference element each."""

from services.distribution.transform.records import parts
from services.distribution.transform.records.components import components
from services.distribution.transform.records.elements import (
    Work,
    date,
    element,
    many,
    markup,
    stand_in,
    text,
)
from services.distribution.transform.records.identifiers import doi_data
from services.distribution.transform.records.people import contributors

_NO_ISBN = '<noisbn reason="simple_series"/>'


def conference(work: Work, version: str) -> str:
    """Return a conference: its proceedings or their series as a record, or around one paper."""
    people = ""
    match work["type"]:
        case "proceedings":
            people, inner = contributors(work, version), _proceedings(work, version)
        case "proceedings-series":
            inner = _series_record(work, version)
        case _:
            inner = _around(work, version) + paper(work, version)
    return element("conference", people, _event(work, version), inner)


def _event(work: Work, version: str) -> str:
    said = work.get("event", {})
    unnamed = stand_in(version, "Unnamed") or None  # the schema wants a name
    return element(
        "event_metadata",
        text("conference_name", said.get("name", unnamed)),
        text("conference_theme", said.get("theme")),
        text("conference_acronym", said.get("acronym")),
        many(said.get("sponsor", ()), lambda sponsor: text("conference_sponsor", sponsor)),
        text("conference_number", said.get("number")),
        text("conference_location", said.get("location")),
        _days(said),
    )


def _days(event: Work) -> str:
    """Return conference_date, whose attributes say the days."""
    shown = "".join(
        f' {name}_{part}="{value:02d}"'
        for name in ("start", "end")
        if name in event
        for part, value in zip(("year", "month", "day"), event[name]["date-parts"][0], strict=False)
    )
    return f"<conference_date{shown}/>" if shown else ""


# -- proceedings -------------------------------------------------------------------------------


def _proceedings(work: Work, version: str) -> str:
    return _metadata(
        work,
        work.get("container-title", []),
        many(work.get("title", ())[:1], lambda title: element("proceedings_title", markup(title)))
        + text("volume", work.get("volume")),
        version,
        dates=parts.dates(work),
        record=(
            parts.publisher_item(work),
            parts.archives(work),
            parts.version(work),
            doi_data(work),
        ),
    )


def _around(work: Work, version: str) -> str:
    """Return the metadata of the proceedings a paper stands in, as far as the paper shows them."""
    outer, named = parts.containers(work)
    title = (
        element("proceedings_title", markup(named)) if named else stand_in(version, parts.NO_VOLUME)
    )
    dated = parts.container_date(work, version)
    return _metadata(work, outer, title, version, dates=dated)


def _metadata(
    work: Work,
    outer: list[str],
    named: str,
    version: str,
    *,
    dates: str,
    record: tuple[str, ...] = (),
) -> str:
    """Return the metadata of proceedings: alone, or in the series whose title `outer` holds."""
    numbers = parts.isbns(work) or stand_in(version, _NO_ISBN)
    ended = (parts.publisher(work), dates, numbers, *record)
    if outer:
        series = element("series_metadata", parts.titled(outer[0]), parts.issns(work))
        return element("proceedings_series_metadata", series, named, *ended)
    language = work.get("language") if record else None
    return element("proceedings_metadata", named, *ended, language=language)


def _series_record(work: Work, version: str) -> str:
    """Return a series that is a record itself; the schema wants a date beside it."""
    return element(
        "proceedings_series_metadata",
        parts.series(work, version),
        parts.container_publisher(work, version),
        parts.container_date(work, version),
    )


def paper(work: Work, version: str) -> str:
    """Return a conference_paper, children in the schema's order."""
    return element(
        "conference_paper",
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        parts.dates(work),
        date("acceptance_date", work.get("accepted")),
        parts.pages(work.get("page")),
        *parts.record(work),
        components(work),
        publication_type="full_text",
        language=work.get("language"),
    )
