"""The gate in front of what is done with somebody's data, as a service stands before it (law P7).

Each answer is written down before anybody acts on it, a no as well. What the answer is, only
``use_allowed`` says; here it is asked, with what this service knows of consent, and recorded.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.events.decisions import Accepted
from shared.mongo import Aggregates, Database, IndexModel, faults
from shared.policy.consent import Standing
from shared.policy.decisions import KeptDecision, recorded
from shared.policy.uses import Allowed, Refused, Use, UsesPolicy, use_allowed
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.ids import new_id

COLLECTION: Final = "decisions"
Worth = Callable[[Sequence[str], str], Awaitable[Standing]]


def kept_decisions(
    database: Database, source: str, clock: Clock = SYSTEM
) -> Aggregates[KeptDecision]:
    """Return the recorded answers of a service, in its own database."""
    return Aggregates(
        database[COLLECTION], KeptDecision.model_validate_json, source, _found_by, clock
    )


async def prepare(database: Database) -> None:
    """Create the indexes of recorded answers; safe to repeat."""
    with faults():
        await database[COLLECTION].create_indexes([IndexModel([("subjects", 1)], name="subjects")])


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks and records.

    ``worth`` says what the consent of whoever has these blind indexes to a purpose is worth now.
    """

    policy: UsesPolicy
    decisions: Aggregates[KeptDecision]
    worth: Worth

    async def ask(self, use: Use, subjects: Sequence[str], *, actor: str) -> KeptDecision:
        """Ask for one person, by all blind indexes of the address. Raises ``Transient``."""
        return (await self.ask_each(use, [subjects], actor=actor))[0]

    async def ask_each(
        self, use: Use, people: Sequence[Sequence[str]], *, actor: str
    ) -> list[KeptDecision]:
        """Ask for each of several people, in their order; their answers are written together."""
        answers = [await self._answer(use, subjects, actor) for subjects in people]
        await self.decisions.save_many({one.decision: Accepted(one, ()) for one in answers})
        return answers

    async def barred(self, use: Use, *, actor: str) -> KeptDecision | None:
        """Record why something may be done with nobody's data, whatever anybody agreed to.

        None where it is not barred: then each person is still to be asked about.
        """
        answer = use_allowed(self.policy, use, "given")
        if not isinstance(answer, Refused):
            return None
        barred = self._recorded(use, answer, (), "absent", actor)
        await self.decisions.save_many({barred.decision: Accepted(barred, ())})
        return barred

    async def still(self, about: Mapping[str, str]) -> bool:
        """Ask again, right before it is done, what a decision allowed; a no is recorded as well.

        A decision about nobody was about somebody who was erased.
        """
        decision = await self.decisions.load(about.get("decision", ""))
        if decision is None or not decision.allowed or not decision.subjects:
            return False
        now = await self._answer(decision.use, decision.subjects, decision.actor)
        if not now.allowed:
            await self.decisions.save_many({now.decision: Accepted(now, ())})
        return now.allowed

    async def _answer(self, use: Use, subjects: Sequence[str], actor: str) -> KeptDecision:
        worth: Standing = "absent"
        if subjects and self.policy.basis(use.purpose) == "consent":
            worth = await self.worth(subjects, use.consent_purpose)
        return self._recorded(use, use_allowed(self.policy, use, worth), subjects, worth, actor)

    def _recorded(
        self,
        use: Use,
        answer: Allowed | Refused,
        subjects: Sequence[str],
        worth: Standing,
        actor: str,
    ) -> KeptDecision:
        return recorded(
            new_id(),
            use,
            answer,
            consent=worth,
            subjects=subjects,
            actor=actor,
            at=self.decisions.clock.now(),
        )


def _found_by(state: KeptDecision) -> dict[str, Any]:
    return {"subjects": list(state.subjects)}
