"""Settings of retention; each field is the environment variable of the same name."""

from pathlib import Path

from pydantic import Field

from shared.mail import MailSettings
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings, MailSettings):
    """What retention needs beside what every service needs."""

    key_file: Path = Field(
        default=Path(".local/keys/retention.key"),
        description="Key of the codes that people confirm requests by. In the folder of this name "
        "without its ending lie those that waiting mails are sealed under (`kek-<n>.key`). Made at "
        "the first start, the same for all replicas.",
    )
    requests_url: str = Field(
        default="http://127.0.0.1:8000/requests",
        description="Page where people confirm what they asked for; mails with a code link to it.",
    )
    privacy_officer_address: str = Field(
        default="",
        description="Where the privacy officer gets reminders of requests. Empty: none are mailed, "
        "and they stand in the request alone.",
    )
    management_address: str = Field(
        default="",
        description="Where the management hears of what is overdue, and of complaints about the "
        "privacy officer. Empty: nothing is mailed there.",
    )
    request_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How often open requests are looked at: limits, erasures, mails owed.",
    )
