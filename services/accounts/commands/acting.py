"""Who acts, what they may, and the record of each look of staff at somebody's details."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.accounts.commands.persons import People
from services.accounts.errors import Refusal, Slug
from services.accounts.model import looks
from services.accounts.model import people as model
from services.accounts.model.people import SELF, KeptPerson
from shared.events.decisions import Accepted, Refused
from shared.policy.roles import Forbidden, Permitted, Relation, action_permitted
from shared.runtime.ids import new_id

SLUGS: Final[Mapping[Literal["no-role", "no-reason", "no-ticket"], Slug]] = {
    "no-role": "not-permitted",
    "no-reason": "reason-needed",
    "no-ticket": "ticket-needed",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with roles, or an operator, and why where that is asked for."""

    person: str | None
    roles: frozenset[str]
    reason: str | None = None
    ticket: str | None = None

    def named(self, person: str | None) -> str:
        """Return what facts call the actor, of something about ``person``."""
        if self.person is None:
            return "operator"
        return SELF if self.person == person else f"staff:{self.person}"


async def permitted(
    people: People, actor: Actor, action: str, person: str, *, correlation: str
) -> KeptPerson | Refused[Refusal]:
    """Return an account with which the actor may do this; a look of staff is recorded first.

    Who has no role for it hears that there is no such account (DOAJ-1a8), whether or not there is.
    """
    relation: Relation = "own" if actor.person == person else "any"
    judged = _judged(people, actor, action, relation)
    if isinstance(judged, Forbidden):
        return model.UNKNOWN if judged.why == "no-role" else _refused(judged)
    state = await people.store.people.load(person)
    if state is None or state.status == "closed":
        return model.UNKNOWN
    if relation == "any":
        await record(people, actor, action, [person], correlation=correlation)
    return state


def may(people: People, actor: Actor, action: str) -> Refused[Refusal] | None:
    """Refuse what no role of the actor's allows, whomever it is about, or not without a reason."""
    judged = _judged(people, actor, action, "any")
    return _refused(judged) if isinstance(judged, Forbidden) else None


async def record(
    people: People, actor: Actor, action: str, persons: Iterable[str], *, correlation: str
) -> None:
    """Record a look at each of these people before anything is shown, where a reason is asked for.

    Raises ``Transient`` where that cannot be recorded; then nothing may be shown.
    """
    if not people.roles.action(action).reasons:
        return
    decided = {}
    for person in persons:
        access = new_id()
        judged = looks.look(
            None,
            access,
            actor=actor.named(person),
            person=person,
            action=action,
            reason=actor.reason or "",
            ticket=actor.ticket,
            policy_version=people.roles.version,
            now=people.now(),
        )
        if isinstance(judged, Accepted):
            decided[access] = judged
    await people.store.looks.save_many(decided, correlation=correlation)


def _judged(people: People, actor: Actor, action: str, relation: Relation) -> Permitted | Forbidden:
    return action_permitted(
        people.roles, action, actor.roles, relation, reason=actor.reason, ticket=actor.ticket
    )


def _refused(judged: Forbidden) -> Refused[Refusal]:
    return Refused(Refusal(SLUGS[judged.why], rule=judged.clause))
