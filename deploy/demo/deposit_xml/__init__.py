"""Work objects as Crossref deposit XML.

The inverse of what deposits reads: journal articles and posted content, in schema 5.3.1, or in
5.5.0 where a work has a version or other things only that schema carries. Written for itself,
not from the reader's tables, so that each checks the other.

What a deposit cannot say is left out: stamps, counts, owners, inverse relations, and who asserted
a reference's DOI. facts.py names each such difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from deploy.demo.deposit_xml.elements import Work, element, text
from deploy.demo.deposit_xml.identifiers import stamped
from deploy.demo.deposit_xml.people import PEOPLE, RICH_SCHEMA
from deploy.demo.deposit_xml.records import journals, posted

PLAIN_SCHEMA = "5.3.1"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a submission. The address is made up for the demo: nobody's."""

    batch_id: str
    timestamp: str
    depositor: str = "Colophon demo"
    email: str = "demo@example.org"
    registrant: str = "Colophon demo"


def deposit(works: Iterable[Work], head: Head, *, schema: str | None = None) -> bytes:
    """Return one submission: works of one kind (all articles or all posted content).

    The schema is 5.3.1 unless a work needs 5.5.0 or it is given. Raises ValueError for a mixed
    or an empty batch.
    """
    batch = list(works)
    if len({work["type"] for work in batch}) != 1:
        raise ValueError("a submission holds works of one kind, at least one")
    version = schema or (RICH_SCHEMA if any(_needs_rich(w) for w in batch) else PLAIN_SCHEMA)
    articles = batch[0]["type"] == "journal-article"
    body = journals(batch, version) if articles else (posted(work, version) for work in batch)
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            _opening(version),
            _head(head),
            "<body>\n",
            *body,
            "</body>\n</doi_batch>\n",
        )
    ).encode()


# What posted content holds only since 5.4.0 or 5.5.0.
_POSTED_RICH = ("archive", "update-policy", "clinical-trial-number")


_PLAIN_ROLES = [
    [{"role": role, "vocabulary": "crossref"}]
    for role in ("author", "editor", "chair", "reviewer", "translator")
]


def _needs_rich(work: Work) -> bool:
    """Whether a work says something that 5.3.1 has no element for."""
    people = (person for key in PEOPLE for person in work.get(key, ()))
    identifiers = (i for funder in work.get("funder", ()) for i in funder.get("id", ()))
    return (
        "version" in work
        or (work["type"] == "posted-content" and any(key in work for key in _POSTED_RICH))
        or any(p["role"] not in _PLAIN_ROLES for p in people)
        or any(identifier["id-type"] != "DOI" for identifier in identifiers)
        or any("DOI" in a for f in work.get("funder", ()) for a in f.get("award-info", ()))
        or any("type" in reference for reference in work.get("reference", ()))
    )


def _opening(version: str) -> str:
    return (
        f'<doi_batch version="{version}" xmlns="http://www.crossref.org/schema/{version}"'
        ' xmlns:jats="http://www.ncbi.nlm.nih.gov/JATS1"'
        ' xmlns:fr="http://www.crossref.org/fundref.xsd"'
        ' xmlns:ai="http://www.crossref.org/AccessIndicators.xsd"'
        ' xmlns:ct="http://www.crossref.org/clinicaltrials.xsd"'
        ' xmlns:rel="http://www.crossref.org/relations.xsd"'
        ' xmlns:mml="http://www.w3.org/1998/Math/MathML">\n'
    )


def _head(head: Head) -> str:
    depositor = text("depositor_name", head.depositor) + text("email_address", head.email)
    return element(
        "head",
        text("doi_batch_id", head.batch_id),
        text("timestamp", head.timestamp),
        element("depositor", depositor),
        text("registrant", head.registrant),
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """One file to deposit: all its DOIs share a prefix."""

    prefix: str
    file_name: str
    works: tuple[Work, ...]
    xml: bytes


def batches(works: Iterable[Work], *, largest: int = 25) -> Iterator[Batch]:
    """Yield submissions: per prefix and kind, at most `largest` works each, in a fixed order."""

    def group(work: Work) -> tuple[str, str]:
        return work["DOI"].split("/")[0], work["type"]

    for (prefix, kind), found in groupby(sorted(works, key=group), key=group):
        members = sorted(
            found, key=lambda w: (w.get("container-title", []), w.get("volume", ""), w["DOI"])
        )
        for at in range(0, len(members), largest):
            part = tuple(members[at : at + largest])
            name = f"demo-{prefix}-{kind}-{at // largest + 1}"
            latest = max(stamped(work) or "1" for work in part)
            yield Batch(prefix, f"{name}.xml", part, deposit(part, Head(name, latest)))
