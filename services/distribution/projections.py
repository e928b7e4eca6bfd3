"""From events to the read models in the store: one function a kind of event, pure.

The time a work was indexed is the time of its event, so that a rebuilt model equals the live one
(law L6). Which works a work cites is kept beside it whatever the setting: counts follow from it
and do not depend on who may see the list (law L4).
"""

from collections.abc import Mapping
from typing import Any, Final

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


def cited(work: Mapping[str, Any]) -> list[str]:
    """Return the DOIs a work cites, lower-cased, each once, in order."""
    found = (reference.get("DOI") for reference in work.get("reference", ()))
    return list(dict.fromkeys(doi.lower() for doi in found if doi))


def show_work(event: WorkState, received: Received) -> list[Put]:
    """Show a work as its newest deposit says it (CRR-1), and have its citations counted."""
    cites = cited(event.work)
    fields = {
        "prefix": event.prefix,
        "title": event.title,  # whose owner owns the work, unless it has one of its own
        "created": event.created,
        "deposited": event.deposited,
        "indexed": received.meta.time,
        "work": event.work,
        "cites": cites,
    }
    # Its own count is due as well: works may have cited it before it was registered.
    return [Put(WORKS, event.doi, event.version, fields, recount=[event.doi, *cites])]


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
