"""Mails about accounts of people: a code to act by, or word of what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from shared.mail import Message

PURPOSE: Final = "security"
Kind = Literal["confirm-address", "invited", "sign-in-code", "has-account", "address-changed"]


@dataclass(frozen=True, slots=True)
class Text:
    """What a mail says: why it comes, and what whoever did not expect it does."""

    subject: str
    why: str
    otherwise: str


TEXTS: Final[Mapping[Kind, Text]] = {
    "confirm-address": Text(
        "Confirm your e-mail address",
        "This address was given to us for an account. To confirm that it is yours, use this code:",
        "If it was not you, do nothing: without the code no account has this address.",
    ),
    "invited": Text(  # DOAJ-1d1
        "An account for you",
        "We prepared an account for you. It becomes yours with this code:",
        "If you do not want it, do nothing: without the code there is no account.",
    ),
    "sign-in-code": Text(
        "Your code to sign in",
        "Somebody, probably you, asked for a code to sign in to your account:",
        "If it was not you, do nothing. Nobody signs in without the code.",
    ),
    "has-account": Text(
        "You have an account",
        "This address was given to us for a new account, and it has one. Nothing was changed.",
        "To sign in, by password or by a code that we mail:",
    ),
    "address-changed": Text(
        "Your account has another e-mail address",
        "Your account has another e-mail address now, which was confirmed. If that was not you,"
        " write to us at once.",
        "To sign in:",
    ),
}


@dataclass(frozen=True, slots=True)
class Code:
    """A code in clear, and until when it is good."""

    text: str = field(repr=False)
    until: datetime

    @property
    def ends(self) -> str:
        """Until when it is good, as a mail says it."""
        return self.until.strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class Pages:
    """Where links of mails lead: to sign in, and to choose what mail one gets (CRP-3e)."""

    sign_in: str
    preferences: str

    def to_use(self, code: Code, name: str) -> str:
        """Return the link that brings a code along, which the page knows by this name."""
        # Behind the #, where no server sees or logs it.
        return f"{self.sign_in}#{name}={code.text}"


def written(
    kind: Kind, cause: str, to: str, *, share: str, pages: Pages, code: Code | None = None
) -> Message:
    """Write a mail of this kind; ``share`` is whose it is in the queue, a pseudonym."""
    text = TEXTS[kind]
    return Message(
        cause=cause,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject=text.subject,
        text=_with_code(text, code, pages)
        if code
        else f"{text.why} {text.otherwise} {pages.sign_in}",
        preferences=pages.preferences,
        until=code.until if code else None,
    )


def _with_code(text: Text, code: Code, pages: Pages) -> str:
    link = pages.to_use(code, "code")
    said = f"{text.why}\n\n    {code.text}\n\n{link}\n\nIt works once, until {code.ends}."
    return f"{said} {text.otherwise}"
