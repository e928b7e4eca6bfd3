"""The Link header of a transform: the DOI, full texts, licences, people (crossref.md 1.11).

Forms that have no place for terms of third parties have them here (CRP-12b, CRP-12c).
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from services.distribution.transform import wording
from services.distribution.transform.wording import Work
from shared.policy.sources import RELATIONS, STATED

MOST: Final = 4_096  # characters; clients take about twice as much for all headers
_IN_URLS: Final = "/:?#[]@!$&'()*+,;=%~-._"
_TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+./")


def link_header(work: Work) -> str:
    """Return the links that fit, in order: canonical, terms of sources, item, license, author."""
    said, length = [], 0
    for link in _links(work):
        length += len(link) + 2
        if length > MOST:
            break
        said.append(link)
    return ", ".join(said)


def _links(work: Work) -> Iterator[str]:
    yield _link(wording.RESOLVER + quote(str(work["DOI"]), safe="/:;()"), "canonical")
    for source in work.get(STATED, ()):
        for name, rel in RELATIONS.items():
            if name in source:
                yield _link(source[name], rel, title=source["id"])
    for text in work.get("link", ()):
        kind = text.get("content-type", "unspecified")
        yield _link(
            text["URL"],
            "item",
            version=text.get("content-version", ""),
            type="" if kind == "unspecified" else kind,
        )
    for licence in work.get("license", ()):
        yield _link(licence["URL"], "license", version=licence.get("content-version", ""))
    for role in ("author", "editor"):
        for person in work.get(role, ()):
            if "ORCID" in person:
                yield _link(person["ORCID"], "author") + _title(person)


def _link(url: str, rel: str, **said: str) -> str:
    shown = "".join(
        f'; {name}="{value}"' for name, value in said.items() if value and set(value) <= _TOKEN
    )
    return f'<{quote(url.strip(), safe=_IN_URLS)}>{shown}; rel="{rel}"'


def _title(person: dict[str, str]) -> str:
    name = wording.plain(" ".join(person[key] for key in ("given", "family") if person.get(key)))
    if not name:
        return ""
    if name.isascii() and name.isprintable() and not set(name) & set('"\\'):
        return f'; title="{name}"'
    return f"; title*=UTF-8''{quote(name, safe='')}"  # RFC 8187
