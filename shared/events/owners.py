"""Events of deposits about who owns journals: what hangs on an account, and when nothing does.

A person is named as their signed tokens name them, by the pseudonym of accounts; nothing else of
them is known here.
"""

from typing import Annotated, Final

from pydantic import Field

from shared.events.base import Event, State, Version
from shared.events.personal import Pseudonym

MOST_JOURNALS: Final = 2_000  # of one owner: each change says all of them

JournalId = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,63}$",
        description="A journal, by an ISSN of it or another id.",
        examples=["1234-5678"],
    ),
]


class Holding(State):
    """A journal on a person's list, there for one of its turns."""

    journal: JournalId
    turn: Version = Field(description="Grows by one each time the journal changes hands.")


class OwnerState(State):
    """What hangs on a person's account: journals that are theirs, or are just coming or going."""

    person: Pseudonym
    heard: Version = Field(description="Version of the person that this obeys.")
    closing: Version | None = Field(
        default=None, description="The deletion that was asked for, by its number; null: none."
    )
    heir: Pseudonym | None = Field(
        default=None, description="Who accepted to take the journals over."
    )
    journals: tuple[Holding, ...] = Field(default=(), max_length=MOST_JOURNALS)
    released: Version | None = Field(
        default=None, description="The deletion that nothing stands in the way of, by its number."
    )
    version: Version


class OwnerChanged(OwnerState, Event, topic="deposits.owners.v1", key="person"):
    """A journal came or went, or a deletion was heard of or taken back."""


class OwnerReleased(OwnerState, Event, topic="deposits.owners.v1", key="person"):
    """No journal hangs on the account, and none comes to it while its deletion stands."""
