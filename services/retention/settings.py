"""Settings of retention; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.mail import MailSettings
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings, MailSettings):
    """What retention needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/retention.key"),
        description="Key of the codes that people confirm requests by. Beside it lies the private "
        "key that signs checkpoints of the transparency log and certificates, in a file of the "
        "same name and `.log`; in the folder of this name without its ending those that waiting "
        "mails are sealed under (`kek-<n>.key`). Made at the first start, the same for all "
        "replicas.",
    )
    requests_url: str = Field(
        default="http://127.0.0.1:8000/requests",
        description="Page where people confirm what they asked for; mails with a code link to it.",
    )
    privacy_officer_address: str = Field(
        default="",
        description="Where the privacy officer gets reminders of requests. Empty: they "
        "stay due, and `colophon_requests_untold` counts them.",
    )
    management_address: str = Field(
        default="",
        description="Where the management hears of what is overdue, and of complaints about the "
        "privacy officer. Empty: that stays due, as above.",
    )
    request_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How often open requests are looked at: limits, erasures, mails owed.",
    )
    broker_log_dirs: dict[int, Path] = Field(
        default={},
        description="Where the log folders of brokers can be read, by the broker's id, as JSON: "
        '`{"1": "/var/lib/kafka"}`. There receipts of compaction and scans rest on the files '
        "themselves; without it on full reads of the topics, which show the leading replica alone.",
    )
    rotation_seconds: float = Field(
        default=5.0, gt=0, description="How often it is looked whether a key epoch is to begin."
    )
    log_origin: str = Field(
        default="colophon.invalid/retention",
        pattern=r"^[A-Za-z0-9._:/-]{1,200}$",
        description="Name of the transparency log, in each of its checkpoints: a name that is "
        "yours, such as a host and a path. It stays for the life of the log.",
    )
    checkpoint_seconds: float = Field(
        default=60.0,
        gt=0,
        description="So long after a record came in at the latest a checkpoint over it is signed.",
    )
    checkpoint_leaves: int = Field(
        default=256, ge=1, description="After so many records a checkpoint is signed at once."
    )
    witness_keys_file: Path | None = Field(
        default=None,
        description="File of the public keys of witnesses whose cosignatures are taken, one a "
        "line, `<name>+<id>+<base64> [<first size> [<last size>]]`; docs/proof.md.",
    )

    register_file: Path = Field(
        default=Path("docs/interfaces/personal-data.json"),
        description="The register of what is held of people, as `python -m deploy.docs` writes it.",
    )

    clocks_seconds: float = Field(
        default=0.5, gt=0, description="How often records are looked for whose clocks are due."
    )
    held_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How often what is due and held is looked at, though nobody said that the hold "
        "was released; and what nobody takes.",
    )
    heard_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Nothing due is acted on unless all facts were heard that had been written so "
        "long ago.",
    )
    clock_skew_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Nothing due is acted on while the clock of this machine is so far ahead of "
        "the store's, of the broker's, or of the time that passed since it agreed with them.",
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

    @property
    def log_key_file(self) -> Path:
        """The file of the key that the log signs with."""
        return self.key_file.with_name(f"{self.key_file.name}.log")
