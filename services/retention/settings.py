"""Settings of retention; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What retention needs beside what every service needs."""

    broker_log_dirs: dict[int, Path] = Field(
        default={},
        description="Where the log folders of brokers can be read, by the broker's id, as JSON: "
        '`{"1": "/var/lib/kafka"}`. There receipts of compaction and scans rest on the files '
        "themselves; without it on full reads of the topics, which show the leading replica alone.",
    )
    rotation_seconds: float = Field(
        default=5.0, gt=0, description="How often it is looked whether a key epoch is to begin."
    )
