"""What a record says itself, and what follows from it: issued, delays, counts.

The latter is stated here a second time, on purpose: it is what the law compares with.
"""

from datetime import date

from hypothesis import strategies as st

from services.deposits.crossref.rows import Table
from tests.strategies.deposits.rows import inside, merged, said
from tests.strategies.deposits.values import Fragment, Work

# The programs stand inside crossmark or beside it, never in both places.
_INSIDE = ("fr:program", "ai:program", "ct:program", "version_info")


def own(table: Table, *always: str, skip: tuple[str, ...] = ()) -> Fragment:
    """Return what a record's own element says, with its programs beside or inside crossmark."""
    needed = (*always, "doi", "url")
    marks = [inside(row) for row in table.rows if row.element == "crossmark"]
    beside = said(table, always=needed, skip=(*skip, "crossmark"))
    if not marks:
        return beside
    marked = st.tuples(
        said(table, always=needed, skip=(*skip, *_INSIDE, "crossmark")),
        said(marks[0], always=("policy",)),
    ).map(merged)
    return beside | marked


def _tidy(work: Work) -> Work:
    """Keep to what one titles element and one crossmark element can say."""
    work = dict(work)
    if "update-policy" not in work:
        for key in ("content-domain", "update-to", "assertion"):
            work.pop(key, None)
    else:
        chosen = {"domain": [], "crossmark-restriction": False}
        work["content-domain"] = {**chosen, **work.get("content-domain", {})}
    if "title" not in work:
        work["subtitle"] = work["original-title"] = []
    work["original-title"] = work.get("original-title", [])[:1]
    work["subtitle"] = work.get("subtitle", [])[: 2 if work["original-title"] else 1]
    return {key: value for key, value in work.items() if value not in ([], None)}


_DATES = ("posted", "published-print", "published-online", "published-other")

_ELSE = ("approved", "award-start")


def finished(work: Work, kind: str) -> Work:
    """Add what follows: identity, issued, delays, counts."""
    known = [work[key]["date-parts"][0] for key in _DATES if key in work]
    known = known or [work[key]["date-parts"][0] for key in _ELSE if key in work]
    issued = {"date-parts": [min(known) if known else [None]]}
    licences = [{**x, "delay-in-days": _delay(x, known)} for x in work.get("license", ())]
    doi = work["DOI"].lower()
    count = len(work.get("reference", ()))
    return {
        "content-domain": {"domain": [], "crossmark-restriction": False},
        **_tidy(work),
        **({"license": licences} if licences else {}),
        "type": kind,
        "DOI": doi,
        "URL": f"https://doi.org/{doi}",
        "issued": issued,
        **({"published": issued} if known else {}),
        "reference-count": count,
        "references-count": count,
    }


def _delay(licence: Work, known: list[list[int]]) -> int:
    if not known:
        return 0
    first = date(*(*min(known), 1, 1)[:3])
    return max(0, (date(*licence["start"]["date-parts"][0]) - first).days)


def one_title(work: Work) -> Work:
    """Keep the first title alone."""
    return {**work, "title": work["title"][:1]} if "title" in work else work
