"""Callbacks, whoever asked for them: their settings, and one try of one (Standard Webhooks)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import aiohttp
from pydantic import Field, field_validator

from shared.mongo.delivering import Failed, Outcome, Patience, Sent
from shared.privacy.signatures import webhook_headers
from shared.runtime.settings import ServiceSettings
from shared.web.outgoing import networks, post

GONE: Final = 410  # Standard Webhooks: the receiver wants no more of it
_OK: Final = 2  # hundreds


class CallingSettings(ServiceSettings):
    """What a service needs that calls others back."""

    callback_networks: str = Field(
        default="",
        description="Networks that callbacks may go to although their addresses are not public, "
        "such as `10.0.0.0/8, fd00::/8`.",
    )
    callback_seconds: float = Field(
        default=10.0, gt=0, description="How long one try of a callback may take."
    )
    delivery_first_seconds: float = Field(
        default=5.0, gt=0, description="Pause after a delivery's first try; it doubles each time."
    )
    delivery_most_seconds: float = Field(
        default=14_400.0, gt=0, description="Longest pause between tries of a delivery."
    )
    delivery_give_up_hours: float = Field(
        default=72.0, gt=0, description="How long a delivery is tried before it is given up."
    )
    deliveries_kept_days: float = Field(
        default=30.0, gt=0, description="How long a delivery that succeeded can be looked at."
    )

    @field_validator("callback_networks")
    @classmethod
    def _networks(cls, said: str) -> str:
        networks(said)
        return said

    @property
    def patience(self) -> Patience:
        """How long a delivery is tried."""
        return Patience(
            first=self.delivery_first_seconds,
            most=self.delivery_most_seconds,
            span=self.delivery_give_up_hours * 3600,
        )


async def call(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    *,
    secrets: Sequence[str],
    message: str,
    now: datetime,
) -> Outcome:
    """Send a body once, signed with each secret in force; say how that ended."""
    signed = webhook_headers(secrets, body, message=message, timestamp=int(now.timestamp()))
    headers = {"Content-Type": "application/json", "User-Agent": "Colophon", **signed}
    answer = await post(session, url, body, headers)
    if isinstance(answer, str):
        return Failed(answer)
    said = str(answer)
    return Sent(said) if answer // 100 == _OK else Failed(said, final=answer == GONE)
