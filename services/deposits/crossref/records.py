"""Records: an element and what stands around it become a DOI, a timestamp and a work object.

What stands around a record (the journal and the issue of an article, the book of a chapter) is
read once and lent to each record inside. What follows from what was said (issued, licences'
delays, counts) is added. `amended` puts a part of a work (crossref.md 5.6) into the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.deposits.crossref import dates
from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import Problem
from services.deposits.crossref.kinds import Kind
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes
from services.deposits.crossref.vocabulary import LINK_APPLICATIONS, kebab


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a part of a body element lends: read once, lent to each record after it."""

    said: Work
    problems: tuple[Problem, ...] = ()

    def lend(self, keys: tuple[str, ...]) -> Work:
        """Return some of what was said; a title is the innermost container-title there."""
        said = self.said
        found = {key: said[key] for key in keys if key in said}
        if "container-title" in keys and "title" in said:
            found["container-title"] = [*said.get("container-title", ()), *said["title"][:1]]
        return found


@dataclass(frozen=True, slots=True)
class Reading:
    """A record's element, read: the DOI and timestamp as deposited, and the work."""

    doi: str
    timestamp: str | None
    work: Work
    problems: tuple[Problem, ...]


def read_record(
    kind: Kind,
    element: Element,
    notes: Notes,
    *,
    around: Mapping[str, Surroundings],
    parent: str = "",
) -> Reading:
    """Read one record; everything wrong with it is in `problems`.

    `around` holds what its body element has lent so far, by part; `parent` is the DOI that a
    component belongs to.
    """
    said = kind.table.read(element, notes)
    work = {kind.renames.get(key, key): value for key, value in said.items()}
    told: list[Problem] = []
    for lender, keys in kind.borrows:
        outer = around.get(lender)
        if outer is not None:
            for key, value in outer.lend(keys).items():
                work.setdefault(key, value)
            told += outer.problems
    for key, value in kind.fixed.items():
        work.setdefault(key, value)
    target = work.pop("doi_data", {})
    _require(kind, work, target, element=element, notes=notes)
    doi = target.get("doi", "")
    if kind.effect == "part":
        _target(work, target)
        _licences(work, None)
        if "content-domain" in work:
            _domain(work)
    else:
        _complete(work, kind, doi=doi, target=target, element=element)
        _relate(work, parent)
    return Reading(doi, target.get("timestamp"), work, (*told, *notes.problems))


def _require(kind: Kind, work: Work, target: Work, *, element: Element, notes: Notes) -> None:
    broken = {p.rule for p in notes.problems}
    if "doi" not in target:
        notes.add("missing-doi", element)
    elif kind.resource and "resource" not in target and "resource-url" not in broken:
        notes.add("missing-resource", element)
    for rule, keys, named in kind.required:
        # A date that is there but wrong has been told already.
        if not any(key in work for key in keys.split()) and "invalid-year" not in broken:
            notes.add(rule, element, element=named)


_UNKNOWN: Final = {"date-parts": [[None]]}
_ISSUED_FROM = ("posted", "published-print", "published-online", "published-other")
_ISSUED_ELSE = ("approved", "award-start")  # of works that know no publication date


def _complete(work: Work, kind: Kind, *, doi: str, target: Work, element: Element) -> None:
    """Add what follows from what was said: identity, issued, licences' delays, counts."""
    work["type"] = _type(kind, element)
    work["DOI"] = doi.lower()
    work["URL"] = f"https://doi.org/{doi.lower()}"
    if kind.resource:
        work["resource"] = {"primary": {"URL": target.get("resource", "")}}
    _target(work, target)
    issued = dates.earliest(work[key] for key in _ISSUED_FROM if key in work) or dates.earliest(
        work[key] for key in _ISSUED_ELSE if key in work
    )
    if issued:
        work["published"] = issued
    work["issued"] = issued or {"date-parts": [[None]]}
    _licences(work, issued)
    _domain(work)
    work["reference-count"] = work["references-count"] = len(work.get("reference", ()))


def _type(kind: Kind, element: Element) -> str:
    if kind.by is None:
        return kind.type
    said: Element | None = element.getparent() if kind.by.above else element
    value = "" if said is None else said.get(kind.by.attribute) or ""
    return kind.by.types.get(value.strip(), kind.type)


def _target(work: Work, target: Work) -> None:
    """Add links and further resolution targets."""
    if "secondary" in target:
        work["resource"] = {**work.get("resource", {}), "secondary": target["secondary"]}
    if "link" in target:
        order = [application for *_, application in LINK_APPLICATIONS]
        work["link"] = sorted(target["link"], key=lambda x: order.index(x["intended-application"]))


def _domain(work: Work) -> None:
    said = work.get("content-domain", {})
    work["content-domain"] = {"domain": [], "crossmark-restriction": False, **said}


def _licences(work: Work, issued: Work | None) -> None:
    if "license" in work:
        work["license"] = [_dated(licence, issued) for licence in work["license"]]


def _dated(licence: Work, issued: Work | None) -> Work:
    """Complete a licence: it starts when the work was issued unless it says otherwise."""
    first = issued["date-parts"][0] if issued else None
    start = licence["start"]["date-parts"][0] if "start" in licence else first
    if start is None:
        return {**licence, "delay-in-days": 0}
    delay = (dates.padded(start) - dates.padded(first)).days if first else 0
    return {**licence, "start": dates.stamp(start), "delay-in-days": max(delay, 0)}


def _relate(work: Work, parent: str) -> None:
    """Say what a component belongs to."""
    name = kebab(work.pop("parent", ""))
    if name and parent:
        whole = {"id-type": "doi", "id": parent, "asserted-by": "subject"}
        work.setdefault("relation", {}).setdefault(name, []).append(whole)


def amended(work: Mapping[str, Any], part: Mapping[str, Any]) -> Work:
    """Return a work with the keys of a part in place of its own (crossref.md 5.6).

    An empty value takes its key away, so an empty `reference` removes the references. Of
    `resource` the primary address stays, licences start when the work was issued unless they say
    otherwise, and counts follow.
    """
    whole = {**work, **part}
    if "resource" in part:
        whole["resource"] = {**work.get("resource", {}), **part["resource"]}
    for key, value in part.items():
        if value is None or value in ([], {}):
            del whole[key]
    if "license" in part:
        issued = work.get("issued") or _UNKNOWN
        _licences(whole, None if issued == _UNKNOWN else issued)
    if "reference" in part:
        whole["reference-count"] = whole["references-count"] = len(part["reference"])
    return whole
