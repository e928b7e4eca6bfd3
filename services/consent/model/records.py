"""The consent record as JSON-LD: ISO/IEC TS 27560 in the terms of the Data Privacy Vocabulary.

It names the person by the pseudonym they have here, and nothing else of them.
"""

from collections.abc import Sequence
from typing import Any, Final

from shared.events.base import Instant
from shared.events.consent import ConsentFact, ConsentState, Happened, NoticeVersion
from shared.policy.consent import Standing, purpose_of
from shared.policy.personal import PurposeRow
from shared.policy.registers import ProcessorRow

CONFORMS: Final = "https://w3id.org/dpv/guides/consent-27560"
SCHEMA_VERSION: Final = "1"
CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "schema": "https://schema.org/",
    "sha256": "urn:colophon:terms:sha256",
}
_STATUS: Final[dict[Happened, str]] = {
    "requested": "dpv:ConsentRequested",
    "given": "dpv:ConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
    "reconfirmed": "dpv:RenewedConsentGiven",
}


def record(
    state: ConsentState,
    *,
    notice: NoticeVersion | None,
    purpose: PurposeRow,
    recipients: Sequence[ProcessorRow],
    worth: Standing,
    withdraw_at: str,
) -> dict[str, Any]:
    """Return the record of a consent; ``notice`` is the version it rests on, or the one in force.

    ``worth`` is what it is worth at this moment, ``withdraw_at`` where it is withdrawn.
    """
    said: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "dpv:ConsentRecord",
        "@id": f"urn:colophon:consent:{state.person}:{state.purpose}",
        "dct:identifier": f"{state.person}:{state.purpose}:{state.version}",
        "dct:conformsTo": CONFORMS,
        "schema:schemaVersion": SCHEMA_VERSION,
        "dpv:hasDataSubject": {"@id": f"urn:colophon:person:{state.person}"},
        "dpv:hasStatus": worth,
        "dpv:hasProcess": [_process(state, purpose, recipients)],
        "dpv:hasConsentControl": [
            {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": withdraw_at}
        ],
        "dpv:hasConsentStatus": [_status(fact) for fact in state.facts],
    }
    return said | (_notice(notice, state) if notice is not None else {})


def _process(
    state: ConsentState, purpose: PurposeRow, recipients: Sequence[ProcessorRow]
) -> dict[str, Any]:
    until = "until it is withdrawn"
    if state.valid_until is not None:
        until = f"until it is withdrawn, at most until {_time(state.valid_until)}"
    return {
        "@type": "dpv:Process",
        "dpv:hasLegalBasis": {"@id": "dpv:Consent"},
        "dpv:hasPersonalData": [{"@id": "dpv:EmailAddress"}],
        "dpv:hasPurpose": {
            "@id": f"urn:colophon:purpose:{state.purpose}",
            "schema:description": purpose.says,
        },
        "dpv:hasRecipient": [
            {"schema:name": row.name, "dpv:hasLocation": row.transfer}
            for row in recipients
            if row.active and purpose_of(state.purpose) in row.purposes
        ],
        "dpv:hasStorageCondition": {
            "dpv:StorageDuration": until,
            "dpv:StorageLocation": "the controller's own machines, encrypted",
        },
    }


def _notice(notice: NoticeVersion, state: ConsentState) -> dict[str, Any]:
    return {
        "dpv:hasDataController": {
            "schema:address": notice.controller.address,
            "schema:email": notice.officer.email,
            "schema:name": notice.controller.name,
        },
        "dpv:hasJurisdiction": notice.controller.jurisdiction,
        "dpv:hasNotice": {
            "@id": f"urn:colophon:notice:{state.notice.notice if state.notice else ''}",
            "dct:hasVersion": notice.label,
            "dct:language": notice.language,
            "sha256": notice.sha,
        },
    }


def _status(fact: ConsentFact) -> dict[str, Any]:
    return {
        "@type": _STATUS[fact.what],
        "dpv:hasIndicationMethod": fact.channel,
        "dpv:isIndicatedAtTime": _time(fact.said_at or fact.at),
        "dpv:isIndicatedBy": fact.by,
        **({"dpv:hasNotice": fact.notice.label} if fact.notice else {}),
    }


def _time(at: Instant) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
