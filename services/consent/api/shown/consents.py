"""What is shown of consents, to whom they are about and to staff."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.consent.commands.consents import Settled
from services.consent.model.consents import KeptConsent
from shared.events.consent import By, Channel, Happened
from shared.policy.consent import NO, Standing
from shared.web import Answer

Status = Literal["effective", "pending"]


class Fact(Answer):
    """One thing that happened to a consent."""

    at: datetime
    what: Happened
    by: By
    channel: Channel
    said_at: datetime | None
    notice: str | None = Field(description="Label of the notice that was shown.")
    withdrawal: str | None = Field(description="Of a no: what its receipts are found by.")


class Consent(Answer):
    """A consent: what it is worth now, and how it came to that."""

    purpose: str
    worth: Standing
    version: int
    valid_until: datetime | None
    facts: tuple[Fact, ...]
    status: Status | None = None

    @classmethod
    def of(cls, state: KeptConsent, worth: Standing, status: Status | None = None) -> "Consent":
        """Show a consent."""
        return cls(
            purpose=state.purpose,
            worth=worth,
            version=state.version,
            valid_until=state.valid_until,
            facts=tuple(
                Fact(
                    at=fact.at,
                    what=fact.what,
                    by=fact.by,
                    channel=fact.channel,
                    said_at=fact.said_at,
                    notice=fact.notice.label if fact.notice else None,
                    withdrawal=fact.cause if fact.what in NO else None,
                )
                for fact in state.facts
            ),
            status=status,
        )

    @classmethod
    def settled(cls, settled: Settled, worth: Standing) -> "Consent":
        """Show a consent after a change."""
        return cls.of(settled.consent, worth, "pending" if settled.pending else "effective")


class Consents(Answer):
    """All consents of one person, and what else can be chosen."""

    person: str | None
    consents: tuple[Consent, ...]
    purposes: tuple[str, ...] = Field(description="What else can be consented to.")


class Noted(Answer):
    """It was taken; what follows comes by mail, if the address is one that mail reaches."""

    detail: str


class ReceiptKey(Answer):
    """What verifies receipts."""

    name: str
    type: Literal["Ed25519"] = "Ed25519"
    public: str = Field(description="base64url, 32 bytes.")
