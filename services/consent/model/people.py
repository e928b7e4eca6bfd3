"""What consent keeps of people: an address for lists, and how somebody said yes.

All of it exists as ciphertext alone; a person is a pseudonym, found by the blind index of an
address.
"""

from collections.abc import Callable
from typing import Annotated

from services.consent.errors import Refusal
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import (
    BlindIndexed,
    ConsentRecordGone,
    ConsentRecordKept,
    Pseudonym,
    Sealed,
    record_key,
)
from shared.privacy.personal import Personal, PersonalData

ADDRESS = "address"  # unit and record of the one address a person has here

Address = Annotated[
    str,
    Personal("subscriber", purposes=("list",), source="self", portable=True, address=True),
]
HowSaid = Annotated[
    str, Personal("consent-evidence", purposes=("evidence",), source="staff", free_text=True)
]


class Subscriber(PersonalData, schema="consent.subscriber.v1"):
    """Whoever asked for a list: the address, and no name (CRP-3a)."""

    email: Address


class Evidence(PersonalData, schema="consent.evidence.v1"):
    """How somebody said yes or no, as staff wrote it down."""

    said: HowSaid


class KeptPerson(State):
    """A person's document, under the blind index; ``sealed`` where the address is needed.

    Of ``nobody`` it is once the person was erased, until it was told that the records are gone.
    Then it goes itself, for its key is an index of the address.
    """

    subject: BlindIndexed
    person: Pseudonym
    nobody: bool = False
    sealed: Sealed | None = None
    evidence: tuple[Sealed, ...] = ()
    version: Version


class KeptSuppression(State):
    """That an address wants no more of something; nothing in it leads to a person (CRP-3)."""

    suppression: str
    scope: str
    since: Instant
    lifted_at: Instant | None = None
    version: Version

    @property
    def no_since(self) -> Instant | None:
        """Since when, where it holds."""
        return None if self.lifted_at else self.since


Entered = Accepted[KeptPerson] | Unchanged[KeptPerson] | Refused[Refusal]


def enter(known: KeptPerson | None, subject: str, person: str, sealed: Sealed | None) -> Entered:
    """Enter a person, or the address of one who had none here.

    Where somebody else was faster under another pseudonym, theirs stands: look at the answer.
    """
    there = known is not None and not known.nobody
    if known is not None and there and (known.person != person or sealed is None or known.sealed):
        return Unchanged(known)
    state = KeptPerson(
        subject=subject,
        person=person,
        sealed=sealed,
        evidence=known.evidence if known and there else (),
        version=known.version + 1 if known else 1,
    )
    return Accepted(state, (_kept(sealed, (subject,), 1),) if sealed else ())


def add_evidence(known: KeptPerson | None, sealed: Sealed) -> Entered:
    """Keep how somebody said something."""
    if known is None or known.nobody:
        return Refused(Refusal("consent-unknown"))
    fields = {"evidence": (*known.evidence, sealed), "version": known.version + 1}
    return Accepted(known.model_copy(update=fields), (_kept(sealed, (known.subject,), 1),))


def erase(known: KeptPerson | None, meant: Callable[[Sealed], bool], *, whole: bool) -> Entered:
    """Erase the records that are meant, each told to be gone; the person too where all is meant.

    While a record is left, so are the pseudonym and the index that it is found by.
    """
    if known is None:
        return Refused(Refusal("consent-unknown"))
    kept = [one for one in (known.sealed, *known.evidence) if one is not None]
    gone = [one for one in kept if meant(one)]
    nobody = whole and len(gone) == len(kept)
    if known.nobody or not (gone or nobody):
        return Unchanged(known)
    fields = {
        "nobody": nobody,
        "sealed": None if known.sealed in gone else known.sealed,
        "evidence": tuple(one for one in known.evidence if one not in gone),
        "version": known.version + 1,
    }
    told = tuple(ConsentRecordGone(record_key=record_key(one), version=1) for one in gone)
    return Accepted(known.model_copy(update=fields), told)


def suppress(
    known: KeptSuppression | None, entry: str, scope: str, *, now: Instant
) -> Accepted[KeptSuppression] | Unchanged[KeptSuppression]:
    """Remember that nobody wants this there."""
    if known is not None and known.lifted_at is None:
        return Unchanged(known)
    version = known.version + 1 if known else 1
    return Accepted(KeptSuppression(suppression=entry, scope=scope, since=now, version=version), ())


def lift(
    known: KeptSuppression | None, *, now: Instant
) -> Accepted[KeptSuppression] | Unchanged[KeptSuppression] | Refused[Refusal]:
    """Forget it, where the person said yes again."""
    if known is None:
        return Refused(Refusal("consent-unknown"))
    if known.lifted_at is not None:
        return Unchanged(known)
    fields = {"lifted_at": now, "version": known.version + 1}
    return Accepted(known.model_copy(update=fields), ())


def _kept(sealed: Sealed, subjects: tuple[str, ...], version: int) -> ConsentRecordKept:
    return ConsentRecordKept(
        record_key=record_key(sealed), sealed=sealed, subjects=subjects, version=version
    )
