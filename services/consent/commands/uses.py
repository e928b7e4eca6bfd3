"""Asking the gate about an address; each answer is recorded (law P7)."""

from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from shared.mongo import Refused
from shared.policy.decisions import KeptDecision
from shared.policy.uses import Use


async def decide(
    consenting: Consenting, use: Use, *, address: str | None, actor: str
) -> KeptDecision | Refused[Refusal]:
    """Ask whether an address may be used so, and record the answer."""
    subjects = consenting.subjects(address) if address is not None else ()
    if isinstance(subjects, Refused):
        return subjects
    return await consenting.posting.gate.ask(use, subjects, actor=actor)
