"""A notice as a file: what it says of itself between two lines of ``+++``, then its text.

The whole file is hashed. So a text that changed is another one, whatever it calls itself.
"""

import hashlib
import tomllib
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.consent.errors import Refusal
from shared.events.consent import Change, Controller, NoticeId, Officer
from shared.events.decisions import Refused

FENCE: Final = "+++\n"
PARTS: Final = 3  # nothing, what it says of itself, the text


class Head(BaseModel):
    """What a notice says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notice: NoticeId
    label: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,40}$")]
    title: Annotated[str, Field(min_length=1)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    change: Change
    effective: Literal["at-once"] | date
    reviewed: str
    purposes: tuple[str, ...] = ()
    feedback: Annotated[str, Field(min_length=3)]
    controller: Controller
    officer: Officer


class NoticeText(BaseModel):
    """One version of a notice as it was read; ``name`` is that of its file."""

    model_config = ConfigDict(frozen=True)

    name: str
    head: Head
    body: str
    sha: str


def read_text(raw: bytes, name: str) -> NoticeText | Refused[Refusal]:
    """Read a notice's file; the refusal names the file and the place, and repeats nothing."""
    try:
        parts = raw.decode().split(FENCE, PARTS - 1)
        if len(parts) != PARTS or parts[0]:
            return _unreadable(name, "It begins with what it says of itself between lines of +++.")
        head = Head.model_validate(tomllib.loads(parts[1]))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return _unreadable(name, "What it says of itself is not TOML in UTF-8.")
    except ValidationError as fault:
        places = sorted({".".join(map(str, error["loc"])) for error in fault.errors()})
        return _unreadable(name, f"Mend {', '.join(places)}.")
    return NoticeText(name=name, head=head, body=parts[2], sha=hashlib.sha256(raw).hexdigest())


def _unreadable(name: str, remedy: str) -> Refused[Refusal]:
    return Refused(Refusal("notice-unreadable", remedy, places=(f"/{name}",)))
