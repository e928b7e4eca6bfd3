"""DOI data with its links, and citations."""

import re
from itertools import groupby

from services.distribution.transform.records.elements import Work, element, escaped, quoted, text


def stamped(work: Work) -> str | None:
    """Return the version number of a work of the source: when it was deposited, as digits."""
    moment = work.get("deposited", {}).get("date-time")
    return re.sub(r"\D", "", moment) if moment else None


def doi_data(work: Work) -> str:
    """Return doi_data; its timestamp is the day and time the source was deposited, if known."""
    return element(
        "doi_data",
        text("doi", work["DOI"]),
        text("timestamp", stamped(work)),
        text("resource", work.get("resource", {}).get("primary", {}).get("URL")),
        collections(work),
    )


def collections(work: Work) -> str:
    """Return the links by application, and the further targets."""
    links = groupby(
        work.get("link", ()), key=lambda link: link.get("intended-application", "unspecified")
    )
    secondary = work.get("resource", {}).get("secondary", ())
    return "".join(
        (
            *(_links(application, list(found)) for application, found in links),
            element("collection", *(_target(t) for t in secondary), property="list-based"),
        )
    )


def _links(application: str, links: list[Work]) -> str:
    similarity = application == "similarity-checking"
    return element(
        "collection",
        *(
            element("item", _link(link), crawler="iParadigms" if similarity else None)
            for link in links
        ),
        property="crawler-based" if similarity else application,
    )


def _link(link: Work) -> str:
    kind = link.get("content-type", "unspecified")
    version = link.get("content-version", "vor")
    return text(
        "resource",
        link["URL"],
        mime_type=None if kind == "unspecified" else kind,
        content_version=None if version == "vor" else version,
    )


def _target(target: Work) -> str:
    return element("item", text("resource", target["URL"]), label=target.get("label"))


_BEFORE_DOI = (
    ("journal_title", "journal-title"),
    ("author", "author"),
    ("volume", "volume"),
    ("issue", "issue"),
    ("first_page", "first-page"),
    ("elocation_id", "elocation-id"),
    ("cYear", "year"),
)
_AFTER_DOI = (
    ("series_title", "series-title"),
    ("volume_title", "volume-title"),
    ("edition_number", "edition"),
    ("component_number", "component"),
    ("article_title", "article-title"),
    ("std_designator", "standard-designator"),
    ("unstructured_citation", "unstructured"),
)


def citations(work: Work) -> str:
    """Return the citation_list, in order."""
    return element("citation_list", *(_citation(r) for r in work.get("reference", ())))


def _citation(reference: Work) -> str:
    """Return a citation; what a reference does not say costs nothing, for there are many."""
    said = [_numbered("issn", reference, "ISSN", "issn-type")] if "ISSN" in reference else []
    said += [
        f"<{name}>{escaped(value)}</{name}>"
        for name, key in _BEFORE_DOI
        if (value := reference.get(key))
    ]
    if "DOI" in reference:
        said.append(_doi(reference))
    said += [
        f"<{name}>{escaped(value)}</{name}>"
        for name, key in _AFTER_DOI
        if (value := reference.get(key))
    ]
    if "ISBN" in reference:
        said.append(_numbered("isbn", reference, "ISBN", "isbn-type"))
    if "standards-body" in reference:
        body = reference["standards-body"]
        names = text("standards_body_name", body), text("standards_body_acronym", body)
        said.append(element("standards_body", *names))  # the schema wants both; one is read
    kind = reference.get("type")
    typed = f" type={quoted(kind)}" if kind else ""
    return f"<citation key={quoted(reference['key'])}{typed}>{''.join(said)}</citation>"


def _numbered(name: str, reference: Work, key: str, kind: str) -> str:
    return text(name, reference[key].rpartition("/")[2], media_type=reference.get(kind))


def _doi(reference: Work) -> str:
    """Return the DOI a reference was matched to; one that its publisher gave names no provider."""
    provider = reference.get("doi-asserted-by")
    return text("doi", reference.get("DOI"), provider=None if provider == "publisher" else provider)


def as_deposited(work: Work) -> Work:
    """Return a work without what no deposit says: that the registry matched a reference."""
    if "reference" not in work:
        return work
    said = [{k: v for k, v in r.items() if k != "doi-asserted-by"} for r in work["reference"]]
    return {**work, "reference": said}
