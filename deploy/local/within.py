"""Run a Python program beside a running copy, with the addresses and the token of that copy.

`python -m deploy.local.within -m deploy.demo story`; with the store and the name of a service as
well, for what belongs to it: `python -m deploy.local.within --as distribution -m ...`
"""

import os
import sys
from collections.abc import Mapping

from deploy.local import containers, store
from deploy.local.home import Home, home_of
from deploy.local.obstacle import Obstacle
from deploy.local.ports import answers, ports_of
from deploy.local.services import SERVICES, client_environment, database_prefix


def main(arguments: list[str]) -> None:
    """Become `python <arguments>`; raises Obstacle when nothing runs to be beside of."""
    service = None
    if arguments[:1] == ["--as"]:
        service, arguments = arguments[1], arguments[2:]
    home, ports = home_of(os.environ), ports_of(os.environ)
    first = SERVICES[0]
    if not answers(ports[first.name]):
        raise Obstacle(
            f"Colophon does not run: nothing answers on port {ports[first.name]} ({first.name}).",
            "Start it with `make run` in another terminal; with COLOPHON_HOME and PORT_SHIFT of"
            " that copy, if it has any.",
        )
    environment = client_environment(SERVICES, home, ports)
    if service is not None:
        environment |= service_environment(service, home, ports)
    os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 - itself


def service_environment(service: str, home: Home, ports: Mapping[str, int]) -> dict[str, str]:
    """Return what a program needs to work on the store of a service that runs."""
    port = ports["store"]
    url = os.environ.get("MONGODB_URL") or store.user_url(home.path / "store", port, service)
    return {
        "MONGODB_URL": url or containers.store_url(port),
        "DATABASE_PREFIX": database_prefix(),
    }


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
