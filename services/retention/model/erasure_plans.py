"""Plans of erasures, their names, and the statement that is certified in the end. Pure."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from services.retention.model import answers as said
from services.retention.model.answers import Answers
from services.retention.model.erasure_states import KeptErasure, Plan, Round
from shared.events.orders import KeptUnits, OrderKind
from shared.privacy.certificates import Statement
from shared.privacy.certificates.statement import (
    Evidence,
    Exemption,
    Guarantees,
    Levels,
    Manifest,
    PolicyInForce,
    Processor,
    commitment,
    seen_of,
)
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.receipts import canonical

NAMES: Final = UUID("2d6b2c1e-7a5f-4a76-9c55-0e0d5f7c8b11")  # of erasures, by what they rest on
KEPT_BY_DECISION: Final = "kept-by-decision"  # the rule of an exemption: somebody decided it


def erasure_id(cause: str, cause_id: str) -> str:
    """Return the id of the one erasure that a cause leads to, however often it is told."""
    return str(uuid5(NAMES, f"{cause}:{cause_id}"))


def round_of(erasure: KeptErasure, kind: OrderKind, services: Sequence[str]) -> Round:
    """Return the next order to give; the same until it is written down."""
    order = uuid5(UUID(erasure.erasure), f"order-{len(erasure.rounds) + 1}")
    return Round(order=str(order), kind=kind, services=tuple(services))


def late_round(erasure: KeptErasure, kind: OrderKind, services: Sequence[str]) -> Round:
    """Return an order that follows the evidence, under a name that none before it can have."""
    order = uuid5(UUID(erasure.erasure), f"order-{len(erasure.rounds) + 1}-{kind}-late")
    return Round(order=str(order), kind=kind, services=tuple(services), late=True)


def certificate_id(erasure: KeptErasure) -> str:
    """Return the id of the one certificate of an erasure."""
    return str(uuid5(UUID(erasure.erasure), "certificate"))


def kept_aside(erasure: KeptErasure) -> frozenset[str]:
    """Return the keys of the erasure itself: they go when it is certified, not before."""
    of = erasure.subjects
    return frozenset({f"{of.person}.{of.cls}"}) if of is not None else frozenset()


def planned_keys(
    erasure: KeptErasure, answers: Answers, documents: Mapping[str, KeptKeys]
) -> tuple[KeptUnits, ...]:
    """Return whose keys go: those asked for that exist, and of a person all that were found."""
    asked = [one for one in erasure.asked_records if one.keys_id in documents]
    if erasure.subjects is None:
        return tuple(sorted(asked, key=lambda one: one.keys_id))
    found = said.keys_found(answers.values(), erasure.exempt, kept_aside(erasure))
    whole = {one.keys_id: one for one in (*asked, *found)}
    return tuple(whole[name] for name in sorted(whole))


def fresh_keys(erasure: KeptErasure, answers: Answers) -> tuple[KeptUnits, ...]:
    """Return keys of a person that turned up after the plan; a record's clock takes no others."""
    if erasure.subjects is None:
        return ()
    known = {one.keys_id for one in erasure.keys} | kept_aside(erasure)
    return said.keys_found(answers.values(), erasure.exempt, known)


def plan_of(
    erasure: KeptErasure,
    answers: Answers,
    keys: Sequence[KeptUnits],
    policies: Mapping[str, str],
) -> tuple[Plan, str]:
    """Return the plan that answers to a look lead to, and its SHA-256 as canonical JSON."""
    several = [answers[name] for name in sorted(answers)]
    plan = Plan(
        erasure=erasure.erasure,
        services=erasure.services,
        records=tuple(keys),
        exempt=erasure.exempt,
        found=said.counted(several),
        processors=said.processors(several),
        policies=dict(policies),
    )
    return plan, sha256(canonical(plan.model_dump(mode="json"))).hexdigest()


def words_of(
    erasure: KeptErasure, policies: Collection[PolicyInForce], rows: Collection[str]
) -> frozenset[str]:
    """Return the words that a certificate may hold: the system's own, never anybody's name."""
    return frozenset(
        {
            *erasure.services,
            *rows,
            KEPT_BY_DECISION,
            *(one.processor for one in erasure.listed),
            *(one.topic for one in erasure.ends),
            *(word for one in policies for word in (one.policy, one.version)),
        }
    )


def statement_of(
    erasure: KeptErasure, policies: Sequence[PolicyInForce], *, backup_bound: str
) -> Statement:
    """Return what is certified; raises ``ValueError`` where it would contradict itself.

    ``unreadable`` is when the last key went; a certificate is no word earlier than what it says.
    Where a scan found something after all, it is gone since the scan that found nothing.
    """
    times, unreadable = erasure.times, erasure.unreadable_at or erasure.times["destroyed"]
    kept = {cls for one in erasure.evidence for cls in one.exempted}
    irrecoverable = erasure.irrecoverable_at or times["irrecoverable"]
    if erasure.scan is None or erasure.plan_sha is None:
        raise ValueError("nothing is certified without a plan and a scan")
    seen = [erasure.scan.at] if erasure.left_at else []
    gone = max([unreadable, *seen, *(one.at for one in erasure.receipts)])
    return Statement(
        certificate=certificate_id(erasure),
        request=_uuid(erasure.cause_id) or erasure.erasure,
        cause=erasure.cause,
        rule=erasure.rule,
        subject=commitment(
            bytes.fromhex(erasure.salt), {one.keys_id.partition(".")[0] for one in erasure.keys}
        ),
        levels=Levels(
            fenced=times["fenced"],
            unreadable=unreadable,
            irrecoverable=max(unreadable, irrecoverable),
            gone=gone,
        ),
        manifest=Manifest(plan=erasure.plan_sha, services=erasure.services),
        evidence=tuple(
            Evidence(
                service=one.service,
                result="erased" if one.erased else "exempt" if one.kept else "nothing-found",
                matched=one.erased + one.kept,
                erased=one.erased,
                kept=one.kept,
                remaining=0,
                tombstones=one.tombstones,
                looked_at=one.looked_at,
                digest=one.digest,
            )
            for one in erasure.evidence
        ),
        compaction=erasure.receipts,
        scan=erasure.scan,
        exemptions=tuple(
            Exemption(
                cls=one.cls, reason=one.reason, rule=KEPT_BY_DECISION, review_at=one.review_at
            )
            for one in erasure.exempt
            if one.cls in kept
        ),
        processors=tuple(
            Processor(
                processor=one.processor,
                listed_at=one.listed_at,
                told_at=one.told_at,
                state="attested" if one.completed_at else "told" if one.told_at else "listed",
                completed_at=one.completed_at,
            )
            for one in erasure.listed
        ),
        policies=tuple(policies),
        guarantees=Guarantees(
            key_provider="file",
            epochs_end="unlinked",
            replicas=min((one.seen for one in seen_of(erasure.receipts)), default=1),
            backup_bound=backup_bound,
        ),
    )


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
