"""Settings of retention."""

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What retention needs."""

    clocks_seconds: float = Field(
        default=0.5, gt=0, description="How often records are looked for whose clocks are due."
    )
    held_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How often what is due and held is looked at, though nobody said that the hold "
        "was released; and what nobody takes.",
    )
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
