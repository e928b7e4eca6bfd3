"""Receipts: a record in the terms of ISO/IEC TS 27560, signed, and verifiable by itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.consent.model import consents, records
from shared.policy.uses import load_uses
from shared.privacy.receipts import Signer, canonical, verified
from shared.privacy.suppression import suppression
from shared.runtime.clock import rfc3339
from tests.unit.consent.given import (
    NEWS,
    PERSON,
    POLICIES,
    SUBJECT,
    a_notice,
    a_text,
    accepted,
    at,
    by_link,
    given,
)

POLICY = load_uses(POLICIES)
NOTICE = a_notice(a_text("1"))


def a_record() -> dict[str, Any]:
    state = accepted(consents.decline(given(NOTICE), NEWS, by_link(2)))
    return records.record(
        state,
        notice=NOTICE.versions[0],
        purpose=POLICY.personal.purpose("list"),
        recipients=list(POLICY.processors.values()),
        worth="withdrawn",
        withdraw_at="https://example.org/preferences",
    )


def test_the_record_has_what_iso_27560_asks_for() -> None:
    said = a_record()
    assert said["@type"] == "dpv:ConsentRecord"
    assert said["dct:conformsTo"].endswith("consent-27560")
    assert said["dpv:hasDataSubject"] == {"@id": f"urn:colophon:person:{PERSON}"}
    assert said["dpv:hasNotice"]["sha256"] == NOTICE.versions[0].sha
    (process,) = said["dpv:hasProcess"]
    assert process["dpv:hasLegalBasis"] == {"@id": "dpv:Consent"}
    assert [one["schema:name"] for one in process["dpv:hasRecipient"]] == ["Act-On"]
    assert said["dpv:hasConsentControl"][0]["@type"] == "dpv:WithdrawConsent"
    assert [one["@type"] for one in said["dpv:hasConsentStatus"]] == [
        "dpv:ConsentRequested",
        "dpv:ConsentGiven",
        "dpv:ConsentWithdrawn",
    ]
    assert all(one["dpv:isIndicatedAtTime"] for one in said["dpv:hasConsentStatus"])


def test_the_record_names_nobody() -> None:
    text = json.dumps(a_record())
    assert SUBJECT not in text
    assert text.count("@example.org") == 1  # the officer's own


def test_a_receipt_is_verified_with_one_public_key_and_any_change_is_found(tmp_path: Path) -> None:
    signer = Signer(tmp_path / "receipts.key")
    receipt = signer.signed(a_record(), created=rfc3339(at(0)))
    sent = json.loads(json.dumps(receipt))  # offline: text and key are all there is
    assert verified(sent, signer.public)
    assert Signer(tmp_path / "receipts.key").public == signer.public
    assert not verified(sent, Signer(tmp_path / "other.key").public)
    for place, value in (("dpv:hasStatus", "given"), ("dct:identifier", "x")):
        assert not verified(sent | {place: value}, signer.public)
    backdated = {**sent["proof"], "created": rfc3339(at(-9))}
    assert not verified(sent | {"proof": backdated}, signer.public)
    assert not verified({**sent, "proof": None}, signer.public)
    assert not verified(sent, "no key")


def test_canonical_json_is_sorted_and_holds_what_json_writes_in_one_way() -> None:
    assert (
        canonical({"b": [1, True, None], "a": "ä\n"}) == '{"a":"ä\\n","b":[1,true,null]}'.encode()
    )
    for value in (1.5, 2**53, {"ä": 1}, b"x", [{1: 2}]):
        with pytest.raises(ValueError, match="receipt"):
            canonical(value)


@pytest.mark.clause("CRP-3e")
def test_a_suppression_depends_on_its_scope_and_leads_to_nobody() -> None:
    entry = suppression(b"k" * 32, "list:blog", SUBJECT)
    assert entry != suppression(b"k" * 32, "list:newsletter", SUBJECT)
    assert entry != suppression(b"j" * 32, "list:blog", SUBJECT)
    assert SUBJECT not in entry
