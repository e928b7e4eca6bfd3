"""Refusals and passing faults, as every service says them."""

from dataclasses import dataclass

import pytest

from services.accounts.api.problems import FAULTS as OF_ACCOUNTS
from services.consent.api.problems import FAULTS as OF_CONSENT
from services.retention.api import FAULTS as OF_RETENTION
from shared.events.decisions import Refused
from shared.privacy.keyring import FencedError
from shared.privacy.lifecycle import Denied
from shared.runtime.faults import Busy, Transient
from shared.web import Problem
from shared.web.refusals import RESTRICTED, Faults, Refusals

KINDS = {"unknown": (404, "There is none"), "away": (503, "Not now")}


@dataclass(frozen=True)
class No:
    slug: str
    detail: str = ""
    rule: str = ""
    places: tuple[str, ...] = ()


def test_a_refusal_names_the_places_by_its_rule_or_else_by_its_slug() -> None:
    said = Refusals(KINDS).problem(No("unknown", "Look again.", places=("/a", "/b")))
    assert (said.status, said.slug, said.detail) == (404, "unknown", "Look again.")
    assert [(one.at, one.rule) for one in said.errors] == [
        ("/a", "unknown"),
        ("/b", "unknown"),
    ]
    ruled = Refusals(KINDS).problem(No("unknown", rule="CRR-3", places=("/a",)))
    assert ruled.errors[0].rule == "CRR-3"


def test_what_is_not_possible_now_says_when_to_ask_again_and_a_no_does_not() -> None:
    assert "Retry-After" in Refusals(KINDS).problem(No("away")).headers
    assert "Retry-After" not in Refusals(KINDS).problem(No("unknown")).headers


def test_what_was_agreed_to_is_returned_and_a_refusal_raised() -> None:
    assert Refusals(KINDS).agreed("yes") == "yes"
    with pytest.raises(Problem):
        Refusals(KINDS).agreed(Refused(No("unknown")))


@pytest.mark.parametrize("faults", [OF_ACCOUNTS, OF_CONSENT, OF_RETENTION])
def test_no_service_fails_where_something_is_away_or_was_erased(faults: Faults) -> None:
    for fault in (Transient("away"), Busy("too many")):
        said = faults[type(fault)](fault)
        assert (said.status, "Retry-After" in said.headers) == (503, True)
    erased = FencedError("p.account", Denied("fenced"))
    assert faults[FencedError](erased).status in (410, 503)


@pytest.mark.clause("DOAJ-6a4")
@pytest.mark.parametrize("faults", [OF_ACCOUNTS, OF_CONSENT, OF_RETENTION])
def test_what_a_hold_keeps_is_said_to_be_held_alike_in_every_service(faults: Faults) -> None:
    held = faults[FencedError](FencedError("p.account", Denied("restricted")))
    assert (held.status, held.document()) == (409, RESTRICTED.problem().document())
    assert held.detail
    assert held.extensions["rule"] == "DOAJ-6a4"


def test_a_refusal_that_all_services_know_is_said_in_their_words() -> None:
    assert Refusals({}).problem(No(RESTRICTED.slug)).document() == RESTRICTED.problem().document()
