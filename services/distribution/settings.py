"""Settings of distribution; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What distribution needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/distribution.key"),
        description="Key that signs cursors; hosts that share readers share it.",
    )
    search_commit_records: int = Field(
        default=2_000, ge=1, description="Most records between two commits of the search index."
    )
    count_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Pause between two walks that bring citation counts into the search index, by "
        "which lists are sorted.",
    )
    alive_seconds: float = Field(
        default=2.0, gt=0, description="How often a replica says that it is alive."
    )
    oai_url: str = Field(
        default="",
        description="Address of this site as harvesters know it, without a path: put before the "
        "paths of OAI-PMH. Empty: as the request names it.",
    )
    oai_name: str = Field(default="Colophon", description="Name of the repository over OAI-PMH.")
    oai_admin_email: str = Field(
        default="registry@example.org", description="Whom harvesters write to, as Identify says."
    )
    oai_settling_seconds: int = Field(
        default=60,
        ge=0,
        description="How long a deposit may be on its way into lists: the date of a harvested list "
        "is so much older than the present, so that the next harvest from it on misses nothing.",
    )
    kafka_admin_bootstrap: str = Field(
        default="",
        repr=False,
        description="Address of the broker for its administrator, like `KAFKA_BOOTSTRAP`. Where it "
        "is set, the role access keeps indexers' rights as their agreements say.",
    )
    snapshots_dir: Path | None = Field(
        default=None,
        description="Folder of the monthly snapshots; hosts may share it. By default `snapshots` "
        "in `STATE_DIR`. A snapshot takes about twice what is downloaded of it, and a tenth more.",
    )
    snapshot_works: int = Field(
        default=2_000, ge=1, description="Most works in one file of a snapshot."
    )
    pool_limits: bool = Field(
        default=True,
        description="Whether the limits of pools.toml hold; else they are stated alone.",
    )

    @property
    def snapshots(self) -> Path:
        """The folder of the monthly snapshots."""
        return self.snapshots_dir or self.state_dir / "snapshots"
