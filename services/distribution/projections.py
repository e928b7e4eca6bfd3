"""From events to the read models in the store: one function a kind of event, pure.

The time a work was indexed is the time of its event, so that a rebuilt model equals the live one
(law L6). Which works a work cites is kept beside it whatever the setting: counts follow from it
and do not depend on who may see the list (law L4). So are those it says something else of, which is
told at the other end (claims.py).
"""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.claims import named
from shared.events import (
    AccountDefaultSet,
    Event,
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationState,
    PrefixAssigned,
    PrefixState,
    PrefixTransferred,
    Received,
    ReferencePreferenceSet,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)
from shared.mongo import Put
from shared.mongo.projecting import Projection

WORKS: Final = "works"
MEMBERS: Final = "members"
PREFIXES: Final = "prefixes"

COUNTED: Final[Mapping[str, Any]] = {"cited_by": 0, "told": []}
"""What is counted of a work from what others say, and what it is of one that nobody counted yet."""


def counted_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was counted of a work."""
    return {name: document.get(name) or none for name, none in COUNTED.items()}


def counting(doi: str, document: Mapping[str, Any]) -> list[str]:
    """Return the DOIs of whose counts a work decides: its own, and of those it speaks of.

    Its own is due as well: others may have spoken of it before it was registered. A document from
    before a field was introduced does without.
    """
    spoken_of = (one for name in ("cites", "names") for one in document.get(name) or ())
    return list(dict.fromkeys((doi, *spoken_of)))


def cited(work: Mapping[str, Any]) -> list[str]:
    """Return the DOIs a work cites, lower-cased, each once, in order."""
    found = (reference.get("DOI") for reference in work.get("reference", ()))
    return list(dict.fromkeys(doi.lower() for doi in found if doi))


def show_work(event: WorkState, received: Received) -> list[Put]:
    """Show a work as its newest deposit says it (CRR-1), and have counted what that changes."""
    fields = {
        "prefix": event.prefix,
        "title": event.title,  # whose owner owns the work, unless it has one of its own
        "created": event.created,
        "deposited": event.deposited,
        "indexed": received.meta.time,
        "work": event.work,
        "cites": cited(event.work),
        "names": named(event.doi, event.work),
    }
    due = counting(event.doi, fields)
    return [Put(WORKS, event.doi, event.version, fields, recount=due)]


def show_member(event: OrganisationState, _received: Received) -> list[Put]:
    """Show an organisation."""
    return [
        Put(
            MEMBERS,
            event.organisation,
            event.version,
            {"name": event.name, "names": list(event.names), "location": event.location},
        )
    ]


def show_prefix(event: PrefixState, received: Received) -> list[Put]:
    """Show a prefix, its owner and the owner's choice; the gate does not read this."""
    return [
        Put(
            PREFIXES,
            event.prefix,
            event.version,
            {
                "owner": event.owner,
                "owner_name": event.owner_name,
                "setting": event.setting,
                "account_default": event.account_default,
                "changed": received.meta.time,
            },
        )
    ]


TABLE: Final[Mapping[type[Event], Projection]] = {
    WorkRegistered: show_work,
    WorkUpdated: show_work,
    OrganisationRegistered: show_member,
    OrganisationChanged: show_member,
    PrefixAssigned: show_prefix,
    PrefixTransferred: show_prefix,
    ReferencePreferenceSet: show_prefix,
    AccountDefaultSet: show_prefix,
}
SOURCES: Final = ("deposits.works.v1", "accounts.organisations.v1", "accounts.prefixes.v1")
