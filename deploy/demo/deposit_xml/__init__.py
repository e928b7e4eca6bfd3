"""Work objects as Crossref deposit XML, and as resource-only deposits.

A record is written by services.distribution.transform.records, which the registry itself uses to
give records out. What a deposit cannot say is left out: stamps, counts, owners, inverse relations,
and who asserted a reference's DOI. facts.py names each such difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from services.distribution.transform.records import (
    WRITERS,
    body_of,
    components,
    grants,
    needs_rich,
)
from services.distribution.transform.records.elements import (
    NAMESPACES,
    PLAIN_SCHEMA,
    RICH_SCHEMA,
    Work,
    element,
    text,
)
from services.distribution.transform.records.identifiers import as_deposited, stamped

__all__ = ["PLAIN_SCHEMA", "Batch", "Head", "batches", "deposit"]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a submission. The address is made up for the demo: nobody's."""

    batch_id: str
    timestamp: str
    depositor: str = "Colophon demo"
    email: str = "demo@example.org"
    registrant: str = "Colophon demo"


def deposit(works: Iterable[Work], head: Head, *, schema: str | None = None) -> bytes:
    """Return one submission of works of one kind (`body_of`), and of components of theirs.

    The schema is 5.3.1 unless a work needs 5.5.0 or it is given. Raises ValueError for a mixed
    or an empty batch.
    """
    batch = [as_deposited(work) for work in works]
    version = schema or (RICH_SCHEMA if any(map(needs_rich, batch)) else PLAIN_SCHEMA)
    batch = _with_components(batch, version)
    kinds = {body_of(work) for work in batch}
    if len(kinds) != 1:
        raise ValueError("a submission holds works of one kind, at least one")
    (kind,) = kinds
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            grants.opening() if kind == "grant" else _opening(version),
            _head(head),
            "<body>\n",
            *WRITERS[kind](batch, version),
            "</body>\n</doi_batch>\n",
        )
    ).encode()


def _with_components(works: list[Work], version: str) -> list[Work]:
    """Return the works with their components inside, and without those components."""
    parents = {work["DOI"] for work in works if work["type"] != "component"}
    inside: dict[str, list[Work]] = {}
    for work in works:
        if work["type"] == "component" and (doi := components.parent(work)[1]) in parents:
            inside.setdefault(doi, []).append(work)
    kept = [w for w in works if all(w is not c for c in inside.get(_parent_of(w), ()))]
    return [
        {**work, components.INSIDE: (inside[work["DOI"]], version)}
        if work["DOI"] in inside
        else work
        for work in kept
    ]


def _parent_of(work: Work) -> str:
    return components.parent(work)[1] if work["type"] == "component" else ""


def _opening(version: str) -> str:
    return (
        f'<doi_batch version="{version}" xmlns="http://www.crossref.org/schema/{version}"'
        f"{NAMESPACES}>\n"
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
        return work["DOI"].split("/")[0], body_of(work)

    for (prefix, kind), found in groupby(sorted(works, key=group), key=group):
        members = sorted(
            found, key=lambda w: (w.get("container-title", []), w.get("volume", ""), w["DOI"])
        )
        for at in range(0, len(members), largest):
            part = tuple(members[at : at + largest])
            name = f"demo-{prefix}-{kind}-{at // largest + 1}"
            latest = max(stamped(work) or "1" for work in part)
            yield Batch(prefix, f"{name}.xml", part, deposit(part, Head(name, latest)))
