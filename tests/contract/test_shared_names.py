"""What the shared packages offer by name: adding is free, taking away is a decision."""

import importlib
import inspect

import pytest

OFFERED = {
    "shared.events": "REGISTRY Event Meta Outgoing Received Setting Unknown Unreadable Watermark"
    " from_record to_record PrefixState WorkState OwnershipState CredentialState OrganisationState"
    " SubmissionState PrefixAssigned ReferencePreferenceSet AccountDefaultSet WorkRegistered"
    " WorkUpdated WorkOwnerAssigned CredentialIssued CredentialChanged OrganisationRegistered"
    " OrganisationChanged SubmissionReceived SubmissionCompleted PreferenceApplied ReplicaAlive",
    "shared.mongo": "Accepted Aggregates Collection Database Erase IndexModel Lease Outbox Pending"
    " Put Refused Saved Unchanged Write apply_writes connect faults projecting",
    "shared.mongo.deliveries": "Deliveries Delivery New Settled",
    "shared.mongo.delivering": "Delivering Failed Outcome Patience Sender Sent",
    "shared.policy": "ANYBODY Reader ReferencesPolicy Visible Withheld effective_setting load"
    " references_visible setting_at stale withhold",
    "shared.kafka.circuit": "Circuit CircuitOpen",
    "shared.kafka.consume": "Consumer Handler",
    "shared.kafka.dead": "Letter dead_topic drop groups open_letters replay replay_topic",
    "shared.kafka.follow": "Batch FOLLOW_FAULTS follow",
    "shared.kafka.knowledge": "Knowledge",
    "shared.kafka.produce": "FencedSender Sender",
    "shared.kafka.relay": "Relay Source",
    "shared.kafka.topics": "NotTheWriter Topic create declared owned",
    "shared.runtime.clock": "SYSTEM Clock ManualClock parse_rfc3339 rfc3339",
    "shared.runtime.faults": "Busy Fault Superseded Transient",
    "shared.runtime.health": "Health Part",
    "shared.runtime.ids": "jitter new_id new_number new_token random_bytes",
    "shared.runtime.service": "Role run run_roles wait_any",
}


@pytest.mark.parametrize("module", OFFERED)
def test_a_shared_module_offers_its_names_and_says_what_they_are(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__doc__
    for name in OFFERED[module].split():
        offered = getattr(found, name)
        if inspect.isclass(offered) or inspect.isfunction(offered):
            assert offered.__doc__, name


@pytest.mark.parametrize("module", ["shared.events", "shared.mongo", "shared.policy"])
def test_a_package_lists_exactly_what_it_offers(module: str) -> None:
    found = importlib.import_module(module)
    assert len(found.__all__) == len(set(found.__all__))
    assert set(OFFERED[module].split()) <= set(found.__all__)
    assert all(hasattr(found, name) for name in found.__all__)
