"""What handlers read from a request: numbers in paths, bodies, and whether the caller may."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.accounts.api.problems import no_smaller_switch, problem_of
from services.accounts.errors import Refusal, Slug
from services.accounts.model.requests import PREFIX
from shared.events import Scope
from shared.events.base import OrganisationId
from shared.web import Caller, Problem, body_of, caller_of

M = TypeVar("M", bound=BaseModel)
READERS: Final[tuple[Scope, ...]] = ("admin", "deposit")
T = TypeVar("T")
_VERSION: Final = re.compile(r'"?([0-9]{1,15})"?')
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(OrganisationId)


def organisation_in(request: web.Request) -> int:
    """Return the organisation's number in the path."""
    try:
        return _NUMBER.validate_strings(request.match_info["organisation"])
    except ValidationError:
        raise _unknown("organisation-unknown") from None


def prefix_in(request: web.Request, unknown: Slug = "prefix-not-owned") -> str:
    """Return the prefix in the path; what cannot be one is refused as ``unknown``."""
    prefix = request.match_info["prefix"]
    if not PREFIX.fullmatch(prefix):
        raise _unknown(unknown)
    return prefix


def version_in(request: web.Request) -> int | None:
    """Return the version that If-Match makes the condition, None where it names none."""
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    found = _VERSION.fullmatch(text)
    if found is None:
        raise Problem(400, "if-match-unreadable", 'If-Match names one version, as in "3"')
    return int(found.group(1))


class Paged(Protocol):
    """A query of a list that is read page by page."""

    @property
    def rows(self) -> int:
        """How many to a page."""
        ...

    def model_dump(self, *, exclude: set[str], exclude_defaults: bool) -> dict[str, Any]:
        """Say what else was asked."""
        ...


def next_page(
    path: str, query: Paged, *, states: Sequence[T], mark: Callable[[T], Any]
) -> str | None:
    """Return the address of the page behind ``states``, None where those were the last."""
    if len(states) < query.rows:
        return None
    asked = query.model_dump(exclude={"rows", "after"}, exclude_defaults=True)
    return f"{path}?{urlencode({'rows': query.rows, 'after': mark(states[-1]), **asked})}"


def allowed(request: web.Request, organisation: int, *scopes: Scope) -> Caller:
    """Return the caller if it may act for the organisation in one of these ways."""
    caller = caller_of(request)
    if not any(caller.may(scope, organisation) for scope in scopes):
        raise Problem(
            403,
            "not-yours",
            "This credential may not do this for this organisation",
            f"It needs the scope {' or '.join(scopes)} of the organisation itself.",
        )
    return caller


async def preference_in(request: web.Request, model: type[M]) -> M:
    """Read a body that chooses a preference; another field is refused with the reason (CRR-3)."""
    try:
        return await body_of(request, model)
    except Problem as problem:
        raise no_smaller_switch(problem) from None


def _unknown(slug: Slug) -> Problem:
    return problem_of(Refusal(slug))
