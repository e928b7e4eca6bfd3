"""A work as RDF: one graph, serialised by rdflib in the form that is asked for.

Every node has a name of its own, so that one work always gives one graph. The works it cites are in
it where the reader may see them: it is made from the rendered work.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, OWL, RDF, XSD
from rdflib.term import Node

from services.distribution.transform import wording
from services.distribution.transform.wording import Work

BIBO: Final = Namespace("http://purl.org/ontology/bibo/")
PRISM: Final = Namespace("http://prismstandard.org/namespaces/basic/2.1/")
CITO: Final = Namespace("http://purl.org/spar/cito/")
_PREFIXES: Final[Mapping[str, Any]] = {
    "bibo": BIBO,
    "prism": PRISM,
    "cito": CITO,
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "owl": OWL,
}

_TYPES: Final[Mapping[str, str]] = {
    "journal-article": "AcademicArticle",
    "journal": "Journal",
    "journal-issue": "Issue",
    **dict.fromkeys(("book", "monograph", "reference-book"), "Book"),
    "edited-book": "EditedBook",
    **dict.fromkeys(("book-chapter", "book-part", "book-track", "reference-entry"), "Chapter"),
    "book-section": "BookSection",
    **dict.fromkeys(("book-series", "report-series", "proceedings-series"), "Series"),
    "book-set": "MultiVolumeBook",
    "proceedings": "Proceedings",
    "proceedings-article": "AcademicArticle",
    "dissertation": "Thesis",
    **dict.fromkeys(("report", "report-component"), "Report"),
    "standard": "Standard",
}
"""Type of a work -> class of bibo; the rest are documents."""

_CONTAINERS: Final = {"journal-article": "Journal", "proceedings-article": "Proceedings"}
_DATES: Final = {1: XSD.gYear, 2: XSD.gYearMonth, 3: XSD.date}
_PATH: Final = "/:;()!$&'*+,=@-._~"


def rdf(work: Work, form: str) -> bytes:
    """Return a work's graph as ``xml``, ``turtle``, ``nt``, ``n3`` or ``json-ld`` (UTF-8)."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in _PREFIXES.items():
        graph.bind(prefix, namespace)
    for triple in triples(work):
        graph.add(triple)
    more: dict[str, Any] = {"auto_compact": True} if form == "json-ld" else {}
    written: bytes = graph.serialize(format=form, encoding="utf-8", **more)
    return written


def triples(work: Work) -> Iterator[tuple[Node, Node, Node]]:
    """Yield what is said of a work."""
    subject = _doi(str(work["DOI"]))
    yield subject, RDF.type, BIBO[_TYPES.get(work["type"], "Document")]
    for same in ("info:doi/", "doi:"):
        yield subject, OWL.sameAs, URIRef(same + quote(str(work["DOI"]), safe=_PATH))
    for name, value in _texts(work):
        if value:
            yield subject, name, _text(value)
    yield from _date(subject, wording.date_parts(work))
    yield from _container(subject, work)
    for role, name in (("author", DCTERMS.creator), ("editor", BIBO.editor)):
        for place, person in enumerate(work.get(role, ()), 1):
            yield from _person(subject, name, person, node=f"{subject}#{role}-{place}")
    for name, other in _links(work):
        yield subject, name, other


def _texts(work: Work) -> Iterator[tuple[Node, str | None]]:
    start, end = wording.pages(work)
    said = (
        ((DCTERMS.identifier, BIBO.doi, PRISM.doi), str(work["DOI"])),
        ((DCTERMS.title,), wording.title(work)),
        ((DCTERMS.publisher,), work.get("publisher")),
        ((DCTERMS.language,), work.get("language")),
        ((BIBO.volume, PRISM.volume), work.get("volume")),
        ((BIBO.issue, PRISM.number), work.get("issue")),
        ((BIBO.pageStart, PRISM.startingPage), start),
        ((BIBO.pageEnd, PRISM.endingPage), end),
        *(((BIBO.isbn,), isbn) for isbn in work.get("ISBN", ())),
    )
    return ((name, value) for names, value in said for name in names)


def _links(work: Work) -> Iterator[tuple[Node, Node]]:
    for licence in work.get("license", ()):
        if _is_uri(licence["URL"]):
            yield DCTERMS.license, _uri(licence["URL"])
    cited = [reference.get("DOI") for reference in work.get("reference", ())]
    # The same again, as far as the work asserts it as a relation; withheld together.
    cited += [
        to["id"] for to in work.get("relation", {}).get("cites", ()) if to["id-type"] == "doi"
    ]
    for doi in cited:
        if doi:
            yield CITO.cites, _doi(doi)


def _date(subject: Node, parts: list[int]) -> Iterator[tuple[Node, Node, Node]]:
    if parts and 0 < parts[0] < 10_000:  # noqa: PLR2004  (years of four digits)
        year, *rest = parts
        written = "-".join((f"{year:04d}", *(f"{part:02d}" for part in rest)))
        yield subject, DCTERMS.date, Literal(written, datatype=_DATES[len(parts)], normalize=False)


def _container(subject: URIRef, work: Work) -> Iterator[tuple[Node, Node, Node]]:
    numbers = list(work.get("ISSN", ()))
    title = wording.first(work, "container-title")
    if not (numbers or title):
        return
    node = _uri(f"http://id.crossref.org/issn/{numbers[0]}") if numbers else subject + "#container"
    yield subject, DCTERMS.isPartOf, node
    yield node, RDF.type, BIBO[_CONTAINERS.get(work["type"], "Collection")]
    if title:
        yield node, DCTERMS.title, _text(title)
    for number in numbers:
        yield node, BIBO.issn, _text(number)
        yield node, PRISM.issn, _text(number)


def _person(
    subject: Node, name: Node, person: Mapping[str, Any], *, node: str
) -> Iterator[tuple[Node, Node, Node]]:
    orcid = person.get("ORCID", "")
    who = _uri(orcid) if _is_uri(orcid) else URIRef(node)
    whole = person.get("name") or " ".join(
        person[key] for key in ("given", "family") if person.get(key)
    )
    yield subject, name, who
    yield who, RDF.type, FOAF.Organization if person.get("name") else FOAF.Person
    said = ((FOAF.name, whole), (FOAF.givenName, person.get("given")))
    for predicate, value in (*said, (FOAF.familyName, person.get("family"))):
        if value:
            yield who, predicate, _text(value)


def _text(said: str) -> Literal:
    return Literal(wording.plain(said))


def _doi(doi: str) -> URIRef:
    return URIRef(wording.RESOLVER + quote(doi, safe=_PATH))


def _is_uri(said: str) -> bool:
    return said.startswith(("http://", "https://"))


def _uri(said: str) -> URIRef:
    return URIRef(quote(said.strip(), safe=f"{_PATH}?#[]%"))
