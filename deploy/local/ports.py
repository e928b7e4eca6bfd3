"""Which port everything listens on: fixed defaults, so that tools and people may rely on them."""

import secrets
import socket
from collections.abc import Iterable, Mapping

from deploy.local.obstacle import Obstacle

HOST = "127.0.0.1"
DEFAULTS: Mapping[str, int] = {
    "console": 8000,
    "distribution": 8080,
    "deposits": 8081,
    "accounts": 8082,
    "consent": 8083,
    "retention": 8084,
    "kafka": 9092,
    "store": 27017,
}
HIGHEST = 65535
FREE_RANGE = range(15000, 27000)  # below what kernels hand out to outgoing connections


def ports_of(environment: Mapping[str, str]) -> dict[str, int]:
    """Return every name's port: `DEPOSITS_PORT` as it is, else the default plus `PORT_SHIFT`."""
    shift = _number(environment, "PORT_SHIFT", 0)
    ports = {}
    for name, default in DEFAULTS.items():
        variable = variable_of(name)
        ports[name] = _number(environment, variable, default + shift)
        if not 0 < ports[name] <= HIGHEST:
            raise Obstacle(
                f"Port {ports[name]} of {name} is no port.",
                f"Choose {variable} or PORT_SHIFT so that it lies between 1 and {HIGHEST}.",
            )
    return ports


def variable_of(name: str) -> str:
    """Return the environment variable that moves the port of `name`."""
    return f"{name.upper()}_PORT"


def require_free(names: Iterable[str], ports: Mapping[str, int]) -> None:
    """Raise Obstacle for the first port that another program holds."""
    for name in names:
        if not is_free(ports[name]):
            raise Obstacle(
                f"Port {ports[name]} on {HOST}, which {name} needs, is taken by another program.",
                f"Stop that program (`ss -ltnp 'sport = :{ports[name]}'` names it), choose another"
                f" port with {variable_of(name)}=..., or move all ports with PORT_SHIFT=20000.",
            )


def is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a server accepts connections on it."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a port that is free now, for what needs no fixed one."""
    while True:
        port = FREE_RANGE.start + secrets.randbelow(len(FREE_RANGE))
        if is_free(port):
            return port


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """Return a different free port for each name."""
    chosen: dict[str, int] = {}
    for name in names:
        port = free_port()
        while port in chosen.values():
            port = free_port()
        chosen[name] = port
    return chosen


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    try:
        return int(text)
    except ValueError:
        raise Obstacle(
            f"{name} is {text!r}, which is no number.", f"Set {name} to a number, or unset it."
        ) from None
