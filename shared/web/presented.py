"""What a request shows to prove who sends it, in every spelling that clients use."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from multidict import CIMultiDictProxy, istr

from shared.web.problems import Problem

# Spellings that clients send (deposits: form fields; Cited-by: query).
FIELDS: Final = (("login_id", "login_passwd"), ("usr", "pwd"))
_AUTHORIZATION: Final = istr("Authorization")
_PLUS: Final = istr("Crossref-Plus-API-Token")
_API_KEY: Final = istr("crossref-api-key")
VARY: Final = "Authorization, Crossref-Plus-API-Token, crossref-api-key"


@dataclass(frozen=True, slots=True)
class Login:
    """A login and password as said; neither shows."""

    login: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as said; ``bearer`` when in Authorization, where operators' stand too."""

    token: str = field(repr=False)
    bearer: bool = field(default=False, compare=False)


def presented(request: web.Request, *, in_query: bool) -> Login | Token | None:
    """Return the credential that a request shows, None where it shows none.

    Raises ``Problem`` 400 where it shows two that differ, 401 where one cannot be read.
    """
    if not in_query and not shows_credential(request.headers):
        return None
    said = set(_shown(request, in_query=in_query))
    if len(said) > 1:
        raise Problem(
            400,
            "two-credentials",
            "The request shows two different credentials",
            "Show the one that you mean.",
        )
    return said.pop() if said else None


def shows_credential(headers: CIMultiDictProxy[str]) -> bool:
    """Say whether any header shows a credential; asked on every request."""
    return _AUTHORIZATION in headers or _PLUS in headers or _API_KEY in headers


def unauthorised(detail: str) -> Problem:
    """Refuse a caller that did not prove who it is."""
    return Problem(
        401,
        "unauthorised",
        "The caller did not prove who it is",
        detail,
        headers={
            "WWW-Authenticate": 'Bearer realm="Colophon", Basic realm="Colophon", charset="UTF-8"'
        },
    )


def _shown(request: web.Request, *, in_query: bool) -> Iterator[Login | Token]:
    for text in request.headers.getall(_AUTHORIZATION, ()):
        yield _authorization(text)
    for name in (_PLUS, _API_KEY):
        for text in request.headers.getall(name, ()):
            scheme, _, token = text.partition(" ")
            yield _token(token if scheme.lower() == "bearer" else text, bearer=False)
    if in_query:
        for login, password in FIELDS:
            if login in request.query:
                yield Login(request.query[login], request.query.get(password, ""))


def _authorization(text: str) -> Login | Token:
    scheme, _, rest = text.partition(" ")
    match scheme.lower():
        case "bearer":
            return _token(rest, bearer=True)
        case "basic":
            return _basic(rest)
        case _:
            raise unauthorised("Authorization takes Basic or Bearer.")


def _token(text: str, *, bearer: bool) -> Token:
    token = text.strip()
    if not token:
        raise unauthorised("The token is empty.")
    return Token(token, bearer)


def _basic(text: str) -> Login:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise unauthorised("Basic credentials are not base64.") from None
    try:
        pair = raw.decode()
    except UnicodeDecodeError:
        pair = raw.decode("latin-1")  # RFC 7617 section 2.1: without charset, clients differ
    login, colon, password = pair.partition(":")
    if not colon:
        raise unauthorised("Basic credentials have no colon.")
    return Login(login, password)
