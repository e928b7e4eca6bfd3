"""Settings of a service that sends mail; each field is the variable of the same name."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MailSettings(BaseSettings):
    """How mail leaves, and what stands in each."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    smtp_url: str = Field(
        default="",
        repr=False,
        description="The SMTP server: `smtp://user:password@host:587` (STARTTLS is insisted on; "
        "`?starttls=never` for a catcher on the same machine), `smtps://host:465` for TLS from the "
        "beginning; user and password percent-encoded. Empty: mails wait in the queue, and "
        "`colophon_mail_transport` is 0.",
    )
    mail_from: str = Field(
        default="Colophon <noreply@colophon.example>", description="The sender of every mail."
    )
    preferences_url: str = Field(
        default="http://127.0.0.1:8000/preferences",
        description="Page where people choose what mail they get; it stands in each service mail.",
    )
    mail_seconds: float = Field(
        default=30.0, gt=0, description="How long one try to hand over a mail may take."
    )
    mail_first_seconds: float = Field(
        default=5.0, gt=0, description="Pause after the first try that failed; it doubles."
    )
    mail_most_seconds: float = Field(
        default=300.0, gt=0, description="Longest pause between two tries."
    )
    mail_give_up_hours: float = Field(
        default=96.0,
        gt=0,
        description="A mail that no server took in this time is given up, and its text forgotten. "
        "RFC 5321 section 4.5.4.1 asks for four or five days.",
    )
