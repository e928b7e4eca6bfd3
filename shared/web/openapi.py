"""The OpenAPI 3.1 document of a site, made of its routes and their models."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.web.routes import Auth, Route

Mode = Literal["validation", "serialization"]
Schemas = dict[tuple[type[BaseModel], Mode], dict[str, Any]]

_NAME: Final = re.compile(r"\{(\+?)([a-z_]+)\}")
_LOGIN: Final[list[dict[str, list[str]]]] = [{"login": []}, {"plus": []}, {"bearer": []}]
_SECURITY: Final[dict[Auth, list[dict[str, list[str]]]]] = {
    "none": [],
    "optional": [{}, *_LOGIN],
    "caller": _LOGIN,
    "operator": [{"bearer": []}],
}
_SCHEMES: Final = {
    "login": {"type": "http", "scheme": "basic", "description": "A role's login and password."},
    "plus": {
        "type": "apiKey",
        "in": "header",
        "name": "Crossref-Plus-API-Token",
        "description": "A Metadata Plus token, with or without `Bearer` before it.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "An operator's or other token."},
}
# Bodies that no model describes: forms, whose fields the route's text names, and files.
_OTHER_BODIES: Final[dict[str, dict[str, Any]]] = {"multipart/form-data": {"type": "object"}}
FORM: Final = "application/x-www-form-urlencoded"
_BYTES: Final[dict[str, Any]] = {"type": "string", "contentMediaType": "application/octet-stream"}
_PROBLEM: Final = {
    "type": "object",
    "description": "What is wrong, where, and the remedy (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Ends with a stable word for this problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "correlation": {"type": "string", "description": "Quote it to the operators."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "rule"],
                "properties": {
                    "at": {"type": "string", "description": "JSON pointer or element path."},
                    "rule": {"type": "string"},
                    "remedy": {"type": "string"},
                    "line": {"type": "integer"},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Info:
    """What the document says of the site itself.

    ``plain``: statuses that it says in plain text, where other refusals are problem documents.
    """

    title: str
    version: str
    description: str = ""
    plain: tuple[int, ...] = ()


def openapi(routes: Sequence[Route], info: Info) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these routes."""
    schemas, definitions = _schemas(routes)
    shared = {name: one for route in routes for name, one in route.parameters.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(
            route, schemas, info
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": info.title,
            "version": info.version,
            "description": info.description,
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions, "Problem": _PROBLEM},
            **({"parameters": shared} if shared else {}),
            "securitySchemes": _SCHEMES,
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[Schemas, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], Mode], None] = {}
    for route in routes:
        for model in (route.request, route.query, route.form):
            if model is not None:
                wanted[model, "validation"] = None
        for answer in route.responses.values():
            if not isinstance(answer, str):
                wanted[answer, "serialization"] = None
    by_model, whole = models_json_schema(
        list(wanted), ref_template="#/components/schemas/{model}", by_alias=True
    )
    return {key: by_model[key] for key in wanted}, whole.get("$defs", {})


def _operation(route: Route, schemas: Schemas, info: Info) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "tags": list(route.tags),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schemas, info),
        "security": _SECURITY[route.auth],
    }
    content = {kind: {"schema": _OTHER_BODIES.get(kind, _BYTES)} for kind in route.accepts}
    if route.request is not None:
        content["application/json"] = {"schema": schemas[route.request, "validation"]}
    if route.form is not None:
        content[FORM] = {"schema": schemas[route.form, "validation"]}
    if content:
        operation["requestBody"] = {"required": not route.bodyless, "content": content}
    return operation


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    return "-".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **route.names.get(name, {})},
            "description": "Slashes may be sent raw or as %2F." if rest else "",
        }
        for rest, name in _NAME.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    shared = [{"$ref": f"#/components/parameters/{name}"} for name in route.parameters]
    if route.query is None:
        return shared
    schema = route.query.model_json_schema(
        by_alias=True, ref_template="#/components/schemas/{model}"
    )
    required = schema.get("required", ())
    return shared + [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": field,
            "description": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _responses(route: Route, schemas: Schemas, info: Info) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if route.auth != "none":
        text = {"text/plain": {"schema": {"type": "string"}}}
        said |= {
            str(status): {"description": HTTPStatus(status).phrase, "content": text}
            for status in info.plain
        }
    for status, answer in route.responses.items():
        if isinstance(answer, str):
            said[str(status)] = {"description": answer}
        else:
            said[str(status)] = {
                "description": (answer.__doc__ or route.summary).strip().splitlines()[0],
                "content": {"application/json": {"schema": schemas[answer, "serialization"]}},
            }
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    said["default"] = {
        "description": "A problem.",
        "content": {"application/problem+json": problem},
    }
    return said
