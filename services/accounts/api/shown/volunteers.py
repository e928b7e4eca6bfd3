"""Applications of volunteers as they are shown: to the team, and archived ones to executives."""

from datetime import datetime
from typing import Final

from pydantic import Field

from services.accounts.api.shown.people import Fact
from services.accounts.commands.volunteers import Shown
from services.accounts.model.volunteers import KeptVolunteer, Referee
from shared.privacy.vault import Opened, Withheld
from shared.web import Answer

WITHHELD: Final = "Why what stands beside it is null: restricted by a hold, or gone."


class Applied(Answer):
    """An application was taken; the answer is the same whoever applies."""

    status: str = "received"


class Verdict(Answer):
    """How an application stands, without who it is of."""

    application: str
    status: str
    category: str | None
    applied_at: datetime
    decided_at: datetime | None
    archived_at: datetime | None

    @classmethod
    def of(cls, state: KeptVolunteer) -> "Verdict":
        """Show a verdict."""
        return cls(**{name: getattr(state, name) for name in cls.model_fields})


class VolunteerItem(Verdict):
    """An application in a list."""

    name: str | None
    withheld: Withheld | None = Field(description=WITHHELD)

    @classmethod
    def shown(cls, found: Shown) -> "VolunteerItem":
        """Show an item."""
        opened = found.applicant
        return cls(
            **Verdict.of(found.state).model_dump(),
            name=opened.data.name if opened and opened.data else None,
            withheld=opened.withheld if opened else "gone",
        )


class VolunteersPage(Answer):
    """A page of applications, newest first."""

    items: tuple[VolunteerItem, ...]
    next: str | None


class RefereeView(Answer):
    """Somebody who may be asked about an applicant."""

    name: str | None
    email: str | None
    withheld: Withheld | None = Field(description=WITHHELD)

    @classmethod
    def of(cls, opened: Opened[Referee]) -> "RefereeView":
        """Show a referee."""
        referee = opened.data
        return cls(
            name=referee.name if referee else None,
            email=referee.email if referee else None,
            withheld=opened.withheld,
        )


class VolunteerView(VolunteerItem):
    """An application with all that it holds."""

    email: str | None
    referees: tuple[RefereeView, ...]
    facts: tuple[Fact, ...]

    @classmethod
    def whole(cls, found: Shown) -> "VolunteerView":
        """Show an application."""
        applicant = found.applicant.data if found.applicant else None
        return cls(
            **VolunteerItem.shown(found).model_dump(),
            email=applicant.email if applicant else None,
            referees=tuple(RefereeView.of(one) for one in found.referees),
            facts=tuple(
                Fact(at=one.at, what=one.what, actor=one.actor) for one in found.state.facts
            ),
        )
