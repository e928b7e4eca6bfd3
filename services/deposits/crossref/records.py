"""Records: an element and what stands around it become a DOI, a timestamp and a work object.

What stands around a record (the journal and the issue of an article) is read once and lent to
each record inside. What follows from what was said (issued, licences' delays, counts) is added.
"""

from dataclasses import dataclass

from services.deposits.crossref import dates
from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import Problem
from services.deposits.crossref.kinds import Kind
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Table
from services.deposits.crossref.vocabulary import LINK_APPLICATIONS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a record: read once, lent to each record inside."""

    said: Work
    problems: tuple[Problem, ...] = ()
    lists: tuple[str, ...] = ("archive",)  # inherited only by a record that has none of its own


def surroundings(table: Table, element: Element, notes: Notes) -> Surroundings:
    """Read a journal's or an issue's element."""
    said = table.read(element, notes)
    said.pop("doi_data", None)
    if "issue" in said:
        said["journal-issue"] = {"issue": said["issue"], **said.get("journal-issue", {})}
    else:
        said.pop("journal-issue", None)
    return Surroundings(said, tuple(notes.problems))


@dataclass(frozen=True, slots=True)
class Reading:
    """A record's element, read: the DOI and timestamp as deposited, and the work."""

    doi: str
    timestamp: str | None
    work: Work
    problems: tuple[Problem, ...]
    components: int


def read_record(
    kind: Kind, element: Element, notes: Notes, *, around: tuple[Surroundings, ...]
) -> Reading:
    """Read one record; everything wrong with it is in `problems`."""
    said = kind.table.read(element, notes)
    work = {kind.renames.get(key, key): value for key, value in said.items()}
    for outer in around:
        for key, value in outer.said.items():
            work.setdefault(key, value)
    for key, value in kind.fixed.items():
        work.setdefault(key, value)
    target = work.pop("doi_data", {})
    _require(kind, work, target, element=element, notes=notes)
    found = tuple(p for outer in around for p in outer.problems) + tuple(notes.problems)
    doi = target.get("doi", "")
    _complete(work, kind, doi=doi, target=target)
    return Reading(doi, target.get("timestamp"), work, found, _components(element))


def _require(kind: Kind, work: Work, target: Work, *, element: Element, notes: Notes) -> None:
    if "doi" not in target:
        notes.add("missing-doi", element)
    elif "resource" not in target and not any(p.rule == "resource-url" for p in notes.problems):
        notes.add("missing-resource", element)
    broken = {p.rule for p in notes.problems}
    for rule, keys, named in kind.required:
        # A date that is there but wrong has been told already.
        if not any(key in work for key in keys.split()) and "invalid-year" not in broken:
            notes.add(rule, element, element=named)


_ISSUED_FROM = ("posted", "published-print", "published-online", "published-other")


def _complete(work: Work, kind: Kind, *, doi: str, target: Work) -> None:
    """Add what follows from what was said: identity, issued, licences' delays, counts."""
    work["type"] = kind.type
    work["DOI"] = doi.lower()
    work["URL"] = f"https://doi.org/{doi.lower()}"
    work["resource"] = {"primary": {"URL": target.get("resource", "")}}
    if "secondary" in target:
        work["resource"]["secondary"] = target["secondary"]
    if "link" in target:
        order = [application for *_, application in LINK_APPLICATIONS]
        work["link"] = sorted(target["link"], key=lambda x: order.index(x["intended-application"]))
    issued = dates.earliest(work[key] for key in _ISSUED_FROM if key in work)
    if issued:
        work["published"] = issued
    work["issued"] = issued or {"date-parts": [[None]]}
    if "license" in work:
        work["license"] = [_dated(licence, issued) for licence in work["license"]]
    domain = work.get("content-domain", {})
    work["content-domain"] = {"domain": [], "crossmark-restriction": False, **domain}
    work["reference-count"] = work["references-count"] = len(work.get("reference", ()))


def _dated(licence: Work, issued: Work | None) -> Work:
    """Complete a licence: it starts when the work was issued unless it says otherwise."""
    first = issued["date-parts"][0] if issued else None
    start = licence["start"]["date-parts"][0] if "start" in licence else first
    if start is None:
        return {**licence, "delay-in-days": 0}
    delay = (dates.padded(start) - dates.padded(first)).days if first else 0
    return {**licence, "start": dates.stamp(start), "delay-in-days": max(delay, 0)}


def _components(element: Element) -> int:
    listed = element.find("{*}component_list")
    return 0 if listed is None else sum(1 for _ in listed.iterchildren("{*}component"))
