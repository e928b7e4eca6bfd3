"""The mail gate as it stands before contacts: agreement is theirs to give, role by role.

What a purpose asks is a row of the policy; here it is said what a contact's own word is worth, and
that a mail which waits goes only while its address still has the role.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.accounts.model import role_mails
from services.accounts.model.contacts import KeptSeat
from services.accounts.store import ContactStore
from shared.mail import Gate
from shared.policy.consent import Standing
from shared.policy.contacts import CATEGORY
from shared.policy.decisions import KeptDecision


@dataclass(frozen=True, slots=True)
class ContactsGate(Gate):
    """A gate that knows contacts; everybody else is asked about as everywhere."""

    store: ContactStore

    def before(self, seats: Sequence[KeptSeat]) -> Gate:
        """Return the gate as it stands before whoever has these seats."""

        async def worth(subjects: Sequence[str], purpose: str) -> Standing:
            return role_mails.worth(seats, await self.worth(subjects, purpose))

        return Gate(self.policy, self.decisions, worth)

    async def still(self, about: Mapping[str, str]) -> bool:
        """Ask again, right before it goes, whether a mail may.

        Where the address has the role no more nothing is asked: the facts of the seat say since
        when and why.
        """
        decision = await self.decisions.load(about.get("decision", ""))
        if decision is None or decision.use.category != CATEGORY:
            return await Gate.still(self, about)
        seats = await self._held(decision)
        return bool(seats) and await self.before(seats).still(about)

    async def _held(self, decision: KeptDecision) -> list[KeptSeat]:
        found = [
            seat
            for subject in decision.subjects
            for seat in await self.store.seats.where(subjects=subject)
        ]
        return [one for one in found if one.contact and one.role in decision.use.roles]
