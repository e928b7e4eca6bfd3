"""Applications of volunteers as they are shown: to the team, and archived ones to executives."""

from datetime import datetime

from services.accounts.api.shown.people import Fact
from services.accounts.commands.volunteers import Shown
from services.accounts.model.volunteers import KeptVolunteer, Referee
from shared.web import Answer


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

    @classmethod
    def shown(cls, found: Shown) -> "VolunteerItem":
        """Show an item."""
        name = found.applicant.name if found.applicant else None
        return cls(**Verdict.of(found.state).model_dump(), name=name)


class VolunteersPage(Answer):
    """A page of applications, newest first."""

    items: tuple[VolunteerItem, ...]
    next: str | None


class RefereeView(Answer):
    """Somebody who may be asked about an applicant."""

    name: str
    email: str

    @classmethod
    def of(cls, referee: Referee) -> "RefereeView":
        """Show a referee."""
        return cls(name=referee.name, email=referee.email)


class VolunteerView(VolunteerItem):
    """An application with all that it holds."""

    email: str | None
    referees: tuple[RefereeView, ...]
    facts: tuple[Fact, ...]

    @classmethod
    def whole(cls, found: Shown) -> "VolunteerView":
        """Show an application."""
        return cls(
            **VolunteerItem.shown(found).model_dump(),
            email=found.applicant.email if found.applicant else None,
            referees=tuple(RefereeView.of(one) for one in found.referees),
            facts=tuple(
                Fact(at=one.at, what=one.what, actor=one.actor) for one in found.state.facts
            ),
        )
