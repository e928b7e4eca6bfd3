"""Settings every service shares; each service adds its own. Read from the environment."""

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Where the broker and the store are and how this process presents itself.

    Each field is the environment variable of the same name in capitals.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        repr=False,
        description="Broker addresses, comma-separated host:port. With a user: "
        "`sasl://user:password@host:port,...?mechanism=SCRAM-SHA-256` (also `SCRAM-SHA-512`, "
        "`PLAIN`), `sasls://` over TLS with `&ca=<file>` where the system does not know the "
        "authority; user and password percent-encoded.",
    )
    topic_prefix: str = Field(
        default="", description="Put before every topic, group and transactional id; for tests."
    )
    mongodb_url: str = Field(
        default="mongodb://127.0.0.1:27017", description="Address of the document store."
    )
    mongodb_driver: Literal["pymongo", "motor"] = Field(
        default="pymongo", description="The driver; motor is deprecated and kept selectable."
    )
    database_prefix: str = Field(
        default="colophon_", description="A service's database is this and its name."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the HTTP site listens on.")
    http_port: int = Field(default=0, description="Port of the HTTP site; 0 takes a free one.")
    operator_token_file: Path = Field(
        default=Path(".local/operator.token"), description="File with the operators' bearer token."
    )
    login_key_file: Path = Field(
        default=Path(".local/keys/login.key"),
        description="Key under which all services hash logins; made by the first that starts.",
    )
    keys_dir: Path | None = Field(
        default=None,
        description="Folder of the keys that all services share: `kek-<n>.key` of personal data, "
        "`index-<n>.key` of addresses; outside of every backup. By default that of "
        "`LOGIN_KEY_FILE`.",
    )
    idle_seconds: float = Field(
        default=75.0,
        gt=0,
        description="How long a connection is kept on which no whole request head comes.",
    )
    body_stall_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Over so long at least 500 bytes a second of a body must come; then 408.",
    )
    body_seconds: float = Field(
        default=2_700.0,
        gt=0,
        le=3_000,
        description="How long a body may take in all; then 408. Below the hour after which files "
        "without a submission are swept.",
    )
    state_dir: Path = Field(
        default=Path(".local/state"), description="Folder for what this host can rebuild."
    )
    policies_dir: Path = Field(
        default=Path("deploy/policies"), description="Folder of the policy files."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged."
    )
    log_json: bool = Field(default=False, description="Log JSON instead of key=value.")
    replica: str = Field(
        default="",
        description="Name of this replica, its own among all that run. Under the same name it "
        "takes up at once after a crash what it had; empty: host and process id, and others take "
        "over when its leases have run out.",
    )
    drain_seconds: float = Field(
        default=20.0, description="Time to finish work in hand after SIGTERM; compose grants 30."
    )

    nudge_seconds: float | None = Field(
        default=None,
        gt=0,
        description="How often a partition that waits to be compacted is written to, of the topics "
        "of this service that are nudged; empty: as deploy/topics.toml says.",
    )

    @property
    def shared_keys(self) -> Path:
        """The folder of the keys that all services share."""
        return self.keys_dir or self.login_key_file.parent

    @property
    def replica_name(self) -> str:
        """The name of this process among all that run."""
        return self.replica or f"{socket.gethostname()}-{os.getpid()}"
