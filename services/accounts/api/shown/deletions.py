"""Deletions of accounts as they are shown: to the holder, or to staff with the reason `delete`."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.accounts.api.shown.status import Status, status
from services.accounts.commands.deletions import Standing
from shared.web import Answer


class Deletion(Answer):
    """A deletion that was asked for, and what it waits for."""

    person: str
    since: datetime
    asked_by: str
    waits_for: Literal["registry", "journals", "completion"] = Field(
        description="`registry`: it has not told yet what hangs on the account. `journals`: these "
        "must be somebody else's first. `completion`: nothing; it is about to be done."
    )
    journals: tuple[str, ...] = Field(description="What hangs on the account, as far as is known.")
    replacement: str | None = Field(description="Who accepted to take the journals over.")
    status: Status

    @classmethod
    def of(cls, standing: Standing) -> "Deletion":
        """Show a deletion that stands."""
        closing = standing.state.closing
        assert closing is not None
        hanging = "journals" if standing.journals else "completion"
        return cls(
            person=standing.state.person,
            since=closing.since,
            asked_by=closing.actor,
            waits_for=hanging if standing.heard else "registry",
            journals=standing.journals,
            replacement=closing.replacement,
            status=status(pending=standing.pending),
        )


class TakenOver(Answer):
    """What somebody accepted; the journals change hands as soon as the registry hears of it."""

    journals: tuple[str, ...]
