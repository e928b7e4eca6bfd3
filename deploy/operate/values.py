"""What stands on the command line, read into what the service takes."""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from shared.runtime.clock import SYSTEM, parse_rfc3339, rfc3339

_AHEAD: Final = re.compile(r"\+([0-9]{1,5})d")


class Text(click.ParamType):
    """A text; ``-`` reads it from standard input, so that no list of processes shows it."""

    name = "text"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> Any:
        """Return it."""
        return sys.stdin.read().strip() if value == "-" else value


class Contents(click.ParamType):
    """What a file has in it; ``-`` is standard input."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text."""
        try:
            return sys.stdin.read() if value == "-" else Path(value).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            self.fail(f"{value} cannot be read: {fault}", param, ctx)


class Moment(click.ParamType):
    """A time: RFC 3339, a day, ``now``, or ``+30d`` from now."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as RFC 3339."""
        try:
            return rfc3339(self._at(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; as 2031-05-01, +30d or now", param, ctx)

    def _at(self, value: str) -> datetime:
        if value == "now":
            return SYSTEM.now()
        if ahead := _AHEAD.fullmatch(value):
            return SYSTEM.now() + timedelta(days=int(ahead[1]))
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return parse_rfc3339(value)


class Parts(click.ParamType):
    """Several words in one, with colons between: the last may have colons of its own."""

    def __init__(self, *names: str, moment: str = "") -> None:
        self.names = names
        self.name = ":".join(names)
        self.moment = moment

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return an object with a member for each word."""
        words = value.split(":", len(self.names) - 1)
        if len(words) != len(self.names):
            self.fail(f"{value!r} is not {self.name}", param, ctx)
        said = dict(zip(self.names, words, strict=True))
        if self.moment:
            said[self.moment] = MOMENT.convert(said[self.moment], param, ctx)
        return said


class Units(click.ParamType):
    """Keys of one person in one class, or some units: ``KEYS_ID`` or ``KEYS_ID:UNIT,UNIT``."""

    name = "keys-id[:unit,...]"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> Any:
        """Return it as the service takes it."""
        name, _, units = value.partition(":")
        return {"keys_id": name, **({"units": units.split(",")} if units else {})}


TEXT: Final = Text()
CONTENTS: Final = Contents()
MOMENT: Final = Moment()
EXEMPT: Final = Parts("class", "reason", "review-at", moment="review-at")
RECORD: Final = Parts("kind", "record")
UNITS: Final = Units()


def placed(said: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return a body from values and their places in it, such as ``/requester/email``."""
    body: dict[str, Any] = {}
    for place, value in said:
        *path, last = place.strip("/").split("/")
        at = body
        for name in path:
            at = at.setdefault(name, {})
        at[last] = value
    return body
