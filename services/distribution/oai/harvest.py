"""Works as one reader harvests them: admitted by the policy, shown by the gate, then written."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from services.distribution.citedby import Citers, elements
from services.distribution.gate import Subject
from services.distribution.host import Host, Seen
from services.distribution.oai import envelope
from services.distribution.oai.datestamps import written
from services.distribution.oai.envelope import Header
from services.distribution.oai.formats import Format, Material
from services.distribution.oai.sets import specs_of
from services.distribution.rest.render import render_item
from services.distribution.search.keys import seconds_of
from shared.mongo.client import Document
from shared.policy import VISIBLE, Reader
from shared.policy.harvesting import Reach
from shared.policy.sources import RELATIONS, STATED
from shared.web import Caller, Problem, unauthorised

AT_ONCE: Final = 25  # records between two looks at the gate, and turns for other requests
RETRY_SECONDS: Final = 2  # watermarks come each second


def admitted(host: Host, caller: Caller, verb: str, asked: Format | None = None) -> Reach:
    """Return which records a caller may ask for so.

    Raises ``Problem``: 401 for nobody in particular, 403 for a caller to whom it is not open.
    """
    reader = caller.reader(host.clock.now())
    reach = host.harvesting.reach(reader, verb, asked.prefix if asked else None)
    if reach is not None:
        return reach
    if caller.kind == "anonymous":
        lapsed = "The token's agreement does not run."
        needed = "Records are harvested with a Metadata Plus token, or a member's own login."
        raise unauthorised(lapsed if caller.lapsed else needed)
    raise Problem(403, "not-for-this-caller", "This is not open to this caller")


def owned_by(host: Host, document: Document, organisation: int | None) -> bool:
    """Whether an organisation owns a work at this moment."""
    owner = host.gate.ownership(Subject.of(document)).member
    return owner is not None and owner == organisation


def headers(host: Host, documents: Iterable[Document]) -> list[bytes]:
    """Return the headers of works."""
    return [
        envelope.header(_header(document, host.gate.ownership(Subject.of(document)).prefix))
        for document in documents
    ]


async def records(
    host: Host, documents: Sequence[Document], asked: Format, reader: Reader
) -> list[bytes]:
    """Return the records of works in a format, the gate asked of each.

    Raises ``Problem`` 503 where the format may hold references and it is not known whose they are:
    what is harvested is kept, so a record is not given with less than it has.
    """
    done: list[bytes] = []
    for start in range(0, len(documents), AT_ONCE):
        if asked.guarded and not host.gate.fresh():
            raise Problem(
                503,
                "knowledge-stale",
                "Reference preferences are not known well enough at the moment",
                headers={"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"},
            )
        some = documents[start : start + AT_ONCE]
        links = [await _links(host, one) if asked.cites else () for one in some]
        seen = [host.seen(one, reader, outlet=asked.outlet) for one in some]
        lot = list(zip(some, seen, links, strict=True))
        done += await asyncio.to_thread(_written, host, lot, asked)
    return done


async def _links(host: Host, document: Document) -> list[bytes]:
    """Return the works that cite one, which whoever may not see them is not shown."""
    return [
        elements.forward_link(
            link.cited,
            link.citing["_id"],
            link.citing["work"],
            cited_by=link.citing.get("cited_by", 0),
        )
        async for page in Citers(host.database, host.works).citing(document["_id"])
        for link in page
    ]


def _written(
    host: Host, lot: Sequence[tuple[Document, Seen, Sequence[bytes]]], asked: Format
) -> list[bytes]:
    return [
        _record(
            document,
            seen,
            _material(host, seen, links if seen.visibility == VISIBLE else ()),
            asked,
        )
        for document, seen, links in lot
    ]


def _record(document: Document, seen: Seen, material: Material, asked: Format) -> bytes:
    """Write a record, with the terms of third parties whose data it holds (CRP-12c)."""
    rights = (
        source[name]
        for source in material.work.get(STATED, ())
        for name in RELATIONS.keys() & source.keys()
    )
    header = _header(document, seen.ownership.prefix)
    return envelope.record(header, asked.write(material), sorted(rights))


def _material(host: Host, seen: Seen, links: Sequence[bytes]) -> Material:
    work = render_item(
        seen.record,
        seen.ownership,
        cited_by=seen.cited_by,
        visibility=seen.visibility,
        policy=host.gate.policy,
    )
    return Material(work, seen.ownership.name, links)


def _header(document: Document, owner: str) -> Header:
    kind = str(document["work"].get("type", "other"))
    datestamp = written(seconds_of(document["deposited"]))
    return Header(document["_id"], datestamp, specs_of(kind, owner, document.get("title")))
