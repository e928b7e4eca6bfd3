"""Words of a work for formats that know no markup: titles, people, dates, pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lxml import etree

from services.distribution.transform.records.elements import NAMESPACES, writable

Work = Mapping[str, Any]

RESOLVER: Final = "http://dx.doi.org/"
"""How the transforms of the wire spell a DOI as a URL, whatever the REST interface does."""


def plain(said: str) -> str:
    """Return a text on one line, without faces, entities and characters nothing can write."""
    said = writable(said)
    if "<" in said or "&" in said:
        try:
            root = etree.fromstring(f"<said{NAMESPACES}>{said}</said>".encode())
        except etree.XMLSyntaxError:
            pass  # it only looked like markup
        else:
            said = "".join(map(str, root.itertext()))
    return " ".join(said.split())


def first(work: Work, name: str) -> str | None:
    """Return the first of several values in plain words, None where there is none."""
    values: Sequence[str] = work.get(name) or ()
    return (plain(values[0]) or None) if values else None


def title(work: Work) -> str | None:
    """Return a work's title with its subtitle, as the wire joins them."""
    said = [part for name in ("title", "subtitle") if (part := first(work, name))]
    return ": ".join(said) or None


def people(work: Work, *roles: str) -> list[dict[str, str]]:
    """Return people and organisations in the roles given: ``family``, ``given`` or ``literal``."""
    found = (_person(person) for role in roles for person in work.get(role, ()))
    return [person for person in found if person]


def _person(person: Mapping[str, Any]) -> dict[str, str]:
    names = {key: plain(person[key]) for key in ("family", "given", "suffix") if person.get(key)}
    if "family" in names:
        return {key: name for key, name in names.items() if name}
    whole = plain(person.get("name") or person.get("given") or "")
    return {"literal": whole} if whole else {}


def date_parts(work: Work) -> list[int]:
    """Return year, month and day of publication, as far as they are known."""
    said = (work.get("issued") or {}).get("date-parts") or [[]]
    return [part for part in said[0] if isinstance(part, int)]


def pages(work: Work) -> tuple[str | None, str | None]:
    """Return the first and the last page, None where there is none."""
    page = plain(work.get("page") or "")
    start, _, end = page.partition("-")
    return start or None, end or None


def issn(work: Work) -> str | None:
    """Return the ISSN a citation shows: that of the electronic edition, else the last."""
    typed = [one["value"] for one in work.get("issn-type", ()) if one.get("type") == "electronic"]
    known = typed or list(work.get("ISSN", ()))[-1:]
    return plain(known[0]) if known else None


def isbn(work: Work) -> str | None:
    """Return the first ISBN."""
    return first(work, "ISBN")


def url(work: Work) -> str:
    """Return a work's DOI as a URL."""
    return RESOLVER + str(work["DOI"])
