"""A statement of an erasure, as tests have it certified."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.privacy.certificates.statement import commitment

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
KNOWN = frozenset(
    {
        *("accounts", "deposits", "accounts.personal.v1", "billing", "act-on"),
        *("retention.billing", "retention", "2026-11"),
    }
)


def at(minutes: int) -> str:
    return (AT + timedelta(minutes=minutes)).isoformat()


def hashed(number: int) -> str:
    return f"{number:064x}"


def a_statement() -> dict[str, Any]:
    """Return a statement as it comes: an erasure with one exemption and one processor."""
    return {
        "certificate": "0197a000-0000-7000-8000-000000000001",
        "request": "0197a000-0000-7000-8000-000000000002",
        "cause": "request",
        "subject": commitment(b"s" * 16, ["p" + "0" * 32, "p" + "1" * 32]),
        "levels": {
            "fenced": at(0),
            "unreadable": at(1),
            "irrecoverable": at(600),
            "gone": at(15),
        },
        "manifest": {"plan": hashed(1), "services": ["accounts", "deposits"]},
        "evidence": [
            {
                "service": "accounts",
                "result": "erased",
                "matched": 3,
                "erased": 2,
                "kept": 1,
                "remaining": 0,
                "tombstones": 2,
                "looked_at": at(3),
                "digest": hashed(2),
            },
            {
                "service": "deposits",
                "result": "nothing-found",
                "matched": 0,
                "erased": 0,
                "kept": 0,
                "remaining": 0,
                "tombstones": 0,
                "looked_at": at(4),
                "digest": hashed(3),
            },
        ],
        "compaction": [
            {
                "topic": "accounts.personal.v1",
                "partition": 4,
                "broker": 1,
                "tombstone": 118_233,
                "cleaned": 118_240,
                "how": "cleaner-checkpoint",
                "at": at(15),
                "replicas": 1,
            }
        ],
        "scan": {
            "report": hashed(4),
            "records": 12_000,
            "octets": 9_000_000,
            "residual": 0,
            "planted": 40,
            "found": 40,
            "at": at(20),
        },
        "exemptions": [
            {
                "cls": "billing",
                "reason": "legal-obligation",
                "rule": "retention.billing",
                "review_at": at(10**6),
            }
        ],
        "processors": [
            {"processor": "act-on", "listed_at": at(0), "told_at": at(9), "state": "told"}
        ],
        "policies": [{"policy": "retention", "version": "2026-11", "digest": hashed(5)}],
        "guarantees": {
            "key_provider": "file",
            "epochs_end": "unlinked",
            "replicas": 1,
            "backup_bound": "PT24H",
        },
    }
