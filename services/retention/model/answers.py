"""What services answered to an order: what of it counts, and what follows from it. Pure.

"Could not look" never counts, neither does an answer that leaves something, nor one that kept what
nobody exempted (law P3).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from services.retention.model.erasure_states import Counted, Exempt, Proven, Round
from shared.events.orders import (
    Blocker,
    EvidenceState,
    KeptUnits,
    OrderKind,
    Outcome,
    Tombstoned,
)
from shared.privacy.receipts import canonical

Answers = Mapping[str, EvidenceState]  # by service
COUNTS: Final[Mapping[OrderKind, frozenset[Outcome]]] = {
    "look": frozenset({"found", "nothing-found"}),
    "erase": frozenset({"erased", "nothing-found", "exempt"}),
}


def counts(order: Round, exempt: Collection[str], answer: EvidenceState | None) -> bool:
    """Say whether an answer counts for an order that left these classes out."""
    if answer is None or answer.order != order.order or answer.outcome not in COUNTS[order.kind]:
        return False
    if order.kind == "look":
        return True
    erased = sum(one.erased for one in answer.looked)
    kept = sum(one.kept for one in answer.looked)
    said: Outcome = "erased" if erased else "exempt" if kept else "nothing-found"
    return (
        answer.outcome == said
        and not any(one.remaining for one in answer.looked)
        and set(answer.exempted) <= set(exempt)
        and bool(answer.exempted) == bool(kept)
    )


def missing(order: Round, exempt: Iterable[Exempt], answers: Answers) -> tuple[str, ...]:
    """Return which services did not answer an order in a way that counts."""
    left_out = {one.cls for one in exempt}
    return tuple(name for name in order.services if not counts(order, left_out, answers.get(name)))


def counted(answers: Iterable[EvidenceState]) -> tuple[Counted, ...]:
    """Say service by service what was found, as a plan has it."""
    return tuple(
        Counted(**{name: getattr(one, name) for name in Counted.model_fields}) for one in answers
    )


def blockers(answers: Iterable[EvidenceState]) -> tuple[Blocker, ...]:
    """Return what has to be done first, by all services."""
    return tuple(one for answer in answers for one in answer.blockers)


def processors(answers: Iterable[EvidenceState]) -> tuple[str, ...]:
    """Return who was given something, by all services."""
    return tuple(sorted({name for answer in answers for name in answer.processors}))


def tombstones(answers: Iterable[EvidenceState]) -> tuple[Tombstoned, ...]:
    """Return how many tombstones were written where, by all services."""
    found: dict[tuple[str, int], int] = {}
    for answer in answers:
        for one in answer.tombstones:
            found[one.topic, one.partition] = found.get((one.topic, one.partition), 0) + one.count
    return tuple(
        Tombstoned(topic=topic, partition=partition, count=count)
        for (topic, partition), count in sorted(found.items())
    )


def keys_found(
    answers: Iterable[EvidenceState], exempt: Sequence[Exempt], not_these: Collection[str]
) -> tuple[KeptUnits, ...]:
    """Return the keys under which anything of a person was found, each as a whole, in order.

    Without those of classes that are kept, and without ``not_these``.
    """
    kept = {one.cls for one in exempt}
    found = {key.keys_id for answer in answers for key in answer.keys_found}
    return tuple(
        KeptUnits(keys_id=name)
        for name in sorted(found - set(not_these))
        if name.partition(".")[2] not in kept
    )


def proven(before: Sequence[Proven], answers: Iterable[EvidenceState]) -> tuple[Proven, ...]:
    """Add up what services did in a round and in those before; what is kept is said by the last."""
    known = {one.service: one for one in before}
    for answer in answers:
        last = known.get(answer.service)
        digest = sha256(canonical(answer.model_dump(mode="json"))).hexdigest()
        if last is not None:
            digest = sha256(f"{last.digest}\n{digest}".encode()).hexdigest()
        known[answer.service] = Proven(
            service=answer.service,
            erased=(last.erased if last else 0) + sum(one.erased for one in answer.looked),
            kept=sum(one.kept for one in answer.looked),
            exempted=answer.exempted,
            tombstones=(last.tombstones if last else 0)
            + sum(one.count for one in answer.tombstones),
            looked_at=answer.looked_at,
            digest=digest,
            manifest=answer.manifest,
        )
    return tuple(known[name] for name in sorted(known))
