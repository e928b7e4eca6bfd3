"""Resumption tokens: the question, how far its list was given, and a position, all sealed.

Nothing is kept of them on a server, so none expires and any host answers any of them. Who asks is
not in them: what the asker may see is decided anew at each page.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.distribution.oai.faults import Fault
from services.distribution.search import After, FromStart, fingerprint, read_cursor, write_cursor

_ROOM: Final = "oai-pmh 1"


@dataclass(frozen=True, slots=True)
class Walk:
    """A list under way: its verb and arguments, how many it gave, and where it goes on."""

    verb: str
    arguments: Mapping[str, str]
    given: int
    position: After | FromStart


def write_token(walk: Walk, *, key: bytes) -> str:
    """Return the token of a list under way."""
    said = [walk.verb, dict(walk.arguments), walk.given]
    cursor = write_cursor(walk.position, question=_question(said), key=key)
    question = base64.urlsafe_b64encode(orjson.dumps(said)).decode().rstrip("=")
    return f"{question}.{cursor}"


def read_token(token: str, *, verb: str, key: bytes) -> Walk:
    """Return the list that a token goes on with; raises ``Fault`` where we did not write it."""
    question, _, cursor = token.partition(".")
    said = _said(question)
    position = read_cursor(cursor, question=_question(said), key=key)
    if position is None or said[0] != verb:
        raise Fault("badResumptionToken", "This token is not one of this list's.")
    return Walk(said[0], said[1], said[2], position)


def _said(question: str) -> Any:
    try:
        raw = question + "=" * (-len(question) % 4)
        return orjson.loads(base64.b64decode(raw, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None


def _question(said: object) -> bytes:
    return fingerprint([_ROOM, said])
