"""Logins and tokens: issued once, changed, revoked; a token's times are its agreement's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.accounts.commands.credentials import Agreed
from services.accounts.model.agreements import MOST_TOKENS, add_token, end_at, settled, sign
from services.accounts.model.credentials import (
    Changes,
    Login,
    carry_agreement,
    change_login,
    issue_login,
    revoke_token,
)
from shared.events import CredentialChanged, CredentialIssued
from shared.events.decisions import Accepted, Unchanged
from tests.unit.accounts.given import AT, accepted, refused

KEY, TOKEN = "login:" + "a" * 64, "token:" + "b" * 64
ASKED = Login(KEY, 78, ("deposit",), "$argon2id$one")
AGREEMENT = accepted(sign("a1", 78, start=AT, end=AT + timedelta(days=365), token=TOKEN))


def test_a_login_is_issued_once_and_belongs_to_one_organisation() -> None:
    decided = issue_login(None, ASKED)
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], CredentialIssued)
    known = decided.state
    assert isinstance(issue_login(known, replace(ASKED, matches=known.password_hash)), Unchanged)
    assert refused(issue_login(known, ASKED)) == "credential-differs"
    assert refused(issue_login(known, replace(ASKED, organisation=79))) == "login-taken"


def test_a_login_changes_and_is_revoked_by_its_own_organisation() -> None:
    known = accepted(issue_login(None, ASKED))
    changes = Changes(password_hash="$argon2id$two", scopes=("deposit", "admin"))
    decided = change_login(known, 78, changes)
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], CredentialChanged)
    assert (decided.state.scopes, decided.state.version) == (("deposit", "admin"), 2)
    assert accepted(change_login(known, 78, Changes(revoked=True))).revoked
    assert isinstance(change_login(known, 78, Changes(revoked=False)), Unchanged)
    for state, organisation in ((known, 79), (None, 78)):
        assert refused(change_login(state, organisation, changes)) == "credential-unknown"


@pytest.mark.clause("CRR-6")
def test_a_token_runs_as_long_as_its_agreement_by_the_newest_word() -> None:
    issued = accepted(carry_agreement(None, TOKEN, AGREEMENT))
    assert (issued.valid_from, issued.valid_until) == (AGREEMENT.start, AGREEMENT.end)
    ended = accepted(end_at(AGREEMENT, 78, AT + timedelta(days=1)))
    shorter = accepted(carry_agreement(issued, TOKEN, ended))
    assert shorter.valid_until == AT + timedelta(days=1)
    assert isinstance(carry_agreement(shorter, TOKEN, AGREEMENT), Unchanged)
    revoked = accepted(revoke_token(shorter, 78, "a1"))
    longer = accepted(end_at(ended, 78, AT + timedelta(days=900)))
    assert accepted(carry_agreement(revoked, TOKEN, longer)).revoked


def test_an_agreement_is_settled_only_at_the_version_its_tokens_know() -> None:
    more = accepted(add_token(AGREEMENT, 78, "token:" + "c" * 64))
    assert isinstance(settled(more, seen=AGREEMENT.version), Unchanged)
    assert not accepted(settled(more, seen=more.version)).unsettled


def test_an_agreement_is_its_organisations_and_ends_after_it_starts() -> None:
    early = sign("a2", 78, start=AT, end=AT, token=TOKEN)
    assert refused(early) == "agreement-ends-before-it-starts"
    assert refused(end_at(AGREEMENT, 79, AT)) == "agreement-unknown"
    assert refused(add_token(None, 78, TOKEN)) == "agreement-unknown"
    assert isinstance(end_at(AGREEMENT, 78, AGREEMENT.end), Unchanged)
    full = AGREEMENT.model_copy(update={"tokens": (TOKEN,) * MOST_TOKENS})
    assert refused(add_token(full, 78, TOKEN)) == "too-many-tokens"


@pytest.mark.parametrize(("organisation", "agreement"), [(79, "a1"), (78, "a2")])
def test_a_token_is_revoked_through_its_own_agreement(organisation: int, agreement: str) -> None:
    issued = accepted(carry_agreement(None, TOKEN, AGREEMENT))
    assert refused(revoke_token(issued, organisation, agreement)) == "token-unknown"
    # A token is no login: it is not changed as one.
    assert refused(change_login(issued, 78, Changes(revoked=True))) == "credential-unknown"


@pytest.mark.parametrize(
    "shown",
    [
        ASKED,
        Changes(password_hash="$argon2id$one"),
        Agreed(AGREEMENT, pending=False, token="secret"),
    ],
)
def test_nothing_that_proves_a_caller_shows_itself(shown: Any) -> None:
    assert "argon2" not in repr(shown)
    assert "secret" not in repr(shown)
