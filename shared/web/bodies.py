"""What comes in with a request: a JSON body, a query, or a stream, each bounded and checked."""

from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar, get_origin

from aiohttp import BodyPartReader, web
from pydantic import BaseModel, ValidationError

from shared.web.problems import Error, Problem, from_validation, too_large

Model = TypeVar("Model", bound=BaseModel)
READ_BYTES: Final = 2**16


async def body_of(request: web.Request, model: type[Model]) -> Model:
    """Read a JSON body into ``model``; raises ``Problem`` 400, 413, 415 or 422."""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Problem(
            415,
            "not-json",
            "The body must be JSON",
            "Send it with Content-Type: application/json.",
        )
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as fault:
        raise from_validation(fault) from None


def query_of(request: web.Request, model: type[Model]) -> Model:
    """Read the query into ``model``; raises ``Problem`` 400.

    A name that stands twice is an error unless its field is a list or a tuple.
    """
    many = {
        info.alias or name
        for name, info in model.model_fields.items()
        if get_origin(info.annotation) in (list, tuple)
    }
    said: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        if name in many:
            said[name] = values
        elif len(values) > 1:
            error = Error(f"?{name[:64]}", "repeated-parameter", "Give it once.")
            raise Problem(400, "invalid-query", "The query is not valid", errors=[error])
        else:
            said[name] = values[0]
    try:
        return model.model_validate(said)
    except ValidationError as fault:
        raise from_validation(fault, status=400) from None


async def chunks(source: web.Request | BodyPartReader, *, limit: int) -> AsyncIterator[bytes]:
    """Read a body, or a part of one, piece by piece; raises ``Problem`` 413 beyond ``limit``."""
    read = 0
    while True:
        if isinstance(source, BodyPartReader):
            piece = await source.read_chunk(READ_BYTES)
        else:
            piece = await source.content.read(READ_BYTES)
        if not piece:
            return
        read += len(piece)
        if read > limit:
            raise too_large(limit)
        yield piece
