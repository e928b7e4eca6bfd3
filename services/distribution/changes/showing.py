"""What a reader is shown of entries: how things are now, as far as the gate lets through.

An entry waits until what is asked knows of it: the store for a work, the gate for a preference or
an owner. What stands behind it in its partition waits too, so that nothing is passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.distribution.changes.cursor import OWNERSHIP, PREFIXES
from services.distribution.changes.entries import Entry
from services.distribution.host import Host
from services.distribution.rest.render import render_item
from shared.events import TitleState
from shared.kafka.follow import Place
from shared.mongo.client import Document
from shared.policy import Reader
from shared.runtime.clock import rfc3339

OUTLET: Final = "feeds"
GIVEN_UP: Final = 60.0  # seconds; what the store has not by then was parked, and comes by replay


@dataclass(frozen=True, slots=True)
class Seen:
    """Entries that can be shown, the documents they need, and how far one may go behind them.

    ``waiting``: there are others, which not all know of here yet.
    """

    entries: tuple[Entry, ...]
    held: Mapping[str, Document]
    positions: Mapping[Place, int]
    waiting: bool = False


async def known(
    host: Host, entries: Sequence[Entry], before: Mapping[Place, int], after: Mapping[Place, int]
) -> Seen:
    """Return those entries that all know of here; a position stops before the first that waits.

    Of several entries of one work, or prefix, or title, the last one stands for all.
    """
    dois = list(dict.fromkeys(one.key for one in entries if one.kind in {"work", "owner"}))
    held = await host.works.many(dois) if dois else {}
    now = host.clock.now().timestamp()
    waiting: dict[Place, int] = {}
    ready: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.place in waiting:
            continue
        if not _arrived(host, entry, held) and now - entry.at / 1000 < GIVEN_UP:
            waiting[entry.place] = entry.offset
            continue
        name = (_TOLD_AS[entry.kind], entry.key)
        ready.pop(name, None)
        ready[name] = entry
    stop = {place: max(at, before.get(place, 0)) for place, at in waiting.items()}
    return Seen(tuple(ready.values()), held, {**after, **stop}, bool(waiting))


_TOLD_AS: Final = {"work": "work", "owner": "work", "prefix": "prefix", "title": "title"}


def _arrived(host: Host, entry: Entry, held: Mapping[str, Document]) -> bool:
    if entry.kind == "work":
        return entry.key in held and held[entry.key]["v"] >= entry.version
    topic = PREFIXES if entry.kind == "prefix" else OWNERSHIP
    state = host.gate.knowledge.get(topic, entry.key)
    if host.gate.knowledge.denied(topic, entry.key):
        return True
    return state is not None and (state.aggregate_version or 0) >= entry.version


def shown(host: Host, entry: Entry, seen: Seen, reader: Reader) -> dict[str, Any] | None:
    """Return an entry as this reader may see it at this moment; None: there is nothing to show."""
    at = rfc3339(datetime.fromtimestamp(entry.at / 1000, UTC))
    match entry.kind:
        case "prefix":
            return {"type": "preference-changed", "at": at, **_prefix(host, entry.key)}
        case "title":
            return {"type": "ownership-changed", "at": at, **_title(host, entry.key)}
        case _:
            document = seen.held.get(entry.key)
            if document is None:
                return None
            return {
                "type": "work-changed",
                "at": at,
                "DOI": entry.key,
                "work": _work(host, document, reader),
            }


def _prefix(host: Host, prefix: str) -> dict[str, Any]:
    state = host.gate.prefix(prefix)
    return {
        "prefix": prefix,
        "member": None if state is None else str(state.owner),
        "reference-visibility": host.gate.setting(prefix),
    }


def _title(host: Host, title: str) -> dict[str, Any]:
    state = host.gate.knowledge.get(OWNERSHIP, title)
    issns: list[str] = list(state.issns) if isinstance(state, TitleState) else []
    return {"title": title, "prefix": host.gate.title_owner(title), "ISSN": issns}


def _work(host: Host, document: Document, reader: Reader) -> dict[str, Any]:
    one = host.seen(document, reader, outlet=OUTLET)
    return render_item(
        one.record,
        one.ownership,
        cited_by=one.cited_by,
        visibility=one.visibility,
        policy=host.gate.policy,
    )
