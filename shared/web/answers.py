"""Answers made without ceremony: bytes and a header or two."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel


def json_answer(
    value: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """Answer with JSON: a model, bytes that are JSON already, or what orjson can write."""
    if isinstance(value, BaseModel):
        body = value.model_dump_json(by_alias=True).encode()
    elif isinstance(value, bytes):
        body = value
    else:
        body = orjson.dumps(value)
    return _answer(body, status, content_type, headers)


def text_answer(
    text: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "text/plain; charset=utf-8",
) -> web.Response:
    """Answer with text; ``content_type`` says of which kind."""
    return _answer(text.encode(), status, content_type, headers)


def _answer(
    body: bytes, status: int, content_type: str, headers: Mapping[str, str] | None
) -> web.Response:
    # A ready CIMultiDict is taken as it is, which spares aiohttp a copy and a look at its charset.
    named = CIMultiDict(headers or ())
    named["Content-Type"] = content_type
    return web.Response(body=body, status=status, headers=named)
