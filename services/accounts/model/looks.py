"""Each look of staff at somebody's details: recorded before anything is shown (DOAJ-4c2).

At those of an account, of a contact of an organisation, or of an application of a volunteer.
"""

from datetime import datetime

from services.accounts.errors import Refusal
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.people import AccessState, AccountAccessed


class KeptLook(AccessState):
    """A look's document."""


Decided = Accepted[KeptLook] | Unchanged[KeptLook] | Refused[Refusal]


def look(
    known: KeptLook | None,
    access: str,
    *,
    actor: str,
    person: str,
    action: str,
    reason: str,
    ticket: str | None,
    policy_version: str,
    now: datetime,
) -> Decided:
    """Record who does what with whose details, and why."""
    if known is not None:
        return Unchanged(known)
    state = KeptLook(
        access=access,
        at=now,
        actor=actor,
        person=person,
        action=action,
        reason=reason,
        ticket=ticket,
        policy_version=policy_version,
        version=1,
    )
    return Accepted(state, (saying(AccountAccessed, state),))
