"""Conferences: the event, its proceedings, and the papers in them."""

from services.deposits.crossref import dates, identity, markup, parts
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.common import (
    ACCEPTED_ROW,
    CLOSING,
    COMPONENTS_ROW,
    CONTENT,
    CONTRIBUTORS_ROW,
    DISTRIBUTION,
    ISBN_ROWS,
    LANGUAGE_ROW,
    PUBLICATION_TYPE,
    PUBLISHER_ROW,
    SCN,
    TRIALS,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS
from services.deposits.crossref.kinds.series import SERIES_ROW, series
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Row, Table, not_carried, table, text, titled

# -- the event ---------------------------------------------------------------------------------


def _event_dates(element: Element, _: Notes) -> Work | None:
    """Read start and end; what is no year at all is left out, the event being no date's owner."""
    found: Work = {}
    for end in ("start", "end"):
        year, month, day = (
            (element.get(f"{end}_{unit}") or "").strip(markup.SPACE)
            for unit in ("year", "month", "day")
        )
        given = dates.parts_of(year, month=month, day=day)
        if given:
            found[end] = dates.partial(given)
    return found or None


EVENT = Table(
    "event_metadata",
    Row("conference_name", "name", text, kind="text"),
    Row("conference_theme", "theme", text, kind="text"),
    Row("conference_acronym", "acronym", text, kind="text"),
    Row("conference_sponsor", "sponsor", text, kind="text", many=True),
    Row("conference_number", "number", text, kind="short"),
    Row("conference_location", "location", text, kind="text"),
    Row(
        "conference_date",
        "*",
        _event_dates,
        kind="event-dates",
        keys=("start", "end"),
        note="from the attributes; the text of the dates is not carried",
    ),
)
CONFERENCE = Table(
    "conference",
    CONTRIBUTORS_ROW,
    Row("event_metadata", "event", table(EVENT), kind="event", inside=EVENT),
)

# -- proceedings and papers --------------------------------------------------------------------

_TITLE = Row("proceedings_title", "title", titled, kind="title", many=True)
_SUBJECT = not_carried("proceedings_subject", "Crossref's work object has no subject of its own")
_CLOSING = (parts.PUBLISHER_ITEM_ROW, parts.ARCHIVES_ROW, VERSION_ROW, identity.DOI_DATA_ROW)

PROCEEDINGS = Table(
    "proceedings_metadata",
    LANGUAGE_ROW,
    *DISTRIBUTION,
    _TITLE,
    _SUBJECT,
    PUBLISHER_ROW,
    parts.PUBLICATION_DATE,
    *ISBN_ROWS,
    *_CLOSING,
)
PROCEEDINGS_IN_SERIES = Table(
    "proceedings_series_metadata",
    *DISTRIBUTION,
    SERIES_ROW,
    _TITLE,
    Row("volume", "volume", text, kind="short", note="of the proceedings' own record"),
    _SUBJECT,
    PUBLISHER_ROW,
    parts.PUBLICATION_DATE,
    *ISBN_ROWS,
    *_CLOSING,
)
PAPER = Table(
    "conference_paper",
    LANGUAGE_ROW,
    PUBLICATION_TYPE,
    *DISTRIBUTION,
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.ABSTRACT_ROW,
    parts.PUBLICATION_DATE,
    ACCEPTED_ROW,
    parts.PAGES_ROW,
    *CONTENT,
    TRIALS,
    SCN,
    VERSION_ROW,
    *CLOSING,
    COMPONENTS_ROW,
)

# -- kinds -------------------------------------------------------------------------------------

_LENT = (
    *("container-title", "ISBN", "isbn-type", "ISSN", "issn-type"),
    *("publisher", "publisher-location", "language"),
)
_PEOPLE = ("author", "editor", "chair", "translator", "contributor")


def _proceedings(made: Table, *inside: Inside) -> Part:
    kind = Kind(
        made.name,
        "Proceedings",
        "proceedings",
        made,
        (("missing-title", "title volume container-title", "proceedings_title"),),
        borrows=(("event_metadata", ("event", *_PEOPLE)),),
    )
    return Part((made.name,), kind, must=False, title="conference", inside=inside)


_PAPER = Kind(
    "conference_paper",
    "Conference Paper",
    "proceedings-article",
    PAPER,
    (("missing-title", "title", "titles"),),
    borrows=(
        (PROCEEDINGS.name, _LENT),
        (PROCEEDINGS_IN_SERIES.name, _LENT),
        ("event_metadata", ("event",)),
    ),
)

CONFERENCES = Body(
    "conference",
    "Conference",
    (
        Part(("event_metadata",), lends=CONFERENCE, beside=("contributors",)),
        _proceedings(PROCEEDINGS),
        _proceedings(
            PROCEEDINGS_IN_SERIES,
            Inside(
                ("series_metadata",),
                series("conference", "Proceedings Series", "proceedings-series"),
                "conference",
            ),
        ),
        Part(("conference_paper",), _PAPER, inside=(COMPONENTS,)),
    ),
)
