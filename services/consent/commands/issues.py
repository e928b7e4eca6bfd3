"""Sending an issue of a list: page by page, so that no list is too long, and its progress shows."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from services.consent.commands import links, people
from services.consent.commands.context import Consenting
from services.consent.commands.links import Link
from services.consent.commands.lists import CATEGORY, LIST
from services.consent.errors import Refusal
from services.consent.model import issues
from services.consent.model.consents import KeptConsent
from services.consent.model.issues import Counted, KeptIssue, issue_key
from shared.mail import Addressee, Message
from shared.mail.posting import mail_use
from shared.mongo import Refused
from shared.runtime.crashpoints import crashpoint

PAGE: Final = 100


async def ask(
    consenting: Consenting, listed: str, issue: str, subject: str, text: str
) -> KeptIssue | Refused[Refusal]:
    """Let one issue of a list be sent, once to whoever it is allowed to."""
    if listed not in consenting.rows.uses.lists:
        return Refused(Refusal("list-unknown", rule="CRP-3c"))
    new = KeptIssue(
        issue=issue,
        listed=listed,
        subject=subject,
        text=text,
        asked_at=consenting.now(),
        consents=await consenting.store.count_of(f"{LIST}:{listed}"),
    )
    saved = await consenting.store.issues.update(
        issue_key(listed, issue), lambda known: issues.ask(known, new)
    )
    if isinstance(saved, Refused):
        return saved
    consenting.issue_asked.set()
    return saved.state


async def send_due(consenting: Consenting) -> bool:
    """Send a page of each issue that has not ended; say whether there was any."""
    under_way = await consenting.store.issues.where(ended=False)
    for issue in under_way:
        await _page(consenting, issue)
    return bool(under_way)


async def _page(consenting: Consenting, issue: KeptIssue) -> None:
    """Send one page and write down how far it came.

    Whoever dies in between leaves the page to be sent again; of one cause there is one mail.
    """
    purpose = f"{LIST}:{issue.listed}"
    page = await consenting.store.consents_to(purpose, after=issue.after, most=PAGE)
    counted = await _posted(consenting, issue, page)
    crashpoint("consent.page-posted")
    await consenting.store.issues.update(
        issue_key(issue.listed, issue.issue),
        partial(
            issues.turn,
            before=issue.after,
            after=page[-1].consent if page else None,
            counted=counted,
            now=consenting.now(),
        ),
    )


async def _posted(consenting: Consenting, issue: KeptIssue, page: Sequence[KeptConsent]) -> Counted:
    """Ask for each recipient and record it; each mail has its own link to leave (CRP-3e)."""
    use = mail_use(LIST, Addressee(CATEGORY, ()), issue.listed)
    told = [(state.subject,) for state in page]
    decisions = await consenting.posting.gate.ask_each(use, told, actor="operator")
    allowed = [(state, one) for state, one in zip(page, decisions, strict=True) if one.allowed]
    addresses = await people.addresses_of(consenting, [state.subject for state, _ in allowed])
    posted = 0
    for state, decision in allowed:
        message = _written(consenting, issue, state, addresses)
        if message is not None:
            await consenting.mails.post(message, decision)
            posted += 1
    return Counted(
        posted=posted, refused=len(page) - len(allowed), unreadable=len(allowed) - posted
    )


def _written(
    consenting: Consenting, issue: KeptIssue, state: KeptConsent, addresses: Mapping[str, str]
) -> Message | None:
    address = addresses.get(state.subject)
    if address is None:
        return None
    return Message(
        cause=f"list:{issue.listed}:{issue.issue}:{state.person}",
        purpose=LIST,
        share=state.person,
        to=address,
        subject=issue.subject,
        text=issue.text,
        unsubscribe=links.address_of(consenting, "unsubscribe", Link(state.person, state.purpose)),
    )
