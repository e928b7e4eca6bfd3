"""Which reference setting is in force: chosen, inherited from the account, or the policy's own.

Past moments are judged from the dated facts in an aggregate's state, never from the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from shared.events import PreferenceFact, Setting
from shared.policy.rules import ReferencesPolicy


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """The setting in force, where it comes from, and the id of the rule that says so."""

    setting: Setting
    source: Literal["own", "account", "policy-default"]
    rule: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a prefix's history: what was in force, what is since ``at``, who chose it."""

    at: datetime
    before: EffectiveSetting
    after: EffectiveSetting
    actor: str
    policy_version: str


def effective_setting(
    policy: ReferencesPolicy,
    own: Setting | None,
    account_default: Setting | None,
    at: datetime,
) -> EffectiveSetting:
    """Resolve a prefix's setting at a moment (CRR-3, CRR-4, CRR-8).

    ``own`` is the owner's choice for the prefix and ``account_default`` the account's, null where
    there is none; ``at`` is aware. Rules begin at 00:00 UTC of their date.
    """
    day = at.astimezone(UTC).date()
    chosen = {"own": own, "account": account_default}
    for row in policy.file.choice:
        setting = chosen[row.choice]
        if setting is not None and row.since <= day:
            return EffectiveSetting(setting, row.choice, row.id)
    default = max(
        (row for row in policy.file.default if row.since <= day), key=lambda row: row.since
    )
    return EffectiveSetting(default.setting, "policy-default", default.id)


def setting_at(
    policy: ReferencesPolicy, facts: Sequence[PreferenceFact], at: datetime
) -> EffectiveSetting:
    """Resolve a prefix's setting as of ``at`` from its dated facts, in the order recorded.

    Of facts that a jumping clock dated out of order, the one recorded last counts.
    """
    known = next((fact for fact in reversed(facts) if fact.at <= at), None)
    if known is None:
        return effective_setting(policy, None, None, at)
    return effective_setting(policy, known.setting, known.account_default, at)


def history(policy: ReferencesPolicy, facts: Sequence[PreferenceFact]) -> tuple[Change, ...]:
    """Return old and new setting, actor and policy version of each recorded choice (CRR-9)."""
    changes = []
    for position, fact in enumerate(facts):
        earlier = facts[position - 1] if position else None
        before = effective_setting(
            policy,
            earlier.setting if earlier else None,
            earlier.account_default if earlier else None,
            fact.at,
        )
        after = effective_setting(policy, fact.setting, fact.account_default, fact.at)
        changes.append(Change(fact.at, before, after, fact.actor, fact.policy_version))
    return tuple(changes)
