"""Memberships: applied for by anybody, put on record by operators, made whole when active.

When the last step stands on record the organisation is entered as every other one, and the contacts
that were named get their roles and are asked. Settling does both, and again after a crash.
"""

from collections.abc import Mapping
from datetime import date

from services.accounts.commands import organisations
from services.accounts.commands.contacts import seats
from services.accounts.commands.contacts.context import Contacting
from services.accounts.errors import Refusal
from services.accounts.model import contacts
from services.accounts.model import memberships as model
from services.accounts.model.contacts import RECORD, ContactDetails
from services.accounts.model.memberships import Application, End, KeptMembership, Proposed
from services.accounts.model.organisations import Described
from shared.events.decisions import Refused
from shared.privacy.vault import seal
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id, new_number, new_pseudonym


async def apply(
    contacting: Contacting,
    said: Described,
    named: Mapping[str, ContactDetails],
    *,
    correlation: str,
) -> KeptMembership | Refused[Refusal]:
    """Keep an application; nobody who is named in it gets any mail before it is active (CRP-4a)."""
    policy = contacting.policy
    refused = model.complete(named, required=policy.required, known=policy.roles)
    if refused is not None:
        return refused
    subjects: dict[str, tuple[str, ...]] = {}
    for role, details in named.items():
        indexes = contacting.indexes(details.email, f"/contacts/{role}/email")
        if isinstance(indexes, Refused):
            return indexes
        subjects[role] = indexes[-1:]
    proposed = [
        await _proposed(contacting, role, details, subjects[role])
        for role, details in named.items()
    ]
    new = Application(new_id(), new_number(), said.name, said.location, tuple(proposed))
    saved = await contacting.store.memberships.update(
        new.application,
        lambda known: model.apply(known, new, now=contacting.now()),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


async def _proposed(
    contacting: Contacting, role: str, details: ContactDetails, subjects: tuple[str, ...]
) -> Proposed:
    person = new_pseudonym()
    sealed = await seal(contacting.people.ring, details, person=person, unit=RECORD, record=RECORD)
    return Proposed(role=role, contact=person, details=sealed, subjects=subjects)


async def record(
    contacting: Contacting,
    application: str,
    step: str,
    on: date,
    *,
    actor: str,
    correlation: str,
) -> KeptMembership | Refused[Refusal]:
    """Put a step on record, on the day it happened."""
    saved = await contacting.store.memberships.update(
        application,
        lambda known: model.record(
            known,
            step,
            on,
            steps=contacting.policy.steps,
            actor=actor,
            now=contacting.now(),
        ),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    await settle(contacting, application, correlation=correlation)
    return saved.state


async def end(
    contacting: Contacting, application: str, how: End, *, actor: str, correlation: str
) -> KeptMembership | Refused[Refusal]:
    """Refuse or withdraw an application."""
    saved = await contacting.store.memberships.update(
        application,
        lambda known: model.end(known, how, actor=actor, now=contacting.now()),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


async def settle(
    contacting: Contacting, application: str, *, correlation: str | None = None
) -> None:
    """Make what an active membership stands for: its organisation, then its contacts."""
    known = await contacting.store.memberships.load(application)
    if known is None or not known.unsettled:
        return
    crashpoint("accounts.membership-active")
    # The number is this membership's own: where it stands already, it stands for it.
    await organisations.register(
        contacting.accounts,
        known.number,
        Described(known.name, location=known.location),
        correlation=correlation or new_id(),
    )
    for one in known.proposed:
        new = one.of(known.number)
        said = contacting.said(f"organisation:{known.number}")
        await contacting.store.seats.update(
            new.seat,
            lambda state, new=new, said=said: contacts.open_seat(state, new, said=said),  # type: ignore[misc]
            correlation=correlation,
        )
        await seats.settle_seat(contacting, new.seat)
    await contacting.store.memberships.update(application, model.settled)


async def settle_all(contacting: Contacting) -> int:
    """Finish every membership that a crash left unfinished, and whom it left unasked."""
    found = await contacting.store.memberships.where(unsettled=True)
    for one in found:
        await settle(contacting, one.application)
    return len(found) + await seats.settle_all(contacting)
