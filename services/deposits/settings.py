"""Settings of deposits; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.web.calling import CallingSettings


class Settings(CallingSettings):
    """What deposits needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/deposits.key"),
        description="Key under which file names and batch ids are looked up. The keys that wrap "
        "the keys of raw deposits lie beside it, in the folder of the same name without ending.",
    )
    deposit_schemas: Path | None = Field(
        default=None,
        description="Folder with Crossref's XSDs; where it is named, deposits are validated.",
    )
    deposit_bytes: int = Field(
        default=150_000_000, gt=0, description="Largest deposit file taken, in bytes."
    )
    pending_per_user: int = Field(
        default=10_000, gt=0, description="Most unprocessed submissions of one login; then 503."
    )
    pending: int = Field(
        default=20_000, gt=0, description="Most unprocessed submissions of all logins; then 503."
    )
    sync_seconds: float = Field(
        default=60.0, gt=0, description="How long POST /v2/deposits waits for the diagnostic."
    )
    lease_seconds: float = Field(
        default=15.0,
        gt=0,
        description="How long after a worker's last sign another one resumes its submissions.",
    )
    workers: int = Field(default=2, gt=0, description="Workers in one process.")
    submissions_in_hand: int = Field(
        default=16, gt=0, description="Submissions that one worker reads at a time, by turns."
    )
    public_url: str = Field(
        default="", description="Address of this site as clients know it; put before its links."
    )
    works_url: str = Field(
        default="", description="Address of the site that shows works; put before links to them."
    )
    callback_secret_overlap_hours: float = Field(
        default=24.0,
        ge=0,
        description="How long callbacks are signed with the former secret too, after a new one.",
    )
    settle_seconds: float = Field(
        default=5.0, gt=0, description="How often journals that a crash left behind are looked for."
    )
    knowledge_seconds: float = Field(
        default=5.0,
        gt=0,
        description="Age beyond which knowledge of prefixes and logins no longer counts.",
    )
