"""What comes in: request bodies and queries. Unknown fields are refused.

Operators share one credential and cannot be told apart by it, so each names themselves in ``by``.
"""

from datetime import date
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from services.retention.model.holds import Matter, Named, Scope, Staff, Why
from services.retention.model.reviews import WHOLE, Choice
from shared.events.orders import KeptUnits, Word
from shared.events.personal import Pseudonym, RetentionClass
from shared.web import Body

MOST_NAMED = 1_000  # records and keys of one hold; more is a scope
Cursor = Annotated[str, Field(max_length=400, description="As the page before gave it.")]
Rows = Annotated[int, Field(ge=1, le=1_000)]


class NewScope(Body):
    """Which records are meant: those that agree with all that is said, and new ones that do."""

    kind: Word | None = None
    service: Word | None = None
    rule: Word | None = None
    cls: Annotated[RetentionClass | None, Field(alias="class")] = None
    person: Pseudonym | None = None
    about: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        self.scope()
        return self

    def scope(self) -> Scope:
        """Return it as it is kept; raises ``ValueError`` where it says nothing."""
        return Scope(**self.model_dump(by_alias=False))


class NewHold(Body):
    """What is to stay, why, and when to look again (DOAJ-6a4)."""

    matter: Matter
    reason: Word
    placed_by: Staff
    review_on: date
    records: tuple[Named, ...] = Field(default=(), max_length=MOST_NAMED)
    keys: tuple[KeptUnits, ...] = Field(default=(), max_length=MOST_NAMED)
    scope: NewScope | None = None


class Agreeing(Body):
    """Who agrees; not whoever asked."""

    by: Staff


class Releasing(Body):
    """Who ends it, and why."""

    by: Staff
    why: Why


class LookingAgain(Body):
    """Who says that it goes on, why, and until when."""

    by: Staff
    why: Why
    review_on: date


class HoldsQuery(Body):
    """Which holds, newest last."""

    matter: str | None = Field(default=None, max_length=61)
    reason: str | None = Field(default=None, max_length=64)
    standing: bool | None = None
    overdue: bool = Field(default=False, description="Those whose day of review has passed.")
    cursor: Cursor = ""
    rows: Rows = 100


class PageQuery(Body):
    """Which page."""

    cursor: Cursor = ""
    rows: Rows = 100


class ReviewsQuery(Body):
    """Which reviews."""

    open: bool | None = None
    rule: str | None = Field(default=None, max_length=64)
    office: str | None = Field(default=None, max_length=64)
    cursor: Cursor = ""
    rows: Rows = 100


class NewDecision(Body):
    """What somebody decides: of a record of a list, or of the review itself."""

    record: Annotated[str, Field(max_length=200)] = WHOLE
    choice: Choice
    by: Staff
    why: Why
    until: date | None = None


class NewVersion(Body):
    """A version of the schedule, as TOML; ``starts`` is when it is wished to count."""

    text: Annotated[str, Field(min_length=1, max_length=500_000)]
    by: Staff
    starts: AwareDatetime | None = None


class AsOfQuery(Body):
    """How which record stood when."""

    at: AwareDatetime = Field(alias="date")
    kind: Word
    record: Annotated[str, Field(min_length=1, max_length=200)]


class ListQuery(Body):
    """As of when; now where it is left out. A page of it."""

    as_of: AwareDatetime | None = None
    cursor: Cursor = ""
    rows: Rows = 100


class Nothing(Body):
    """A query without parameters."""
