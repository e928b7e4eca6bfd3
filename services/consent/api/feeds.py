"""The feed of changes of notices: JSON Feed 1.1 and Atom (RFC 4287). No person stands in it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from lxml import etree

from services.consent.model.notices import KeptNotice
from shared.events.consent import NoticeVersion
from shared.runtime.clock import rfc3339

ATOM: Final = "http://www.w3.org/2005/Atom"
TITLE: Final = "Changes of notices"
Change = tuple[KeptNotice, NoticeVersion]


def changes(notices: Sequence[KeptNotice]) -> list[Change]:
    """Return every version of every notice, the newest first."""
    found = [(notice, one) for notice in notices for one in notice.versions]
    return sorted(found, key=lambda each: (each[1].published_at, each[1].number), reverse=True)


def json_feed(notices: Sequence[KeptNotice], base: str) -> dict[str, Any]:
    """Return the feed as JSON Feed 1.1."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": TITLE,
        "feed_url": f"{base}/notices/feed.json",
        "items": [
            {
                "id": _id(notice, one),
                "url": _url(base, notice, one),
                "title": _title(notice, one),
                "content_text": _says(one),
                "date_published": rfc3339(one.published_at),
                "language": one.language,
                "tags": [one.change],
            }
            for notice, one in changes(notices)
        ],
    }


def atom_feed(notices: Sequence[KeptNotice], base: str) -> bytes:
    """Return the feed as Atom."""
    listed = changes(notices)
    newest = listed[0][1].published_at if listed else datetime(1970, 1, 1, tzinfo=UTC)
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=cast("dict[str, str]", {None: ATOM}))
    _add(feed, "id", f"{base}/notices/feed.atom")
    _add(feed, "title", TITLE)
    _add(feed, "updated", rfc3339(newest))
    _add(_add(feed, "author"), "name", "Colophon")
    _add(feed, "link", rel="self", href=f"{base}/notices/feed.atom")
    for notice, one in listed:
        entry = _add(feed, "entry")
        _add(entry, "id", _id(notice, one))
        _add(entry, "title", _title(notice, one))
        _add(entry, "updated", rfc3339(one.published_at))
        _add(entry, "link", href=_url(base, notice, one))
        _add(entry, "category", term=one.change)
        _add(entry, "summary", _says(one))
    return bytes(etree.tostring(feed, xml_declaration=True, encoding="UTF-8"))


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = text
    return child


def _id(notice: KeptNotice, one: NoticeVersion) -> str:
    return f"urn:colophon:notice:{notice.notice}:{one.label}"


def _url(base: str, notice: KeptNotice, one: NoticeVersion) -> str:
    return f"{base}/notices/{notice.notice}/{one.label}"


def _title(notice: KeptNotice, one: NoticeVersion) -> str:
    return f"{notice.title}: {one.label}"


def _says(one: NoticeVersion) -> str:
    return (
        f"A {one.change} change, in force from {rfc3339(one.effective_at)}."
        f" SHA-256 of the text: {one.sha}."
    )
