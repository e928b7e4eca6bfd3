"""Health and figures of a process that runs roles without an interface."""

from functools import partial

from shared.runtime.health import Health
from shared.runtime.service import Role
from shared.runtime.settings import ServiceSettings
from shared.web.openapi import Info
from shared.web.serve import serve
from shared.web.site import build_site


def health_alone(service: str, health: Health, settings: ServiceSettings) -> Role:
    """Return a role that serves ``/healthz``, ``/readyz`` and ``/metrics`` on the HTTP port."""
    info = Info(title=f"Colophon: {service}, without its interfaces", version="1")
    return partial(
        serve,
        build_site(service, (), health=health, info=info),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
    )
