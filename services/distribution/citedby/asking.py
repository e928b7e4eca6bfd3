"""What the old interfaces are asked, in query or form: fields, a DOI or a prefix, days."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, Field

from services.distribution.host import Host
from shared.policy import Reader, Visible, Withheld
from shared.web import FIELDS, VARY, Caller, Problem, Route, caller_of, unauthorised
from shared.web.routes import Handler

PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
UNSTORED: Final = {"Cache-Control": "no-store", "Vary": VARY}
RETRY_SECONDS: Final = 2  # watermarks come each second
LONGEST_FIELD: Final = 2_048
FLAG: Final = 20  # characters: true, and the like
ADDRESS: Final = 254
_LONGEST: Final[Mapping[str, int]] = {
    "noredirect": FLAG,
    "redirect": FLAG,
    "include_postedcontent": FLAG,
    "pid": ADDRESS,
}
_PREFIX: Final = re.compile(r"10\.[0-9]{4,9}(\.[0-9]+)*")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_TRUE: Final = frozenset({"true", "1", "yes"})
_BEFORE: Final = ("doi:", "https://doi.org/", "http://doi.org/", "http://dx.doi.org/", "info:doi/")
DOI: Final[dict[str, Any]] = {"min_length": 1, "max_length": LONGEST_FIELD, "pattern": r"\S"}


class OfOneDoi(BaseModel):
    """A DOI of one's own, and the login of who asks where no header shows one."""

    doi: str = Field(**DOI, description="A DOI, bare or with `doi:` before it.")
    usr: str = Field("", max_length=LONGEST_FIELD, description="A role's login.")
    pwd: str = Field("", max_length=LONGEST_FIELD, description="Its password.")


@dataclass(frozen=True, slots=True)
class Period:
    """The days, both included, in which a match was made; null for an open end."""

    first: dt.date | None = None
    last: dt.date | None = None

    def holds(self, at: dt.datetime) -> bool:
        """Say whether a moment lies within."""
        day = at.date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def days(self, *, until: dt.date, most: int) -> list[dt.date] | None:
        """Return each day up to ``until``; None where there are too many to be named."""
        if self.first is None:
            return None
        count = (min(self.last or until, until) - self.first).days + 1
        if count > most:
            return None
        return [self.first + dt.timedelta(days=number) for number in range(max(count, 0))]


def servlet(
    path: str,
    answer: Handler,
    summary: str,
    *,
    asked: type[BaseModel],
    response: str,
) -> tuple[Route, ...]:
    """Return the routes of what old clients ask by query or by form, with a login in either."""
    return tuple(
        Route(
            method,
            path,
            answer,
            summary,
            query=asked if method == "GET" else None,
            form=asked if method == "POST" else None,
            responses={200: response},
            auth="optional",
            tags=("cited-by",),
            credentials_in_query=True,
        )
        for method in ("GET", "POST")
    )


async def fields_of(request: web.Request) -> dict[str, str]:
    """Return the fields of a query and of a form, the form's first; raises ``Problem`` 400."""
    said = dict(request.query)
    if request.method == "POST" and request.content_type in _FORMS:
        try:
            form = await request.post()
        except (ValueError, LookupError):  # no boundary, or a charset that nobody knows
            raise Problem(400, "broken-form", "The form does not arrive as it says") from None
        said |= {name: text for name, text in form.items() if isinstance(text, str)}
    if any(len(text) > _LONGEST.get(name, LONGEST_FIELD) for name, text in said.items()):
        raise Problem(400, "field-too-long", "A parameter is too long")
    return said


async def caller_in(request: web.Request, said: Mapping[str, str], host: Host) -> Caller:
    """Return who asks: by headers or query, or by a form's login. Raises ``Problem`` 401."""
    caller = caller_of(request)
    if caller.kind == "anonymous" and host.callers is not None:
        for login, password in FIELDS:
            if said.get(login):
                address = request.remote or "unknown"
                return await host.callers.of_login(
                    said[login], said.get(password, ""), address=address
                )
    if caller.kind == "anonymous":
        raise unauthorised("Give usr and pwd: the list is its owner's.")
    return caller


def doi_of(text: str) -> str:
    """Return a DOI as the registry holds it, however it is written."""
    plain = text.strip().lower()
    for before in _BEFORE:
        plain = plain.removeprefix(before)
    return plain


def is_prefix(text: str) -> bool:
    """Say whether a text is a bare prefix, not a DOI."""
    return _PREFIX.fullmatch(text) is not None


def period_of(said: Mapping[str, str]) -> Period:
    """Return the days that are asked for; raises ``Problem`` 400 for what is no day."""
    if said.get("date"):
        day = _day("date", said["date"])
        return Period(day, day)
    first, last = (
        _day(name, said[name]) if said.get(name) else None for name in ("startDate", "endDate")
    )
    if first and last and last < first:
        raise Problem(400, "dates-crossed", "endDate lies before startDate")
    return Period(first, last)


def is_true(text: str | None) -> bool:
    """Say whether a parameter is set."""
    return text is not None and text.strip().lower() in _TRUE


def refuse_stale() -> Problem:
    """Return why nothing can be said at the moment."""
    return Problem(
        503,
        "knowledge-stale",
        "Owners and preferences are not known well enough at the moment",
        "Ask again shortly.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def require(seen: Visible | Withheld, reader: Reader) -> None:
    """Raise ``Problem`` where this is not for the reader: 503 for now, else 403."""
    if isinstance(seen, Visible):
        return
    if seen.reason == "knowledge-stale":
        raise refuse_stale()
    who = "This login" if reader.organisation is not None else "This credential"
    raise Problem(403, "not-the-owner", f"{who} is not of the owner of this DOI")


def _day(name: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise Problem(400, "not-a-date", f"{name} is no date YYYY-MM-DD") from None
