"""Conferences with their proceedings and papers: one conference element each."""

from deploy.demo.deposit_xml import parts
from deploy.demo.deposit_xml.components import components
from deploy.demo.deposit_xml.elements import Work, date, element, many, text
from deploy.demo.deposit_xml.identifiers import doi_data
from deploy.demo.deposit_xml.people import contributors

_NO_ISBN = '<noisbn reason="simple_series"/>\n'


def conference(work: Work, version: str) -> str:
    """Return a conference: its proceedings or their series as a record, or around one paper."""
    people = ""
    match work["type"]:
        case "proceedings":
            people, inner = contributors(work, version), _proceedings(work)
        case "proceedings-series":
            inner = _series_record(work, version)
        case _:
            inner = _around(work) + paper(work, version)
    return element("conference", people, _event(work), inner)


def _event(work: Work) -> str:
    said = work.get("event", {"name": "Unnamed"})  # the schema wants a name
    return element(
        "event_metadata",
        text("conference_name", said.get("name")),
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
    return f"<conference_date{shown}/>\n" if shown else ""


# -- proceedings -------------------------------------------------------------------------------


def _proceedings(work: Work) -> str:
    return _metadata(
        work,
        work.get("container-title", []),
        element("proceedings_title", work["title"][0]) + text("volume", work.get("volume")),
        dates=parts.dates(work),
        record=(
            parts.publisher_item(work),
            parts.archives(work),
            parts.version(work),
            doi_data(work),
        ),
    )


def _around(work: Work) -> str:
    """Return the metadata of the proceedings a paper stands in, as far as the paper shows them."""
    outer, named = parts.containers(work)
    title = element("proceedings_title", named) if named else parts.NO_VOLUME
    return _metadata(work, outer, title, dates=parts.container_date(work))


def _metadata(
    work: Work, outer: list[str], named: str, *, dates: str, record: tuple[str, ...] = ()
) -> str:
    """Return the metadata of proceedings: alone, or in the series whose title `outer` holds."""
    ended = (parts.publisher(work), dates, parts.isbns(work) or _NO_ISBN, *record)
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
        parts.container_publisher(work),
        parts.container_date(work),
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
