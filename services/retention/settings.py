"""Settings of retention, beside those that every service has."""

from pathlib import Path

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What retention needs."""

    key_file: Path = Field(
        default=Path(".local/keys/retention.key"),
        description="Key that signs certificates and access packages; made at the first start.",
    )
    register_file: Path = Field(
        default=Path("docs/interfaces/personal-data.json"),
        description="The register of what is held of people, as `python -m deploy.docs` writes it.",
    )
