"""Settings of consent; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.mail import MailSettings
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings, MailSettings):
    """What consent needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/consent.key"),
        description="Key of links in mails and of suppressions. In the folder of this name without "
        "its ending lie the key that signs receipts (`receipts.key`) and those that waiting mails "
        "are sealed under (`kek-<n>.key`).",
    )
    notices_dir: Path | None = Field(
        default=None, description="Folder of notices; by default `notices` among the policies."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8083", description="What links in mails begin with."
    )
    ack_seconds: float = Field(
        default=2.0,
        gt=0,
        description="How long a change waits for the broker before it answers 202.",
    )
    counting_seconds: float = Field(
        default=5.0,
        gt=0,
        description="How often counts of page views are written; a process that is killed loses "
        "those of so long.",
    )
    expiry_seconds: float = Field(
        default=60.0, gt=0, description="How often consents that became too old are looked for."
    )
