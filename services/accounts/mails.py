"""The mails of accounts. None holds more of a person than the address it goes to."""

from datetime import datetime

from shared.mail import Message

PURPOSE = "security"


def confirm_address(
    one: str, to: str, code: str, *, share: str, until: datetime, sign_in: str, preferences: str
) -> Message:
    """Ask whoever registered, or changed an address, to confirm it."""
    return _with_code(
        "Confirm your e-mail address",
        "This address was given to us for an account. To confirm that it is yours, use this code:",
        "If it was not you, do nothing: without the code no account has this address.",
        (one, to, code, share, until, sign_in, preferences),
    )


def invited(
    one: str, to: str, code: str, *, share: str, until: datetime, sign_in: str, preferences: str
) -> Message:
    """Tell somebody of an account that staff made for them (DOAJ-1d1)."""
    return _with_code(
        "An account for you",
        "We prepared an account for you. It becomes yours with this code:",
        "If you do not want it, do nothing: without the code there is no account.",
        (one, to, code, share, until, sign_in, preferences),
    )


def sign_in_code(
    one: str, to: str, code: str, *, share: str, until: datetime, sign_in: str, preferences: str
) -> Message:
    """Give a code to sign in by."""
    return _with_code(
        "Your code to sign in",
        "Somebody, probably you, asked for a code to sign in to your account:",
        "If it was not you, do nothing. Nobody signs in without the code.",
        (one, to, code, share, until, sign_in, preferences),
    )


def has_account(one: str, to: str, *, share: str, sign_in: str, preferences: str) -> Message:
    """Tell a holder that their address was given for another account."""
    return Message(
        cause=one,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject="You have an account",
        text="This address was given to us for a new account, and it has one. Nothing was changed."
        f" To sign in, by password or by a code that we mail: {sign_in}",
        preferences=preferences,
    )


def address_changed(one: str, to: str, *, share: str, sign_in: str, preferences: str) -> Message:
    """Tell the former address that another took its place."""
    return Message(
        cause=one,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject="Your account has another e-mail address",
        text="Your account has another e-mail address now, which was confirmed. If that was not"
        f" you, write to us at once. To sign in: {sign_in}",
        preferences=preferences,
    )


def _with_code(
    subject: str,
    why: str,
    otherwise: str,
    said: tuple[str, str, str, str, datetime, str, str],
) -> Message:
    one, to, code, share, until, sign_in, preferences = said
    ends = until.strftime("%Y-%m-%d %H:%M UTC")
    # Behind the #, where no server sees or logs it.
    link = f"{sign_in}#code={code}"
    text = f"{why}\n\n    {code}\n\n{link}\n\nIt works once, until {ends}. {otherwise}"
    return Message(
        cause=one,
        purpose=PURPOSE,
        share=share,
        to=to,
        subject=subject,
        text=text,
        preferences=preferences,
        until=until,
    )
