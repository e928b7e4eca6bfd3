"""Links in mails: texts that we signed for one purpose, holding a pseudonym and no address."""

from dataclasses import dataclass
from typing import Final, Literal

import orjson

from services.consent.commands.context import Consenting
from shared.privacy.signatures import sign, verify

Kind = Literal["confirm", "unsubscribe", "preferences"]
PATHS: Final[dict[Kind, str]] = {
    "confirm": "confirmations",
    "unsubscribe": "unsubscribe",
    "preferences": "preferences",
}
LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for; ``request`` is what a confirmation confirms.

    ``until`` is when it ends, in seconds since 1970; 0: a link to leave by never does.
    """

    person: str
    purpose: str = ""
    request: str = ""
    until: int = 0


def address_of(consenting: Consenting, kind: Kind, link: Link) -> str:
    """Return the address that a mail shows."""
    payload = orjson.dumps([link.person, link.purpose, link.request, link.until])
    token = sign(consenting.key, payload, purpose=f"consent.{kind}")
    return f"{consenting.public_url.rstrip('/')}/{PATHS[kind]}/{token}"


def read(consenting: Consenting, kind: Kind, token: str) -> Link | None:
    """Return what a link stands for, None where we did not sign it for this or its time is up."""
    payload = verify(consenting.key, token, purpose=f"consent.{kind}")
    if payload is None:
        return None
    said = orjson.loads(payload)
    if not isinstance(said, list) or len(said) != LENGTH:
        return None
    link = Link(*said)
    return link if not link.until or consenting.now().timestamp() < link.until else None


def page_of(consenting: Consenting, person: str) -> str:
    """Return the address of a person's own page; it holds for a while."""
    until = consenting.now() + consenting.rows.lists.confirmation.page_within
    return address_of(consenting, "preferences", Link(person, until=int(until.timestamp())))
