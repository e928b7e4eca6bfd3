"""Settings of accounts; each field is the environment variable of the same name."""

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What accounts needs beside what every service needs."""

    ack_seconds: float = Field(
        default=2.0,
        gt=0,
        description="How long a change waits for the broker before it answers 202.",
    )
    settle_seconds: float = Field(
        default=5.0, gt=0, description="How often changes that a crash interrupted are looked for."
    )
