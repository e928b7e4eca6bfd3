"""Settings of retention."""

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What retention needs."""

    upkeep_seconds: float = Field(
        default=2.0,
        gt=0,
        description="How often holds that were placed or released, reviews and lists are looked "
        "after.",
    )
    sweep_seconds: float = Field(
        default=300.0,
        gt=0,
        description="How often records are sought that a standing hold means and nobody brought "
        "under it, and keys asked about again that were fenced when a hold came.",
    )
