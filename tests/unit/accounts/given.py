"""States to begin with."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from services.accounts.errors import Refusal, Slug
from services.accounts.model import organisations, prefixes
from services.accounts.model.organisations import Assignment, Described, KeptOrganisation
from services.accounts.model.prefixes import KeptPrefix, Said
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.policy import load

POLICY = load(Path(__file__).resolve().parents[3] / "deploy" / "policies" / "references.toml")
AT = datetime(2026, 1, 1, tzinfo=UTC)
S = TypeVar("S")


def accepted(decided: Accepted[S] | Unchanged[S] | Refused[Refusal]) -> S:
    """Return the state of a yes that changes something and says so."""
    assert isinstance(decided, Accepted), decided
    return decided.state


def refused(decided: Any) -> Slug:
    """Return why it is a no."""
    assert isinstance(decided, Refused), decided
    reason: Refusal = decided.reason
    return reason.slug


def said(actor: str = "operator", *, minutes: float = 0) -> Said:
    return Said(actor, AT + timedelta(minutes=minutes), POLICY.version)


def an_organisation(number: int = 78, name: str = "Press", **fields: Any) -> KeptOrganisation:
    made = accepted(organisations.register(None, number, Described(name), now=AT))
    return made.model_copy(update=fields)


def a_prefix(
    owner: KeptOrganisation | None = None,
    *,
    prefix: str = "10.5555",
    setting: Any = None,
    since: date | None = None,
) -> KeptPrefix:
    assignment = Assignment(prefix=prefix, name="Press", setting=setting, since=since)
    return accepted(prefixes.assign(None, assignment, owner or an_organisation(), said=said()))
