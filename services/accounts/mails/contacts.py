"""Mails to contacts of organisations; none names anybody but the organisation and the role."""

from dataclasses import dataclass

from shared.mail import Message
from shared.policy.contacts import ASKING


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the links of one mail lead: to agree, to leave in one click, to all one gets."""

    agree: str
    leave: str
    preferences: str


def asking(
    cause: str, to: str, *, share: str, organisation: str, role: str, says: str, ways: Ways
) -> Message:
    """Ask somebody whether they agree to be a contact (CRP-4g); ``says`` is what the role is."""
    return to_role(
        cause,
        to,
        share=share,
        purpose=ASKING,
        subject=f"You were named as a contact for {role}",
        text=f"{organisation} named this address as its contact for {role}. {says}\n\n"
        f"If you agree, open\n\n    {ways.agree}\n\n"
        "Otherwise do nothing, or leave the role by the link below; then the organisation is asked"
        " for somebody else.",
        ways=ways,
    )


def to_role(
    cause: str, to: str, *, share: str, purpose: str, subject: str, text: str, ways: Ways
) -> Message:
    """Write to a contact what its role is for."""
    return Message(
        cause=cause,
        purpose=purpose,
        share=share,
        to=to,
        subject=subject,
        text=text,
        preferences=ways.preferences,
        unsubscribe=ways.leave,
    )
