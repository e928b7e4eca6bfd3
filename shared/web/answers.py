"""Answers made without ceremony: bytes and a header or two."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web
from multidict import CIMultiDict, istr
from pydantic import BaseModel

_CONTENT_TYPE: Final = istr("Content-Type")
_PLAIN: Final = frozenset({dict, list})


def json_answer(
    value: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """Answer with JSON: a model, bytes that are JSON already, or what orjson can write."""
    # Asking pydantic whether a value is a model is slow, so the common kinds come first.
    if type(value) in _PLAIN:
        body = orjson.dumps(value)
    elif isinstance(value, bytes):
        body = value
    elif isinstance(value, BaseModel):
        body = value.model_dump_json(by_alias=True).encode()
    else:
        body = orjson.dumps(value)
    named = CIMultiDict(headers) if headers else CIMultiDict()
    named[_CONTENT_TYPE] = content_type
    # A ready CIMultiDict is taken as it is, which spares aiohttp a copy and a look at its charset.
    return web.Response(body=body, status=status, headers=named)


def text_answer(
    text: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "text/plain; charset=utf-8",
) -> web.Response:
    """Answer with text; ``content_type`` says of which kind."""
    named = CIMultiDict(headers) if headers else CIMultiDict()
    named[_CONTENT_TYPE] = content_type
    return web.Response(body=text.encode(), status=status, headers=named)
