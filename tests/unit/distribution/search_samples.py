"""Works for the tests of search and REST: states as deposits.works.v1 carries them."""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any

from services.distribution.search import SearchDoc, SearchIndex, project
from services.distribution.search.keys import sort_key

EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
TOPIC = "deposits.works.v1"


def moment(second: int) -> dt.datetime:
    return EPOCH + dt.timedelta(seconds=second)


def state(
    doi: str,
    *,
    version: int = 1,
    deposited: int = 0,
    created: int = 0,
    published: Sequence[int] = (),
    references: int = 0,
    **work: Any,
) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "journal-article", "title": ["A study"], "DOI": doi, **work}
    if references:
        said["reference-count"] = said["references-count"] = references
    if published:
        said["published"] = {"date-parts": [list(published)]}
        said.setdefault("issued", {"date-parts": [list(published)]})
    return {
        "doi": doi,
        "prefix": doi.partition("/")[0],
        "version": version,
        "timestamp": str(version),
        "created": moment(created),
        "deposited": moment(deposited),
        "submission": "s1#0",
        "work": said,
    }


def doc(doi: str, *, owner: str | None = None, **facts: Any) -> SearchDoc:
    made = state(doi, **facts)
    return project(made, indexed=made["deposited"], owner=owner)


def put(index: SearchIndex, docs: Iterable[SearchDoc], at: int = 0) -> None:
    index.write(list(docs), {(TOPIC, 0): at})


@functools.cache
def colliding_dois(count: int) -> list[str]:
    """Return DOIs that share one hash, and so one sort key wherever their values are equal."""
    groups: dict[int, list[str]] = {}
    number = 0
    while True:
        doi = f"10.5555/tie.{number}"
        group = groups.setdefault(sort_key(0, doi), [])
        group.append(doi)
        if len(group) == count:
            return group
        number += 1
