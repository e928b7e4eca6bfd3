"""The registry's three questions as pure functions over policy files; so far the first.

Who may see these references? No interface has a rule of its own, and no period, setting or
audience stands in Python: they are rows of deploy/policies/references.toml (CRR-2).
"""

from shared.policy.files import PolicyError
from shared.policy.references import (
    ANYBODY,
    VISIBLE,
    Reader,
    Reason,
    Visible,
    Withheld,
    references_visible,
    stale,
    withhold,
)
from shared.policy.rules import ReferencesPolicy, load, parse
from shared.policy.settings import (
    Change,
    EffectiveSetting,
    effective_setting,
    history,
    setting_at,
)
from shared.policy.table import as_markdown

__all__ = [
    "ANYBODY",
    "VISIBLE",
    "Change",
    "EffectiveSetting",
    "PolicyError",
    "Reader",
    "Reason",
    "ReferencesPolicy",
    "Visible",
    "Withheld",
    "as_markdown",
    "effective_setting",
    "history",
    "load",
    "parse",
    "references_visible",
    "setting_at",
    "stale",
    "withhold",
]
