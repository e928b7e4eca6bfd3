"""doi_data: the DOI, its version, its landing page and its further targets and links."""

import re

from services.deposits.crossref import markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Row, Table, described, not_carried, text
from services.deposits.crossref.vocabulary import LINK_APPLICATIONS

_DOI = re.compile(r"10\.[0-9]{4,9}/.{1,200}", re.DOTALL)
_URL = re.compile(r"(?i)(https?|ftp)://.*", re.DOTALL)
_LONGEST_DOI = _LONGEST_URL = 2048


def doi(element: Element, notes: Notes) -> str | None:
    """Read a doi as deposited; one of another form is a failure."""
    written = markup.plain(element)
    if written and not (_DOI.fullmatch(written) and len(written) <= _LONGEST_DOI):
        notes.add("doi-pattern", element, doi=written[:200])
    return written or None


def _resource(element: Element, notes: Notes) -> str | None:
    url = markup.plain(element)
    if url and not (_URL.fullmatch(url) and len(url) <= _LONGEST_URL):
        notes.add("resource-url", element, url=url[:200])
    return url or None


def _link(element: Element, application: str) -> Work | None:
    url = markup.plain(element)
    if not url:
        return None
    return {
        "URL": url,
        "content-type": element.get("mime_type") or "unspecified",
        "content-version": element.get("content_version") or "vor",
        "intended-application": application,
    }


def _secondary(item: Element, resource: Element) -> Work | None:
    url = markup.plain(resource)
    if not url:
        return None
    label = item.get("label") or item.get("country")
    return {"URL": url, "label": label} if label else {"URL": url}


def collection(element: Element, _: Notes) -> Work | None:
    """Read a collection into links by application, or into further resolution targets."""
    said = element.get("property") or ""
    found: Work = {}
    for item in element.iterchildren("{*}item"):
        for resource in item.iterchildren("{*}resource"):
            for name, crawler, application in LINK_APPLICATIONS:
                matches = said == name and crawler in {None, item.get("crawler")}
                if matches and (link := _link(resource, application)):
                    found.setdefault("link", []).append(link)
            if said in {"list-based", "country-based"} and (more := _secondary(item, resource)):
                found.setdefault("secondary", []).append(more)
    return found or None


ITEM = Table(
    "item",
    described("@crawler", "link", "of a crawler-based collection"),
    described("@label", "secondary", "label"),
    described("@country", "secondary", "label, where there is none"),
    not_carried("@link_header_relationship", "Crossref's link has no relation"),
    not_carried("doi", "a target that is another DOI"),
    described("resource", "URL", "with @mime_type and @content_version where it is a link"),
)
COLLECTION = Table(
    "collection",
    described("@property", "link", "decides where the items go"),
    not_carried("@multi-resolution", "a switch of Crossref's resolver"),
    Row("item", "*", inside=ITEM, keys=("link", "secondary")),
)

DOI_DATA = Table(
    "doi_data",
    Row("doi", "doi", doi, kind="doi", note="lower-cased in DOI and URL"),
    Row("timestamp", "timestamp", text, kind="timestamp", note="else the head's"),
    Row("resource", "resource", _resource, kind="url", note="resource.primary.URL"),
    Row(
        "collection",
        "*",
        collection,
        kind="links",
        keys=("link", "secondary"),
        inside=COLLECTION,
        note="@property text-mining, unspecified, syndication, and crawler-based for iParadigms "
        "(similarity-checking) are links, in that order; list-based and country-based are "
        "resource.secondary; other crawlers and link-header are not carried",
    ),
)


def doi_data(element: Element, notes: Notes) -> Work:
    """Read doi_data; the parts are completed when the record is."""
    return {"doi_data": DOI_DATA.read(element, notes)}


DOI_DATA_ROW = Row(
    "doi_data", "*", doi_data, keys=("DOI", "URL", "resource", "link"), inside=DOI_DATA
)
