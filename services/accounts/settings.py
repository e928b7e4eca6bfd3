"""Settings of accounts; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.mail import MailSettings
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings, MailSettings):
    """What accounts needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/accounts.key"),
        description="Key of links in mails to contacts and of suppressions. In the folder of this "
        "name without its ending lie the keys that sign people's tokens (`signing-<n>.key`, the "
        "greatest signs) and that waiting mails are sealed under (`kek-<n>.key`). Made at the "
        "first start, the same for all replicas.",
    )
    sign_in_url: str = Field(
        default="http://127.0.0.1:8000/sign-in",
        description="Page where people sign in; mails with a code link to it.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8082", description="What links in mails to contacts begin with."
    )
    ack_seconds: float = Field(
        default=2.0,
        gt=0,
        description="How long a change waits for the broker before it answers 202.",
    )
    settle_seconds: float = Field(
        default=5.0, gt=0, description="How often changes that a crash interrupted are looked for."
    )
