"""From a work and what the gate says of it now to the records of both topics. Pure but for asking.

What a record rests on is its standing: whose the work is, under which setting, judged by which
policy. Two equal standings make equal records of one version, so a standing is all that has to be
compared to know whether a work must be published again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from services.distribution.gate import PREFIXES, Gate, Subject
from services.distribution.rest.render import Ownership, RegisteredWork, render_item
from shared.events import (
    OpenWorkPublished,
    OwnershipState,
    PlusWorkPublished,
    PrefixState,
    Received,
    Standing,
    TitleState,
    WorkState,
)
from shared.kafka.knowledge import Knowledge
from shared.policy import ANYBODY, Reader, references_visible

OUTLET: Final = "topics"
Published = OpenWorkPublished | PlusWorkPublished
Kind = Literal["prefix", "title", "work"]
READERS: Final[Mapping[type[Published], Reader]] = {
    OpenWorkPublished: ANYBODY,
    PlusWorkPublished: Reader(plus=True),
}
# Not the work's own: they change without it. What other works say of it is not asked for either.
CHANGING: Final = ("score", "is-referenced-by-count")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of a work that may be published."""

    doi: str
    version: int
    title: str | None
    work: Mapping[str, Any]
    created: datetime
    deposited: datetime
    indexed: datetime | str

    @property
    def subject(self) -> Subject:
        """What the gate is asked about."""
        return Subject(self.doi, self.title)


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of a work under a standing: all that its records rest on."""

    candidate: Candidate
    standing: Standing


def of_event(received: Received) -> Candidate | None:
    """Return the candidate of an event of the works topic."""
    match received.event:
        case WorkState() as state:
            return Candidate(
                state.doi,
                state.version,
                state.title,
                state.work,
                state.created,
                state.deposited,
                received.meta.time,
            )
    return None


def of_document(document: Mapping[str, Any]) -> Candidate:
    """Return the candidate of a work in the read model."""
    return Candidate(
        document["_id"],
        document["v"],
        document.get("title"),
        document["work"],
        document["created"],
        document["deposited"],
        document["indexed"],
    )


@dataclass(slots=True)
class Offers:
    """Asks the gate; ``revision`` grows with everything that may change an answer."""

    gate: Gate
    revision: int = 0

    def __post_init__(self) -> None:
        """Count what may change an answer."""
        knowledge: Knowledge = self.gate.knowledge
        knowledge.listeners.append(self._learn)
        knowledge.denials.append(self._denied)

    def _learn(self, received: Received) -> None:
        if isinstance(received.event, PrefixState | TitleState | OwnershipState):
            self.revision += 1

    def _denied(self, _topic: str, _key: str) -> None:
        self.revision += 1

    def fresh(self, since: datetime) -> bool:
        """Whether all gate topics are known well enough to publish, and what they held ``since``.

        Agreements, too: while nobody can tell which have ended, their readers get nothing new. A
        writer that stood still, and does not know for how long, asks for more than freshness.
        """
        knowledge = self.gate.knowledge
        return knowledge.fresh() and knowledge.knows_since(since)

    def standing(self, subject: Subject) -> Standing:
        """Return whose a work is now and under which setting."""
        return self.of_prefix(self.gate.owner_prefix(subject))

    def of_prefix(self, prefix: str | None) -> Standing:
        """Return the standing of what a prefix owns; null: of what nobody is known to own."""
        judged = self.gate.policy.judged
        state = self.gate.prefix(prefix) if prefix else None
        if prefix is None or state is None:
            return Standing(prefix=prefix, policy_version=judged)
        return Standing(
            prefix=prefix,
            member=state.owner,
            name=state.owner_name,
            setting=self.gate.setting(prefix),
            policy_version=judged,
        )

    def offer(self, candidate: Candidate) -> Offer:
        """Put a candidate under the standing it has now."""
        return Offer(candidate, self.standing(candidate.subject))

    def holds(self, offer: Offer) -> bool:
        """Whether an offer's standing is still what the gate says."""
        return self.standing(offer.candidate.subject) == offer.standing

    def events(self, offer: Offer) -> list[Published]:
        """Return what each topic holds of an offer."""
        one, standing = offer.candidate, offer.standing
        ownership = Ownership(
            standing.prefix or one.doi.partition("/")[0], standing.member, standing.name
        )
        record = RegisteredWork(one.doi, one.work, one.created, one.deposited, one.indexed)
        shown: list[Published] = []
        for kind, reader in READERS.items():
            work = render_item(
                record,
                ownership,
                cited_by=0,
                visibility=references_visible(
                    self.gate.policy,
                    standing.setting,
                    outlet=OUTLET,
                    owner=standing.member,
                    reader=reader,
                ),
                policy=self.gate.policy,
            )
            for name in CHANGING:
                del work[name]
            shown.append(
                kind(
                    doi=one.doi,
                    work=work,
                    work_version=one.version,
                    title=one.title,
                    standing=standing,
                )
            )
        return shown


def touched(received: Received) -> tuple[Kind, str] | None:
    """Return what an event of a gate topic may change the standing of."""
    match received.event:
        case PrefixState(prefix=prefix):
            return "prefix", prefix
        case TitleState(subject=subject):
            return "title", subject
        case OwnershipState(subject=subject):
            return "work", subject
    return None


def touched_by_denial(topic: str, key: str) -> tuple[Kind, str]:
    """Return what an unreadable record of a gate topic may change the standing of."""
    if topic == PREFIXES:
        return "prefix", key
    return ("work" if key.startswith("10.") else "title"), key
