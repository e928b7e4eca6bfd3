"""A request as it is kept: what others may know of it, and sealed who asked and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from services.retention.model.requests.errors import Refusal
from shared.events.base import Instant, State
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import Word
from shared.events.personal import BlindIndexed, Sealed
from shared.events.requests import Handler, RequestState, RequestStatus
from shared.privacy.personal import Personal, PersonalData

CLS: Final = "support"
PURPOSES: Final = ("people-requests",)
CODE: Final = "code"  # how whoever used a mailed code showed who they are
CLOSED: Final[frozenset[RequestStatus]] = frozenset({"answered", "refused", "taken-back"})
Mail = Literal["confirmed", "package", "extended", "answered", "refused"]


class Requester(PersonalData, schema="retention.requester.v1"):
    """Who asks, where they are answered, and what they wrote."""

    name: Annotated[str | None, Personal(CLS, PURPOSES, portable=True)] = None
    email: Annotated[str | None, Personal(CLS, PURPOSES, portable=True, address=True)] = None
    post: Annotated[str | None, Personal(CLS, PURPOSES, portable=True)] = None
    # Further addresses that data may be held under, with a space between them; they count once
    # staff vouch for them (``KeptRequest.vouched``).
    on_file: Annotated[str | None, Personal(CLS, PURPOSES, portable=True, address=True)] = None
    text: Annotated[str | None, Personal(CLS, PURPOSES, portable=True, free_text=True)] = None

    def addresses(self, *, vouched: bool) -> tuple[str, ...]:
        """Return the addresses that a request is about: beside their own those vouched for."""
        others = self.others if vouched else ()
        return tuple(dict.fromkeys([*([self.email] if self.email else []), *others]))

    @property
    def others(self) -> tuple[str, ...]:
        """Those of them at which the person is not answered."""
        return tuple((self.on_file or "").split())


class Representative(PersonalData, schema="retention.representative.v1"):
    """Who asks on somebody's behalf, and what shows that they may (DOAJ-1a10)."""

    name: Annotated[str, Personal(CLS, PURPOSES, source="self")]
    email: Annotated[str | None, Personal(CLS, PURPOSES, address=True)] = None
    authority: Annotated[str, Personal(CLS, PURPOSES, free_text=True)]


class Note(PersonalData, schema="retention.request-note.v1"):
    """What staff wrote: an answer, or how something was shown or done."""

    text: Annotated[str, Personal(CLS, PURPOSES, source="staff", free_text=True)]


class Exempt(State):
    """A class of data that an erasure keeps, why, and when that is looked at again."""

    cls: Word
    reason: Word
    review_at: Instant


class KeptRequest(RequestState):
    """A request's document.

    ``records`` are sealed: ``requester``, ``representative``, and notes by what they are about.
    ``against`` is whom a complaint is about; they get nothing of it. ``owed`` are mails to the
    person that were not posted yet; ``told_by_letter`` those that staff sent by post.
    """

    records: Mapping[str, Sealed]
    subjects: tuple[BlindIndexed, ...] = ()
    fingerprint: str = Field(default="", description="Of what was registered, keyed.")
    against: tuple[Handler, ...] = ()
    mailable: bool = Field(default=False, description="Somebody has an address to be answered at.")
    authority_at: Instant | None = None
    assessed_at: Instant | None = None
    exempt: tuple[Exempt, ...] = ()
    owed: tuple[Mail, ...] = ()
    package: Literal["asked", "told"] | None = None
    package_until: Instant | None = None

    @property
    def open(self) -> bool:
        """Whether the person still waits for an answer."""
        return self.status not in CLOSED

    @property
    def vouched(self) -> bool:
        """Whether staff saw who asks; a code shows who reads the mail of one address alone."""
        return self.identity not in (None, CODE)

    @property
    def place(self) -> str:
        """Its place among all: by when it was put on record, whatever its number follows from."""
        return f"{int(self.registered_at.timestamp() * 1000):013}-{self.request}"

    @property
    def paused(self) -> bool:
        """Whether it waits for the person."""
        return bool(self.pauses) and self.pauses[-1].until is None


@dataclass(frozen=True, slots=True)
class By:
    """Who does something to a request, and when."""

    actor: str
    now: datetime


Decided = Accepted[KeptRequest] | Unchanged[KeptRequest] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("request-unknown"))


def no(slug: Refusal | str, detail: str = "", rule: str = "", *places: str) -> Refused[Refusal]:
    """Refuse."""
    return Refused(
        slug if isinstance(slug, Refusal) else Refusal(slug, detail, rule, places)  # type: ignore[arg-type]
    )
