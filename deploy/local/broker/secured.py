"""Settings of a broker that asks who calls, on every listener.

`make run` starts one that does not: it listens on the loopback address of one person's machine. A
broker that others reach needs users; the tests of rights start one.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.ports import HOST

STATIC = Path(__file__).with_name("users.properties")
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
IDLE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Users:
    """How a broker with users is reached inside: the port of its administrator, and his password.

    A connection on which no request came for `idle_seconds` is closed, also while it waits for an
    answer: nobody who lost a right waits longer than that for records (docs/operations.md).
    """

    inside: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    idle_seconds: int = IDLE_SECONDS

    @property
    def administrator(self) -> str:
        """The administrator's address, as KAFKA_BOOTSTRAP takes it."""
        return f"sasl://admin:{self.password}@{HOST}:{self.inside}?mechanism=PLAIN"

    def settings(self, port: int, controller: int) -> list[str]:
        """Return the broker's settings for one start; it calls itself by a word of that start."""
        word = secrets.token_urlsafe(24)
        broker = f'{PLAIN} username="broker" password="{word}" user_broker="{word}"'
        reached = f"CLIENTS://{HOST}:{port},INSIDE://{HOST}:{self.inside}"
        return [
            STATIC.read_text(encoding="ascii"),
            f"listeners={reached},CONTROLLER://{HOST}:{controller}",
            f"advertised.listeners={reached}",
            f'listener.name.inside.plain.sasl.jaas.config={broker} user_admin="{self.password}";',
            f"listener.name.controller.plain.sasl.jaas.config={broker};",
            f"connections.max.idle.ms={self.idle_seconds * 1000}",
        ]


def open_settings(port: int, controller: int) -> list[str]:
    """Return the settings of a broker that asks nobody, on the loopback address alone."""
    return [
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        f"advertised.listeners=PLAINTEXT://{HOST}:{port}",
    ]
