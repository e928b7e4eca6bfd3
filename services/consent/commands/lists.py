"""Lists: asked for with an address alone, joined by the link that is mailed to it (CRP-3)."""

from typing import Final

from services.consent.commands import links, people
from services.consent.commands.context import Consenting
from services.consent.commands.links import Link
from services.consent.errors import Refusal
from services.consent.model import consents
from services.consent.model.consents import Request, Who
from services.consent.model.people import KeptPerson
from shared.mail import Addressee, Message
from shared.mongo import Refused
from shared.runtime.ids import new_id

SECURITY: Final = "security"
LIST: Final = "list"
CATEGORY: Final = "subscriber"


async def subscribe(
    consenting: Consenting, name: str, address: str, *, correlation: str
) -> Refused[Refusal] | None:
    """Ask for a list: whoever can open the link that is mailed joins it, nobody else.

    The answer is the same whether the address is known, on the list, or neither.
    """
    row = consenting.rows.uses.lists.get(name)
    if row is None:
        return Refused(Refusal("list-unknown", rule="CRP-3c"))
    person = await people.entered(consenting, address, keep=True, correlation=correlation)
    if isinstance(person, Refused):
        return person
    purpose, now = f"{LIST}:{name}", consenting.now()
    if await consenting.worth([person.subject], purpose) == "given":
        return None
    times = consenting.rows.lists.confirmation
    request = Request(id=new_id(), at=now, until=now + times.confirm_within)
    who = Who(person.subject, person.person, purpose)
    saved = await consenting.store.consents.update(
        who.key,
        lambda known: consents.ask(known, who, request, again_before=now - times.again_after),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    under_way = saved.state.request
    if under_way is not None:
        # One mail a cause: where an earlier call died before it posted this one, it comes now.
        link = links.address_of(consenting, "confirm", Link(person.person, purpose, under_way.id))
        text = (
            f"Hello,\n\nsomebody asked for the list {row.title} ({row.rhythm}) with this address."
            f" If that was you, open\n\n  {link}\n\nwithin {times.confirm_within.days} days."
            " Otherwise do nothing, and nothing will come.\n"
        )
        await _mail(consenting, person, f"confirm:{under_way.id}", f"{row.title}: confirm", text)
    return None


async def send_preferences(consenting: Consenting, address: str) -> Refused[Refusal] | None:
    """Mail somebody the link to their own page; who is not known gets no mail, nor is told so."""
    person = await people.known(consenting, address)
    if isinstance(person, Refused):
        return person
    if person is not None and person.sealed is not None:
        link = links.page_of(consenting, person.person)
        text = f"Hello,\n\nwhat mail you get from us is shown, and changed, here:\n\n  {link}\n"
        # Of one cause there is one mail, so this many come at most.
        times = consenting.rows.lists.confirmation
        window = int(consenting.now().timestamp() // times.again_after.total_seconds())
        cause = f"preferences:{person.person}:{window}"
        await _mail(consenting, person, cause, "What mail you get from us", text)
    return None


async def _mail(
    consenting: Consenting, person: KeptPerson, cause: str, subject: str, text: str
) -> None:
    """Let a mail of ours wait to be sent, where the gate allows it."""
    address = await people.address_of(consenting, person)
    if address is None:
        return
    message = Message(
        cause=cause,
        purpose=SECURITY,
        share=person.person,
        to=address,
        subject=subject,
        text=text,
        preferences=links.page_of(consenting, person.person),
    )
    to = Addressee(CATEGORY, (person.subject,))
    await consenting.posting.post(message, to, actor="person")
