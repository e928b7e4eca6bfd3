"""What is mailed about the deletion of an account; it names nobody who is to go, and no journal."""

from typing import Final

from services.accounts.mails.people import Code, Pages
from shared.mail import Message

PURPOSE: Final = "account-admin"


def offered(cause: str, to: str, *, share: str, pages: Pages, code: Code) -> Message:
    """Ask somebody to take journals over, whose account is to be deleted (DOAJ-8a3)."""
    link = pages.to_use(code, "replacement")
    return Message(
        cause=cause,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject="You are asked to take journals over",
        text="Somebody who maintains journals here wants their account to be deleted, and named"
        " you to take the journals over. To accept, sign in with this address, then use this code:"
        f"\n\n    {code.text}\n\n{link}\n\nIt is good until {code.ends}. If you have no account"
        " yet, another mail comes with it. If you do not want the journals, do nothing: without the"
        " code they stay where they are.",
        preferences=pages.preferences,
        until=code.until,
    )
