"""Entering people: a pseudonym for an address, its ciphertext where it is needed, suppressions."""

from collections.abc import Sequence
from typing import Final

from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model import people
from services.consent.model.people import ADDRESS, Evidence, KeptPerson, Subscriber
from shared.mongo import Refused
from shared.privacy.suppression import suppression, suppressions
from shared.privacy.vault import reveal, seal
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id, new_pseudonym

TRIES: Final = 3  # where another process enters the same person


async def known(consenting: Consenting, address: str) -> KeptPerson | Refused[Refusal] | None:
    """Return who has an address, None where nobody known."""
    subjects = consenting.subjects(address)
    if isinstance(subjects, Refused):
        return subjects
    found = await consenting.store.people.load_many(subjects)
    there = [found[one] for one in reversed(subjects) if one in found and not found[one].nobody]
    return next(iter(there), None)


async def entered(
    consenting: Consenting, address: str, *, keep: bool, correlation: str
) -> KeptPerson | Refused[Refusal]:
    """Return who has an address, entered where nobody known; ``keep``: with the address sealed."""
    for _ in range(TRIES):
        found = await known(consenting, address)
        if isinstance(found, Refused):
            return found
        if found is not None and (found.sealed is not None or not keep):
            return found
        person = found.person if found else new_pseudonym()
        subject = found.subject if found else consenting.blind.of(address)
        sealed = None
        if keep:
            data = Subscriber(email=address.strip())
            sealed = await seal(consenting.ring, data, person=person, unit=ADDRESS, record=ADDRESS)
        saved = await consenting.store.people.update(
            subject,
            lambda state, made=(subject, person, sealed): people.enter(state, *made),  # type: ignore[misc]
            correlation=correlation,
        )
        if isinstance(saved, Refused):
            return saved
        if saved.state.person == person:
            return saved.state
    raise Transient("this person is entered by too many at once")


async def at(consenting: Consenting, subject: str) -> KeptPerson:
    """Return who is found by a blind index, entered without an address where nobody is."""
    person = new_pseudonym()
    saved = await consenting.store.people.update(
        subject, lambda known: people.enter(known, subject, person, None)
    )
    if isinstance(saved, Refused):
        raise Transient("this person cannot be entered at the moment")
    return saved.state


async def address_of(consenting: Consenting, person: KeptPerson) -> str | None:
    """Return the address of a person in clear, None where there is none that can be read."""
    if person.sealed is None:
        return None
    opened = (await reveal(consenting.ring, Subscriber, [person.sealed]))[0]
    return opened.data.email if opened.data else None


async def addresses_of(consenting: Consenting, subjects: Sequence[str]) -> dict[str, str]:
    """Return the addresses in clear of those who have one that can be read, by blind index."""
    found = await consenting.store.people.load_many(subjects)
    kept = {subject: one.sealed for subject, one in found.items() if one.sealed is not None}
    opened = await reveal(consenting.ring, Subscriber, list(kept.values()))
    return {
        subject: one.data.email
        for subject, one in zip(kept, opened, strict=True)
        if one.data is not None
    }


async def keep_evidence(
    consenting: Consenting, person: KeptPerson, said: str, *, correlation: str
) -> str | Refused[Refusal]:
    """Seal how somebody said something; return the record's id."""
    record = new_id()
    sealed = await seal(
        consenting.ring, Evidence(said=said), person=person.person, unit=record, record=record
    )
    saved = await consenting.store.people.update(
        person.subject,
        lambda state: people.add_evidence(state, sealed),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else record


async def suppress(consenting: Consenting, subject: str, scope: str) -> None:
    """Remember that nobody at an address wants this."""
    entry = suppression(consenting.key, scope, subject)
    now = consenting.now()
    await consenting.store.suppressions.update(
        entry, lambda state: people.suppress(state, entry, scope, now=now)
    )


async def lift(consenting: Consenting, subject: str, scope: str) -> None:
    """Forget it: the person said yes again."""
    now = consenting.now()
    for entry in suppressions(consenting.key, scope, [subject]):
        await consenting.store.suppressions.update(entry, lambda state: people.lift(state, now=now))
