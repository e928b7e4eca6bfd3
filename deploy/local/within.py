"""Run a Python program beside a running copy, with the addresses and the token of that copy.

`python -m deploy.local.within -m deploy.demo story`
"""

import os
import sys

from deploy.local.home import home_of
from deploy.local.obstacle import Obstacle
from deploy.local.ports import answers, ports_of
from deploy.local.services import SERVICES, client_environment


def main(arguments: list[str]) -> None:
    """Become `python <arguments>`; raises Obstacle when nothing runs to be beside of."""
    home, ports = home_of(os.environ), ports_of(os.environ)
    first = SERVICES[0]
    if not answers(ports[first.name]):
        raise Obstacle(
            f"Colophon does not run: nothing answers on port {ports[first.name]} ({first.name}).",
            "Start it with `make run` in another terminal; with COLOPHON_HOME and PORT_SHIFT of"
            " that copy, if it has any.",
        )
    environment = client_environment(SERVICES, home, ports)
    os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 - itself


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
