"""Errors as RFC 9457 problem documents: what is wrong, where, by which rule, and the remedy.

A problem never repeats what was sent: values may be personal, or secret.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import ValidationError

from shared.web.correlation import correlation

TYPE: Final = "urn:colophon:problem:"
NAME_LENGTH: Final = 64  # of a member's name as sent, when a problem points at it
BROKEN_JSON: Final = "json_invalid"


@dataclass(frozen=True, slots=True)
class Error:
    """One fault in a request: a JSON pointer or element path, a line, a rule, a remedy."""

    at: str
    rule: str
    remedy: str = ""
    line: int | None = None

    def stated(self) -> dict[str, str | int]:
        """Return the fault as it stands in the problem document."""
        said: dict[str, str | int] = {"at": self.at, "rule": self.rule}
        if self.remedy:
            said["remedy"] = self.remedy
        if self.line is not None:
            said["line"] = self.line
        return said


class Problem(Exception):
    """A refusal on its way to the caller: raise it, or render it.

    ``slug`` is stable and ends the problem's type; ``title`` is the same for each of its kind and
    ``detail`` is about this one; further members go into the document as they are.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[Error] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.extensions = extensions

    def document(self) -> dict[str, Any]:
        """Return the problem document, without the correlation that rendering adds."""
        said: dict[str, Any] = {
            "type": TYPE + self.slug,
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            said["detail"] = self.detail
        if self.errors:
            said["errors"] = [error.stated() for error in self.errors]
        return said | self.extensions


RenderProblem = Callable[[web.Request, Problem], web.Response]


def render_problem(request: web.Request, problem: Problem) -> web.Response:
    """Answer with a problem document that names the request's correlation."""
    said = problem.document() | {"correlation": correlation(request)}
    return web.Response(
        body=orjson.dumps(said),
        status=problem.status,
        headers={
            "Content-Type": "application/problem+json",
            "Cache-Control": "no-store",
            **problem.headers,
        },
    )


def from_validation(fault: ValidationError, *, status: int = 422) -> Problem:
    """Say where a request does not hold what its model promises; 400 where it is not JSON."""
    errors = []
    broken = False
    for error in fault.errors(include_url=False, include_context=False, include_input=False):
        broken = broken or error["type"] == BROKEN_JSON
        remedy = error["msg"].removeprefix("Value error, ")
        errors.append(Error(pointer(error["loc"]), error["type"], remedy))
    if broken:
        return Problem(400, "not-json", "The body is not JSON", "Nothing was done.", errors=errors)
    title = "The request does not hold what it must"
    return Problem(status, "invalid-request", title, "Nothing was done.", errors=errors)


def pointer(place: Sequence[str | int]) -> str:
    """Return a place in a document as a JSON pointer (RFC 6901)."""
    return "".join(
        "/" + str(part)[:NAME_LENGTH].replace("~", "~0").replace("/", "~1") for part in place
    )


def from_http(fault: web.HTTPException) -> Problem:
    """Turn an error that aiohttp itself raises into a problem."""
    if fault.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large()
    slug = HTTPStatus(fault.status).phrase.lower().replace(" ", "-")
    return Problem(fault.status, slug, HTTPStatus(fault.status).phrase)


def too_large(limit: int | None = None) -> Problem:
    """Refuse a body that is larger than its route takes."""
    detail = f"At most {limit} bytes are taken here." if limit is not None else ""
    return Problem(413, "body-too-large", "The body is too large", detail)


def not_found() -> Problem:
    """Refuse a path that leads nowhere."""
    return Problem(404, "route-not-found", "There is nothing at this address")
