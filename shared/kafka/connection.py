"""Where the broker is and who we are there: the one place that reads ``KAFKA_BOOTSTRAP``.

``host:port,...`` names a broker that asks nobody who calls. ``sasl://user:password@host:port,...``
proves a user, ``sasls://`` the same over TLS. What is said of a mistake repeats nothing of the
address, and no representation of one shows its password.
"""

import ssl
from dataclasses import dataclass, field
from re import compile as pattern
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

MECHANISMS: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
SCHEMES: Final = {"sasl": "SASL_PLAINTEXT", "sasls": "SASL_SSL"}
SHAPE: Final = (
    "sasl://user:password@host:port,...?mechanism=SCRAM-SHA-256, sasls:// over TLS, with what is"
    " special in user and password percent-encoded"
)
_SERVER: Final = pattern(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@?#\[\],]+):[0-9]{1,5}")


class BadAddress(ValueError):
    """The broker's address cannot be read; says which part, never what stands in it."""

    def __init__(self, mistake: str) -> None:
        super().__init__(f"the broker's address is not {SHAPE}: {mistake}")


@dataclass(frozen=True, slots=True)
class Connection:
    """An address, taken apart; ``protocol`` is Kafka's word, ``user`` empty where nobody asks."""

    servers: str
    protocol: str = "PLAINTEXT"
    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = MECHANISMS[0]
    authorities: str | None = None  # a file; null: the system's


def parse(address: str) -> Connection:
    """Take an address apart. Raises ``BadAddress``."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return Connection(address)
    if scheme not in SCHEMES:
        raise BadAddress("it begins otherwise")
    head, _, query = rest.partition("?")
    caller, at, servers = head.rpartition("@")
    user, colon, password = caller.partition(":")
    if not (at and colon and user and password):
        raise BadAddress("user or password is missing")
    servers = servers.removesuffix("/")
    if not all(_SERVER.fullmatch(one) for one in servers.split(",")):
        raise BadAddress("a server is not host:port")
    options = _options(query, tls=scheme == "sasls")
    return Connection(
        servers=servers,
        protocol=SCHEMES[scheme],
        user=unquote(user),
        password=unquote(password),
        mechanism=options.get("mechanism", MECHANISMS[0]),
        authorities=options.get("ca"),
    )


def _options(query: str, *, tls: bool) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if not options.keys() <= ({"mechanism", "ca"} if tls else {"mechanism"}):
        raise BadAddress("there is mechanism=, with sasls:// ca=, and nothing else, behind the ?")
    if options.get("mechanism", MECHANISMS[0]) not in MECHANISMS:
        raise BadAddress(f"mechanism is none of {', '.join(MECHANISMS)}")
    return options


def client(address: str) -> dict[str, Any]:
    """Return the keyword arguments by which any aiokafka client reaches ``address``.

    Raises ``BadAddress``, and ``OSError`` where the file of authorities cannot be read.
    """
    found = parse(address)
    arguments: dict[str, Any] = {"bootstrap_servers": found.servers}
    if found.user:
        arguments |= {
            "security_protocol": found.protocol,
            "sasl_mechanism": found.mechanism,
            "sasl_plain_username": found.user,
            "sasl_plain_password": found.password,
        }
    if found.protocol == SCHEMES["sasls"]:
        arguments["ssl_context"] = ssl.create_default_context(cafile=found.authorities)
    return arguments
