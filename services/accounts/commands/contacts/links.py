"""Links in mails to contacts: a seat and its contact's pseudonym, signed by us for one purpose.

They hold as long as the contact has the seat: a way out has no end, and a yes asks for no haste.
"""

from dataclasses import dataclass
from typing import Final, Literal

import orjson

from services.accounts.commands.contacts.context import Contacting
from shared.privacy.signatures import sign, verify

Kind = Literal["agree", "leave"]
PATHS: Final[dict[Kind, str]] = {"agree": "contact-agreements", "leave": "contact-opt-outs"}
LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for."""

    seat: str
    contact: str


def address_of(contacting: Contacting, kind: Kind, link: Link) -> str:
    """Return the address that a mail shows."""
    payload = orjson.dumps([link.seat, link.contact])
    token = sign(contacting.key, payload, purpose=f"accounts.contact-{kind}")
    return f"{contacting.public_url.rstrip('/')}/{PATHS[kind]}/{token}"


def read(contacting: Contacting, kind: Kind, token: str) -> Link | None:
    """Return what a link stands for, None where we did not sign it for this."""
    payload = verify(contacting.key, token, purpose=f"accounts.contact-{kind}")
    said = orjson.loads(payload) if payload is not None else None
    return Link(*said) if isinstance(said, list) and len(said) == LENGTH else None
