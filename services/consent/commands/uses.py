"""Asking the gate: each answer is written down before anybody acts on it (law P7)."""

from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model.decisions import KeptDecision, recorded
from shared.mongo import Accepted, Refused
from shared.policy.consent import Standing
from shared.policy.uses import Allowed, Use, use_allowed
from shared.policy.uses import Refused as NotAllowed
from shared.runtime.ids import new_id


async def decide(
    consenting: Consenting, use: Use, *, address: str | None, actor: str
) -> KeptDecision | Refused[Refusal]:
    """Ask whether an address may be used so, and record the answer."""
    if address is None:
        return await decide_of(consenting, use, subjects=(), actor=actor)
    subjects = consenting.subjects(address)
    if isinstance(subjects, Refused):
        return subjects
    return await decide_of(consenting, use, subjects=subjects, actor=actor)


async def decide_of(
    consenting: Consenting, use: Use, *, subjects: tuple[str, ...], actor: str
) -> KeptDecision:
    """Ask for whoever has these blind indexes, and record the answer."""
    answer, worth = await _answer(consenting, use, subjects)
    number = new_id()
    decision = recorded(
        number,
        use,
        answer,
        consent=worth,
        subject=subjects[-1] if subjects else None,
        actor=actor,
        at=consenting.now(),
    )
    await consenting.store.decisions.save_many({number: Accepted(decision, ())})
    return decision


async def still_allowed(consenting: Consenting, number: str, use: Use) -> bool:
    """Ask again about a recorded use, right before it is made; a no is recorded as well."""
    decision = await consenting.store.decisions.load(number)
    if decision is None or decision.outcome != "allowed":
        return False
    subjects = (decision.subject,) if decision.subject else ()
    answer, _ = await _answer(consenting, use, subjects)
    if isinstance(answer, Allowed):
        return True
    await decide_of(consenting, use, subjects=subjects, actor="mail")
    return False


async def _answer(
    consenting: Consenting, use: Use, subjects: tuple[str, ...]
) -> tuple[Allowed | NotAllowed, Standing]:
    policy = consenting.rows.uses
    worth: Standing = "absent"
    if subjects and policy.basis(use.purpose) == "consent":
        worth = await consenting.worth(subjects, use.consent_purpose)
    return use_allowed(policy, use, worth), worth
