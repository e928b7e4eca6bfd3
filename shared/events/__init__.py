"""Events: frozen facts about an aggregate, each with the whole state after it.

From one class come the topic it travels on, its CloudEvents type, its JSON Schema, its part of the
AsyncAPI document and its hypothesis strategy. A compacted topic is enough to rebuild a read model,
because the newest event of a key holds everything (ADR 5).
"""

from shared.events.accounts import (
    AccountDefaultSet,
    CredentialChanged,
    CredentialIssued,
    CredentialState,
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationState,
    PreferenceFact,
    PrefixAssigned,
    PrefixState,
    ReferencePreferenceSet,
    Scope,
)
from shared.events.base import REGISTRY, Event, Setting
from shared.events.deposits import (
    OwnershipState,
    SubmissionCompleted,
    SubmissionReceived,
    SubmissionState,
    WorkOwnerAssigned,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)
from shared.events.distribution import PreferenceApplied, ReplicaAlive
from shared.events.records import (
    WATERMARK_KEY,
    Meta,
    Outgoing,
    Received,
    Unknown,
    Unreadable,
    Watermark,
    from_record,
    to_record,
)

__all__ = [
    "REGISTRY",
    "WATERMARK_KEY",
    "AccountDefaultSet",
    "CredentialChanged",
    "CredentialIssued",
    "CredentialState",
    "Event",
    "Meta",
    "OrganisationChanged",
    "OrganisationRegistered",
    "OrganisationState",
    "Outgoing",
    "OwnershipState",
    "PreferenceApplied",
    "PreferenceFact",
    "PrefixAssigned",
    "PrefixState",
    "Received",
    "ReferencePreferenceSet",
    "ReplicaAlive",
    "Scope",
    "Setting",
    "SubmissionCompleted",
    "SubmissionReceived",
    "SubmissionState",
    "Unknown",
    "Unreadable",
    "Watermark",
    "WorkOwnerAssigned",
    "WorkRegistered",
    "WorkState",
    "WorkUpdated",
    "from_record",
    "to_record",
]
