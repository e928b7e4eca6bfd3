"""Databases and the datasets in them: one database element each."""

from services.distribution.transform.records import parts
from services.distribution.transform.records.components import components
from services.distribution.transform.records.elements import Work, date, element, text
from services.distribution.transform.records.identifiers import citations, doi_data
from services.distribution.transform.records.people import contributors
from services.distribution.transform.records.programs import relations


def database(work: Work, version: str) -> str:
    """Return a database: itself as a record, or around one dataset."""
    if work["type"] == "database":
        return element("database", _database_record(work, version), components(work))
    return element("database", _around(work), _dataset(work, version))


def _database_record(work: Work, version: str) -> str:
    return element(
        "database_metadata",
        contributors(work, version),
        parts.titles(work),
        text("description", work.get("description")),
        _dates(work),
        parts.publisher(work),
        parts.institutions(work),
        parts.publisher_item(work),
        parts.archives(work),
        parts.version(work),
        doi_data(work),
        relations(work),
        language=work.get("language"),
    )


def _around(work: Work) -> str:
    """Return the metadata of the database a dataset stands in, as far as the dataset shows it."""
    return element(
        "database_metadata",
        *(parts.titled(title) for title in work.get("container-title", ())),
        parts.publisher(work),
        parts.institutions(work),
        language=work.get("language"),
    )


def _dataset(work: Work, version: str) -> str:
    return element(
        "dataset",
        contributors(work, version),
        parts.titles(work),
        _dates(work),
        parts.publisher_item(work),
        text("description", work.get("description")),
        parts.marked(work),
        relations(work),
        parts.archives(work),
        parts.version(work),
        doi_data(work),
        citations(work),
        components(work),
        dataset_type="record",
    )


def _dates(work: Work) -> str:
    """Return a database_date with all that happened to it, and one per further medium."""
    media = [m for m in ("print", "online", "other") if f"published-{m}" in work]
    published = [
        date("publication_date", work[f"published-{medium}"], media_type=medium) for medium in media
    ]
    first, *others = published or [""]
    whole = element(
        "database_date",
        date("creation_date", work.get("content-created")),
        first,
        date("update_date", work.get("content-updated")),
    )
    return whole + "".join(element("database_date", more) for more in others)
