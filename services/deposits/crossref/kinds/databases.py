"""Databases and the datasets in them."""

from services.deposits.crossref import identity, parts
from services.deposits.crossref.kinds.common import (
    CLOSING,
    COMPONENTS_ROW,
    CONTENT,
    CONTRIBUTORS_ROW,
    DESCRIPTION_ROW,
    DISTRIBUTION,
    FORMAT,
    INSTITUTION_ROW,
    LANGUAGE_ROW,
    PUBLISHER_ROW,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS, LISTED
from services.deposits.crossref.kinds.shapes import Body, Kind, Part
from services.deposits.crossref.programs import RELATIONS_ROW
from services.deposits.crossref.rows import Row, Table, not_carried, table

DATES = Table(
    "database_date",
    parts.dated("creation_date", "content-created"),
    parts.PUBLICATION_DATE,
    parts.dated("update_date", "content-updated"),
)
_DATES_ROW = Row(
    "database_date",
    "*",
    table(DATES),
    keys=(
        *("content-created", "content-updated"),
        *("published-print", "published-online", "published-other"),
    ),
    inside=DATES,
)

DATABASE = Table(
    "database_metadata",
    LANGUAGE_ROW,
    *DISTRIBUTION,
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    DESCRIPTION_ROW,
    _DATES_ROW,
    PUBLISHER_ROW,
    INSTITUTION_ROW,
    parts.PUBLISHER_ITEM_ROW,
    parts.ARCHIVES_ROW,
    VERSION_ROW,
    identity.DOI_DATA_ROW,
    RELATIONS_ROW,
)
DATASET = Table(
    "dataset",
    not_carried("@dataset_type", "Crossref's work object has no type of a dataset"),
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    _DATES_ROW,
    DESCRIPTION_ROW,
    FORMAT,
    *CONTENT,
    VERSION_ROW,
    *CLOSING,
    COMPONENTS_ROW,
)

_LENT = ("container-title", "publisher", "publisher-location", "institution", "language")
_DATABASE = Kind(
    "database_metadata",
    "Database",
    "database",
    DATABASE,
    (("missing-title", "title", "titles"),),
)
_DATASET = Kind("dataset", "Dataset", "dataset", DATASET, borrows=((DATABASE.name, _LENT),))
DATABASES = Body(
    "database",
    "Database",
    (
        Part(("database_metadata",), _DATABASE, must=False),
        Part(("dataset",), _DATASET, inside=(COMPONENTS,)),
        LISTED,
    ),
)
