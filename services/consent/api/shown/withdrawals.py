"""What is shown of withdrawals: which service denies by one since when."""

from datetime import datetime

from pydantic import Field

from shared.web import Answer


class Obeying(Answer):
    """One process of a service."""

    replica: str
    live: bool
    since: datetime | None


class Service(Answer):
    """One service that decides by consents."""

    service: str
    obeyed_since: datetime | None = Field(
        description="Null while a live process of it has not said that it obeys."
    )
    replicas: tuple[Obeying, ...]


class Receipt(Answer):
    """A withdrawal and who obeys it; consent itself does since it was decided."""

    withdrawal: str
    purpose: str
    decided_at: datetime
    services: tuple[Service, ...]


class Took(Answer):
    """How long withdrawals took to count at one service, in seconds."""

    service: str
    reports: int
    p50: float
    p99: float
    greatest: float


class Propagation(Answer):
    """How long withdrawals took to count, over the last hour."""

    services: tuple[Took, ...]
