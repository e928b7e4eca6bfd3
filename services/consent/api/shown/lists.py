"""What is shown of lists."""

from datetime import datetime

from pydantic import Field

from services.consent.model.issues import KeptIssue
from shared.web import Answer


class List(Answer):
    """A list that can be asked for."""

    id: str
    title: str
    says: str
    rhythm: str
    feed: str | None


class Lists(Answer):
    """Every list."""

    lists: tuple[List, ...]


class Issue(Answer):
    """An issue of a list, and how far its sending came; ``consents`` there were when it began."""

    list: str
    issue: str
    asked_at: datetime
    ended_at: datetime | None
    consents: int
    posted: int = Field(description="Mails that wait or were sent.")
    refused: int = Field(description="Not allowed by the gate.")
    unreadable: int = Field(description="Addresses that were erased.")

    @classmethod
    def of(cls, state: KeptIssue) -> "Issue":
        """Show an issue."""
        return cls(
            list=state.listed,
            issue=state.issue,
            asked_at=state.asked_at,
            ended_at=state.ended_at,
            consents=state.consents,
            **state.counted.model_dump(),
        )
