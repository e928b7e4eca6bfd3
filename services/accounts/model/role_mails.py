"""Mail to contacts by role: what was asked, and how many it reached (CRP-4d to 4g, 5b).

One document for each request, under the id that its caller chose, so that asking again mails nobody
twice. It says no more of anybody than how often which answer was given.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from pydantic import Field

from services.accounts.errors import Refusal
from services.accounts.model.contacts import KeptSeat
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.people import Word
from shared.policy.consent import Standing

ALLOWED: Final = "allowed"
NO_CONTACT: Final = "no-contact"
# What consent may say of an address without saying no: a yes to a role is the contact's own.
NO_NO: Final = frozenset[Standing]({"given", "absent", "requested"})


class KeptRoleMail(State):
    """A request to mail contacts; ``text`` is a hash of all it says, which is not kept."""

    request: str
    purpose: str
    role: Word
    text: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    actor: str
    at: Instant
    allowed: int = 0
    refused: Mapping[str, int] = Field(default_factory=dict)
    done: bool = False
    version: Version


Decided = Accepted[KeptRoleMail] | Unchanged[KeptRoleMail] | Refused[Refusal]


def ask(known: KeptRoleMail | None, new: KeptRoleMail) -> Decided:
    """Keep a request; another one under its id is refused."""
    if known is None:
        return Accepted(new, ())
    same = (known.purpose, known.text) == (new.purpose, new.text)
    return Unchanged(known) if same else Refused(Refusal("role-mail-differs", rule="CRP-5b"))


def finish(known: KeptRoleMail | None, outcomes: Iterable[str]) -> Decided:
    """Write down how many it went to and how many it did not, by reason (CRP-5b); once.

    An outcome is ``allowed`` or the reason of a refusal.
    """
    if known is None:
        return Refused(Refusal("role-mail-unknown"))
    if known.done:
        return Unchanged(known)
    counted = Counter(outcomes)
    allowed = counted.pop(ALLOWED, 0)
    fields = {"allowed": allowed, "refused": dict(sorted(counted.items())), "done": True}
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())


def worth(seats: Iterable[KeptSeat], elsewhere: Standing) -> Standing:
    """Return what the agreement of whoever has these seats is worth.

    To agree to a role is the contact's own word, here; ``elsewhere`` is what consent knows of the
    same address, and a no counts wherever it was said.
    """
    if elsewhere not in NO_NO:
        return elsewhere
    said = {one.standing for one in seats}
    if "agreed" in said:
        return "given"
    return "requested" if "asked" in said else "absent"
