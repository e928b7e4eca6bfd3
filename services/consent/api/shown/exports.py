"""What is shown of exports: how many and by which rows, never who."""

from datetime import datetime

from services.consent.model.exports import KeptExport
from shared.web import Answer


class Given(Answer):
    """One download: which edition, how many rows, and the SHA-256 of the encrypted file."""

    at: datetime
    edition: int
    rows: int
    sha: str


class Export(Answer):
    """An export; ``rows`` are those that are in it now."""

    export: str
    processor: str
    purpose: str
    category: str
    list: str
    fields: tuple[str, ...]
    reason: str
    requester: str
    asked_at: datetime
    approver: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    edition: int
    rows: int
    given: tuple[Given, ...]

    @classmethod
    def of(cls, state: KeptExport) -> "Export":
        """Show an export."""
        return cls(
            **state.model_dump(exclude={"rows", "listed", "version"}),
            list=state.listed,
            rows=len(state.there),
        )


class Withdrawal(Answer):
    """A row that the processor was given and must delete."""

    row: str
    gone_at: datetime
    deleted_at: datetime | None


class Withdrawals(Answer):
    """What a processor must delete of an export, and what it said it did."""

    export: str
    processor: str
    edition: int
    withdrawals: tuple[Withdrawal, ...]

    @classmethod
    def of(cls, state: KeptExport) -> "Withdrawals":
        """Show the rows of those who left."""
        return cls(
            export=state.export,
            processor=state.processor,
            edition=state.edition,
            withdrawals=tuple(Withdrawal.like(row) for row in state.to_delete),
        )
