"""Contacts of organisations: named by the organisation or staff, asked, and free to leave."""

from collections.abc import Callable
from dataclasses import dataclass

from services.accounts.commands.acting import Actor, record
from services.accounts.commands.contacts import links
from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.contacts.links import Link
from services.accounts.errors import Refusal
from services.accounts.mails import contacts as mails
from services.accounts.mails.contacts import Ways
from services.accounts.model import contacts as model
from services.accounts.model.contacts import RECORD, ContactDetails, KeptSeat, Named, seat_key
from shared.events.decisions import Refused
from shared.mail import Addressee
from shared.mongo import Saved
from shared.policy.contacts import CATEGORY, ContactRoleRow
from shared.privacy.vault import Opened, seal
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_pseudonym

SELF = "self"
READ = "contacts-read"
Decide = Callable[[KeptSeat | None], model.Decided]


@dataclass(frozen=True, slots=True)
class Shown:
    """A seat, with its contact in clear where whoever asks may see that."""

    state: KeptSeat
    opened: Opened[ContactDetails] | None = None


async def name(
    contacting: Contacting,
    organisation: int,
    role: str,
    details: ContactDetails,
    *,
    actor: str,
    correlation: str,
) -> KeptSeat | Refused[Refusal]:
    """Give a role to somebody, in whosoever's place, and ask them whether they agree.

    The address that has the role already keeps it, and what is said of it: only its name is mended.
    """
    if contacting.policy.role(role) is None:
        return Refused(Refusal("contact-role-unknown", rule="CRP-4g"))
    owner = await contacting.accounts.organisation(organisation)
    indexes = contacting.indexes(details.email, "/email")
    if isinstance(owner, Refused):
        return owner
    if isinstance(indexes, Refused):
        return indexes
    known = await contacting.seat(organisation, role)
    if known is not None and model.has(known, indexes):
        return await _mended(contacting, known, details, actor, correlation)
    naming = contacting.policy.file.naming
    left = contacting.left_behind(seat_key(organisation, role), indexes)
    # Judged before anything is sealed, so that nothing is kept where it comes to nothing.
    refused = model.may_name(known, left, naming, said=contacting.said(actor))
    if refused is not None:
        return refused
    person = new_pseudonym()
    sealed = await seal(contacting.people.ring, details, person=person, unit=RECORD, record=RECORD)
    new = Named(organisation, role, person, sealed, indexes, left)
    return await _settled(
        contacting,
        new.seat,
        lambda state: model.name(state, new, naming, said=contacting.said(actor)),
        correlation,
    )


async def _mended(
    contacting: Contacting,
    known: KeptSeat,
    details: ContactDetails,
    actor: str,
    correlation: str,
) -> KeptSeat | Refused[Refusal]:
    contact, sealed = known.contact, known.details
    if contact is None or sealed is None:
        return known
    [before] = await contacting.details([sealed])
    if before.data is not None and before.data.name == details.name:
        return known
    again = await seal(contacting.people.ring, details, person=contact, unit=RECORD, record=RECORD)
    return await _settled(
        contacting,
        known.seat,
        lambda state: model.correct(state, contact, again, said=contacting.said(actor)),
        correlation,
    )


async def remove(
    contacting: Contacting, organisation: int, role: str, *, actor: str, correlation: str
) -> KeptSeat | Refused[Refusal]:
    """Take a role from its contact."""
    return await _settled(
        contacting,
        seat_key(organisation, role),
        lambda state: model.remove(state, said=contacting.said(actor)),
        correlation,
    )


async def agree(
    contacting: Contacting, link: Link, *, correlation: str
) -> KeptSeat | Refused[Refusal]:
    """Agree, by the link that was mailed."""
    return await _settled(
        contacting,
        link.seat,
        lambda state: model.agree(state, link.contact, said=contacting.said(SELF)),
        correlation,
    )


async def leave(
    contacting: Contacting, link: Link, *, actor: str, correlation: str
) -> KeptSeat | Refused[Refusal]:
    """Opt out of a role, in force at once; never refused to whom we gave the link (CRP-4g)."""

    def decide(known: KeptSeat | None) -> model.Decided:
        behind = contacting.left_behind(link.seat, known.subjects) if known else ()
        said = contacting.said(actor)
        return model.leave(known, link.contact, behind[-1] if behind else None, said=said)

    return await _settled(contacting, link.seat, decide, correlation)


async def leave_by_staff(
    contacting: Contacting, organisation: int, role: str, *, actor: str, correlation: str
) -> KeptSeat | Refused[Refusal]:
    """Enter that a contact opted out, as they told staff."""
    known = await contacting.seat(organisation, role)
    if known is None:
        return model.UNKNOWN
    link = Link(known.seat, known.contact or "")
    return await leave(contacting, link, actor=actor, correlation=correlation)


async def listed(
    contacting: Contacting,
    organisation: int,
    *,
    clear: bool,
    reader: Actor | None = None,
    correlation: str,
) -> list[Shown] | Refused[Refusal]:
    """List an organisation's contacts, in the order of roles; ``clear`` with their details.

    ``reader`` of the staff sees details too; the look at each contact is recorded first (DOAJ-4c2).
    """
    owner = await contacting.accounts.organisation(organisation)
    if isinstance(owner, Refused):
        return owner
    found = await contacting.store.seats_of(organisation)
    order = {role: place for place, role in enumerate(contacting.policy.roles)}
    found.sort(key=lambda one: (order.get(one.role, len(order)), one.role))
    if reader is not None:
        seen = [one.contact for one in found if one.contact and one.details]
        await record(contacting.people, reader, READ, seen, correlation=correlation)
    return await shown(contacting, found, clear=clear or reader is not None)


async def shown(contacting: Contacting, seats: list[KeptSeat], *, clear: bool) -> list[Shown]:
    """Return seats as they may be shown."""
    held = [one.details for one in seats if clear and one.details is not None]
    opened = iter(await contacting.details(held))
    return [
        Shown(one, next(opened) if clear and one.details is not None else None) for one in seats
    ]


async def settle_seat(contacting: Contacting, seat: str) -> bool:
    """Ask the contact of a seat whether they agree, where that was not done; again after a crash.

    The mail waits before the seat says so: of one contact there is one, however often it is asked.
    Whom a hold keeps from being asked is asked when it is over; returns whether anything was done.
    """
    known = await contacting.store.seats.load(seat)
    if known is None or not known.unsettled or known.details is None:
        return False
    crashpoint("accounts.contact-written")
    row = contacting.policy.role(known.role)
    [opened] = await contacting.details([known.details])
    if opened.withheld == "restricted":
        return False
    if opened.data is not None and row is not None:
        await _ask(contacting, known, row, opened.data)
    await contacting.store.seats.update(seat, lambda state: model.asked(state, known.contact))
    return True


async def settle_all(contacting: Contacting) -> int:
    """Ask everybody whom a crash or a hold left unasked; return how many were asked."""
    found = await contacting.store.seats.where(unsettled=True)
    return sum([await settle_seat(contacting, one.seat) for one in found])


def ways_of(contacting: Contacting, seat: KeptSeat) -> Ways:
    """Return the links that a mail to the contact of a seat shows."""
    link = Link(seat.seat, seat.contact or "")
    return Ways(
        agree=links.address_of(contacting, "agree", link),
        leave=links.address_of(contacting, "leave", link),
        preferences=contacting.people.pages.preferences,
    )


async def _ask(
    contacting: Contacting, seat: KeptSeat, row: ContactRoleRow, details: ContactDetails
) -> None:
    owner = await contacting.accounts.organisation(seat.organisation)
    if isinstance(owner, Refused) or seat.contact is None:
        return
    message = mails.asking(
        f"contact-asked.{seat.contact}",
        details.email,
        share=seat.contact,
        organisation=owner.name,
        role=row.id,
        says=row.says,
        ways=ways_of(contacting, seat),
    )
    to = Addressee(CATEGORY, contacting.people.index.all(details.email), frozenset({row.id}))
    await contacting.posting.post(message, to, actor=seat.facts[-1].actor)


async def _settled(
    contacting: Contacting, seat: str, decide: Decide, correlation: str
) -> KeptSeat | Refused[Refusal]:
    """Decide, and ask whom that made a contact."""
    saved: Saved[KeptSeat] | Refused[Refusal] = await contacting.store.seats.update(
        seat, decide, correlation=correlation
    )
    if isinstance(saved, Refused):
        return saved
    if saved.state.unsettled:
        await settle_seat(contacting, seat)
    return saved.state
