"""Requests of people over HTTP: of people themselves, and of staff on their behalf."""

from dataclasses import replace

from services.retention.api.requests import desk, self_service
from services.retention.commands.requests.context import Requests
from shared.web import Route, bound


def routes(requests: Requests) -> list[Route]:
    """Return the routes."""
    rooms = (self_service, desk)
    return [replace(route, tags=("requests",)) for route in bound(requests, rooms)]
