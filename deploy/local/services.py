"""The services of this machine: what each is called, owns and offers. A new one is a line here."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.home import ROOT, Home
from deploy.local.platform import Platform
from deploy.local.ports import HOST

DRAIN_SECONDS = 6.0  # a person who presses Ctrl-C waits no longer


@dataclass(frozen=True, slots=True)
class Service:
    """One process, `python -m <module>`, with every role of the service.

    `databases` are what it may read and write; `offers` and `look` tell people what is where.
    """

    name: str
    module: str
    offers: str
    look: str
    databases: tuple[str, ...]


SERVICES = (
    Service(
        "accounts", "services.accounts", "organisations", "/openapi.json", ("accounts", "keys")
    ),
    Service("consent", "services.consent", "consent", "/notices", ("consent", "keys")),
    Service("deposits", "services.deposits", "deposits", "/openapi.json", ("deposits", "keys")),
    Service("distribution", "services.distribution", "works", "/works", ("distribution",)),
    Service("retention", "services.retention", "keys", "/openapi.json", ("retention", "keys")),
)


def database_prefix() -> str:
    """Return what stands before every database's name."""
    return os.environ.get("DATABASE_PREFIX", "colophon_")


def rights_of(services: tuple[Service, ...]) -> dict[str, list[str]]:
    """Return the store's users: each service with its own databases and no other."""
    prefix = database_prefix()
    return {one.name: [prefix + database for database in one.databases] for one in services}


def url_of(service: Service, ports: Mapping[str, int]) -> str:
    """Return the address of a service's site."""
    return f"http://{HOST}:{ports[service.name]}"


def command_of(service: Service) -> list[str]:
    """Return the command that runs every role of a service in one process."""
    return [sys.executable, "-m", service.module]


def environment_of(
    service: Service, home: Home, ports: Mapping[str, int], running: Platform
) -> dict[str, str]:
    """Return the settings of one service; what the person's environment says otherwise, stays."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "KAFKA_BOOTSTRAP": running.kafka_bootstrap,
        "MONGODB_URL": running.store_urls[service.name],
        "DATABASE_PREFIX": database_prefix(),
        "HTTP_HOST": HOST,
        "HTTP_PORT": str(ports[service.name]),
        "OPERATOR_TOKEN_FILE": str(home.operator_token),
        "LOGIN_KEY_FILE": str(home.keys / "login.key"),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "STATE_DIR": str(home.path / service.name),
        "KEY_FILE": str(home.keys / f"{service.name}.key"),
        "REPLICA": f"{service.name}-1",  # after a crash it takes up at once what it had
        **_seen(service, running),
    }


def _seen(service: Service, running: Platform) -> dict[str, str]:
    """Return where retention can look into the log's files: where the broker is ours."""
    state = getattr(running.broker.node, "state", None)
    if state is None or service.name != "retention" or "BROKER_LOG_DIRS" in os.environ:
        return {}
    return {"BROKER_LOG_DIRS": json.dumps({"1": str(state)})}


def client_environment(
    services: tuple[Service, ...], home: Home, ports: Mapping[str, int]
) -> dict[str, str]:
    """Return what a program needs to speak with the services as a client and as the operator."""
    urls = {f"{one.name.upper()}_URL": url_of(one, ports) for one in services}
    return {
        **os.environ,
        **urls,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "KAFKA_BOOTSTRAP": os.environ.get("KAFKA_BOOTSTRAP") or f"{HOST}:{ports['kafka']}",
        "OPERATOR_TOKEN_FILE": str(home.operator_token),
        "COLOPHON_HOME": str(home.path),
    }
