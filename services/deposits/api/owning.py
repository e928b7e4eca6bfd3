"""What the routes about ownership take and show."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.events import TitleState
from shared.events.base import Doi, Prefix

MOST_SUBJECTS: Final = 1_000
FARTHEST: Final = 100_000


def _lowered(said: object) -> object:
    return said.lower() if isinstance(said, str) else said


DoiIn = Annotated[Doi, BeforeValidator(_lowered)]


class Transfer(BaseModel):
    """Works or titles, and the prefix whose owner they go to."""

    model_config = ConfigDict(extra="forbid")

    to: Prefix = Field(description="A prefix that is assigned to the new owner.")
    works: list[DoiIn] = Field(default=[], max_length=MOST_SUBJECTS)
    titles: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field(
        default=[], max_length=MOST_SUBJECTS, description="Ids of titles; their works follow."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Transfer":
        if bool(self.works) == bool(self.titles):
            raise ValueError("give either works or titles")
        return self


class MovedView(BaseModel):
    """A subject that changed its owner."""

    model_config = ConfigDict(populate_by_name=True)

    subject: str
    was: Prefix = Field(serialization_alias="from")
    to: Prefix
    version: int = Field(description="Of its ownership; outlets obey it once they know it.")


class TransferView(BaseModel):
    """What became of a transfer; it may be sent again."""

    to: Prefix
    transferred: list[MovedView]
    unchanged: list[str] = Field(description="These were the new owner's before.")
    unknown: list[str] = Field(description="There is no such work or title.")


class TitleView(BaseModel):
    """A title as registered."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    name: str
    names: tuple[str, ...] = Field(description="Other names it may be deposited by.")
    issns: tuple[str, ...]
    isbns: tuple[str, ...]
    doi: str | None
    owner_prefix: Prefix = Field(serialization_alias="owner-prefix")
    version: int

    @classmethod
    def of(cls, title: TitleState) -> "TitleView":
        """Show a title."""
        return cls(id=title.subject, **title.model_dump(exclude={"subject"}))


class TitlesView(BaseModel):
    """A page of titles, by id."""

    items: list[TitleView]
    next: int | None = Field(description="Value of `offset` for the next page; null at the end.")


class TitlesQuery(BaseModel):
    """Which titles: each field narrows, and an ISSN or ISBN finds one at most."""

    query: str | None = Field(default=None, max_length=500, description="Words of its names.")
    issn: str | None = Field(default=None, pattern=r"^[0-9]{4}-?[0-9]{3}[0-9Xx]$")
    isbn: str | None = Field(default=None, pattern=r"^[0-9-]{9,16}[0-9Xx]$")
    owner_prefix: Prefix | None = Field(default=None, alias="owner-prefix")
    rows: int = Field(default=20, ge=1, le=200)
    offset: int = Field(default=0, ge=0, le=FARTHEST)


class NewName(BaseModel):
    """A further name of a title."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=1000, pattern=r"\S")


class InConflict(BaseModel):
    """One of the DOIs of a conflict."""

    model_config = ConfigDict(populate_by_name=True)

    doi: str
    owner_prefix: Prefix = Field(serialization_alias="owner-prefix")
    created: datetime
    deposited: datetime


class ConflictView(BaseModel):
    """Works that are registered with the same bibliographic metadata."""

    id: str = Field(description="`conflict_id` of the submission log.")
    type: str
    title: str
    works: list[InConflict]


class ConflictsView(BaseModel):
    """A page of conflicts as they are now; it may hold fewer than asked for."""

    items: list[ConflictView]
    next: int | None = Field(description="Value of `offset` for the next page; null at the end.")


class ConflictsQuery(BaseModel):
    """Which conflicts, and how many."""

    prefix: Prefix | None = Field(
        default=None, description="With a DOI of this prefix, or deposited by its owner."
    )
    rows: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=FARTHEST)
