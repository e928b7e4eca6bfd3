"""Roles and limits as data: the matrix of the files, and what a broken file is told."""

from pathlib import Path

import pytest

from shared.policy.files import PolicyError
from shared.policy.roles import (
    RELATIONS,
    Forbidden,
    Permitted,
    action_permitted,
    load_roles,
)
from shared.policy.signing_in import LIMITS, load_signing_in

POLICIES = Path(__file__).resolve().parents[3] / "deploy" / "policies"
ROLES = load_roles(POLICIES / "roles.toml")
SIGNING_IN = load_signing_in(POLICIES / "signing-in.toml")
STAFF_ONLY = ("account-read", "account-update", "password-reset", "key-revoke")
NOTICE = {"update", "reset-password", "reset-api-key", "delete"}


@pytest.mark.clause("DOAJ-4c2")
def test_the_reasons_are_the_four_of_the_notice() -> None:
    assert {row.id for row in ROLES.file.reasons} == NOTICE


@pytest.mark.clause("DOAJ-4c2")
@pytest.mark.parametrize("action", STAFF_ONLY)
def test_nobody_does_anything_with_anothers_account_without_a_reason(action: str) -> None:
    every = {row.id for row in ROLES.file.roles}
    assert isinstance(action_permitted(ROLES, action, every, "any"), Forbidden)
    for reason in NOTICE | {"curiosity"}:
        judged = action_permitted(ROLES, action, every, "any", reason=reason)
        allowed = reason in ROLES.action(action).reasons
        assert isinstance(judged, Permitted) == allowed


@pytest.mark.clause("DOAJ-4c2")
def test_the_partner_names_a_ticket_and_the_team_does_not() -> None:
    def judged(role: str, ticket: str | None) -> Permitted | Forbidden:
        return action_permitted(
            ROLES, "account-read", [role], "any", reason="update", ticket=ticket
        )

    assert judged("partner", None) == Forbidden("no-ticket", "DOAJ-4c2")
    assert judged("partner", "#1") == Permitted()
    assert judged("team", None) == Permitted()


@pytest.mark.clause("DOAJ-4f1")
@pytest.mark.parametrize("role", sorted(ROLES.roles))
def test_whatever_the_role_ones_own_account_is_read_and_mended_without_a_reason(role: str) -> None:
    for action in ("account-read", "account-update", "key-issue", "key-revoke", "accesses-read"):
        assert action_permitted(ROLES, action, [role], "own") == Permitted()


def test_a_role_has_what_it_is_named_for_and_no_role_has_everything() -> None:
    for row in ROLES.file.actions:
        for role in ROLES.roles:
            for relation in RELATIONS:
                reason = row.reasons[0] if row.reasons else None
                judged = action_permitted(
                    ROLES, row.id, [role], relation, reason=reason, ticket="#1"
                )
                named = {*getattr(row, relation), *row.any}
                assert isinstance(judged, Permitted) == bool(named & {role, "account-holder"})
    for role in ROLES.roles:
        assert any(
            role not in {*row.own, *row.assigned, *row.group, *row.any}
            for row in ROLES.file.actions
        )


def test_an_action_that_has_no_row_is_a_fault_and_not_a_yes() -> None:
    with pytest.raises(PolicyError, match="no \\[\\[action\\]\\] row"):
        action_permitted(ROLES, "anything", ["team"], "any")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('any = ["executive", "operator"]', 'any = ["king"]', "names king"),
        ('id = "update"', 'id = "delete"', "stands twice"),
        ('reasons = ["update"]', 'reasons = ["curiosity"]', "names curiosity"),
        ('clause = "DOAJ-0b"', 'clause = "ours"', "clause"),
    ],
)
def test_a_broken_file_is_told_where_it_is_wrong(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    text = (POLICIES / "roles.toml").read_text()
    assert before in text
    file = tmp_path / "roles.toml"
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(PolicyError, match=says):
        load_roles(file)


def test_every_limit_and_life_is_a_row(tmp_path: Path) -> None:
    for name in LIMITS:
        assert SIGNING_IN.limit(name).most > 0  # type: ignore[arg-type]
    text = (POLICIES / "signing-in.toml").read_text()
    file = tmp_path / "signing-in.toml"
    file.write_text(text.replace('id = "asks-of-a-client"', 'id = "asks-of-a-dog"'))
    with pytest.raises(PolicyError, match="asks-of-a-client"):
        load_signing_in(file)
    file.write_text(text.replace('lives = "PT12H"', 'lives = "PT1M"'))
    with pytest.raises(PolicyError, match="outlive"):
        load_signing_in(file)
