"""Mails about requests of people: a code, where one stands, the answer; reminders to a role."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.retention.model.requests.deadlines import Telling
from services.retention.model.requests.state import KeptRequest, Mail
from shared.mail import Message

PURPOSE: Final = "people-requests"


@dataclass(frozen=True, slots=True)
class Text:
    """What a mail says around what staff wrote; ``{}`` are filled in from a request."""

    subject: str
    says: str


TEXTS: Final[Mapping[Mail, Text]] = {
    "confirmed": Text(
        "Your request as to your data",
        "We have your request ({kinds}), which reached us on {received}. Its number is {request}."
        "\n\nWe answer by {due} at the latest. {fee}",
    ),
    "package": Text(
        "Your data can be fetched",
        "What we hold of you was put together for your request {request}. This code opens it, once,"
        " until {until}:\n\n    {code}\n\n{pages}#package={request}&code={code}\n\nThen it is gone,"
        " and can be asked for again.",
    ),
    "extended": Text(
        "Your request takes longer",
        "Your request {request} takes longer than a month, which the law allows for reasons that we"
        " have to tell you. We answer by {due} at the latest.\n\n{note}",
    ),
    "answered": Text(
        "Our answer to your request",
        "This is our answer to your request {request} ({kinds}).\n\n{note}{certificate}\n\nIf you"
        " are not content with it, write to us and name the number: that is a complaint, and"
        " somebody else looks at it. You can turn to a supervisory authority, too.",
    ),
    "refused": Text(
        "Our answer to your request",
        "We do not do what your request {request} ({kinds}) asks for. The reason: {reason}\n\n"
        "{note}\n\nIf you are not content with that, write to us and name the number: that is a"
        " complaint, and somebody else looks at it. You can turn to a supervisory authority, too.",
    ),
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where links of mails lead."""

    requests: str
    preferences: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code in clear, of which confirmation, and until when it is good."""

    text: str = field(repr=False)
    confirmation: str
    until: datetime


def code(cause: str, to: str, *, share: str, pages: Pages, kinds: str, said: Code) -> Message:
    """Write the mail with a code; it tells nothing of whether anything is held."""
    # Behind the #, where no server sees or logs it.
    link = f"{pages.requests}#confirmation={said.confirmation}&code={said.text}"
    text = (
        f"Somebody, probably you, asked us as to the data that we may hold of you ({kinds})."
        " To show that it was you, use this code:"
        f"\n\n    {said.text}\n\n{link}\n\nIt belongs to the confirmation {said.confirmation}."
        f" It is good until {said.until:%Y-%m-%d %H:%M UTC}. If it was not you, do nothing:"
        " without the code nothing happens."
    )
    return Message(
        cause=cause,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject="Confirm your request as to your data",
        text=text,
        preferences=pages.preferences,
        until=said.until,
    )


def to_person(
    kind: Mail,
    request: KeptRequest,
    to: str,
    *,
    pages: Pages,
    due: datetime,
    fee: str = "",
    note: str = "",
    reason: str = "",
    code: str = "",
) -> Message:
    """Write what a person is told of a request; ``note`` is what staff wrote.

    ``code`` opens their package; in the link it stands behind the #, where no server logs it.
    """
    text, until = TEXTS[kind], request.package_until
    certificate = (
        f"\n\nYour data were erased. The number of the certificate is {request.erasure}."
        if request.erasure
        else ""
    )
    return Message(
        cause=f"request.{kind}.{request.request}",
        purpose=PURPOSE,
        share=request.person,
        to=to,
        subject=text.subject,
        text=text.says.format(
            request=request.request,
            kinds=", ".join(request.kinds),
            received=f"{request.received_at:%Y-%m-%d}",
            due=f"{due:%Y-%m-%d %H:%M UTC}",
            fee=fee,
            note=note,
            reason=reason,
            certificate=certificate,
            code=code,
            pages=pages.requests,
            until=f"{until:%Y-%m-%d %H:%M UTC}" if until else "",
        ),
        preferences=pages.preferences,
    )


def to_role(telling: Telling, request: KeptRequest, to: str, *, pages: Pages) -> Message:
    """Write a reminder; it names nobody, only the request."""
    late = telling.what == "escalated"
    waits = "was not answered in time" if late else "is to be answered soon"
    return Message(
        cause=f"request.{telling.about}.{telling.number}.{request.request}."
        f"{telling.due:%Y%m%d%H%M%S}",
        purpose=PURPOSE,
        share=telling.to,
        to=to,
        subject="A request of a person is overdue" if late else "A request of a person is due soon",
        text=f"The request {request.request} ({', '.join(request.kinds)}) {waits}: its limit is"
        f" {telling.due:%Y-%m-%d %H:%M UTC}. It stands at {request.status}. Whoever asked is not"
        " named in mails; look it up by its number.",
        preferences=pages.preferences,
    )
