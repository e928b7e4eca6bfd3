"""Whether the readers of a change have been told of it, as documents of accounts say it."""

from typing import Literal

Status = Literal["effective", "pending"]


def status(*, pending: bool) -> Status:
    """Return the word for whether readers have been told."""
    return "pending" if pending else "effective"
