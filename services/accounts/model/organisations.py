"""Organisations: who they are, their account default, and what is still to be carried out.

An organisation's document is where everything about several of its prefixes is decided first: a
prefix to be assigned or taken over and a new account default stand here before any prefix's own
document says so, and stay unsettled until each of them does. So no order of crashes and races loses
one.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from services.accounts.errors import Refusal
from shared.events import OrganisationChanged, OrganisationRegistered, OrganisationState, Setting
from shared.events.base import Prefix, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying


class Assignment(State):
    """A prefix as an operator gave it: its publisher name, and what was chosen for it before."""

    prefix: Prefix
    name: str
    setting: Setting | None = None
    since: date | None = None


class Taking(State):
    """A prefix that an operator gives this organisation from another one.

    ``name`` is its publisher name from then on; ``seen`` the prefix's version that the operator
    decided on: a prefix that has moved on since is left as it is.
    """

    prefix: Prefix
    name: str
    seen: Version


class KeptOrganisation(OrganisationState):
    """An organisation's document.

    ``default_version`` is the version at which the account default was last set; ``assigning`` are
    prefixes promised to it, ``taking`` such as another one owns; ``unsettled`` says that prefixes
    may not know all of this yet.
    """

    default_version: int = 0
    default_actor: str = "operator"
    assigning: tuple[Assignment, ...] = ()
    taking: tuple[Taking, ...] = ()
    unsettled: bool = False


Decided = Accepted[KeptOrganisation] | Unchanged[KeptOrganisation] | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Described:
    """How an organisation is described; ``names`` are its other names."""

    name: str
    names: tuple[str, ...] = ()
    location: str | None = None

    def all_names(self) -> tuple[str, ...]:
        """Return every name once, the primary one first."""
        return tuple(dict.fromkeys((self.name, *self.names)))


def folded(name: str) -> str:
    """Return a name as it is compared: without regard to case, spacing or Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def register(
    known: KeptOrganisation | None, organisation: int, said: Described, *, now: datetime
) -> Decided:
    """Enter an organisation under the number chosen for it; the same again is no change."""
    if known is not None:
        same = (known.name, known.names, known.location) == (
            said.name,
            said.all_names(),
            said.location,
        )
        return Unchanged(known) if same else Refused(Refusal("organisation-differs"))
    state = KeptOrganisation(
        organisation=organisation,
        name=said.name,
        names=said.all_names(),
        location=said.location,
        registered_at=now,
        version=1,
    )
    return Accepted(state, (saying(OrganisationRegistered, state),))


def describe(known: KeptOrganisation | None, said: Described) -> Decided:
    """Change names or location."""
    if known is None:
        return Refused(Refusal("organisation-unknown"))
    return _changed(
        known, {"name": said.name, "names": said.all_names(), "location": said.location}
    )


def choose_default(
    known: KeptOrganisation | None, setting: Setting | None, *, actor: str
) -> Decided:
    """Set the account's one preference (CRR-4); its prefixes follow."""
    if known is None:
        return Refused(Refusal("organisation-unknown"))
    if known.account_default == setting:
        return Unchanged(known)
    return _changed(
        known,
        {
            "account_default": setting,
            "default_version": known.version + 1,
            "default_actor": actor,
            "unsettled": True,
        },
    )


def promise(known: KeptOrganisation | None, assignment: Assignment, *, now: datetime) -> Decided:
    """Promise a prefix to an organisation; settling carries it out."""
    if known is None:
        return Refused(Refusal("organisation-unknown"))
    if assignment.since is not None and assignment.setting is None:
        return Refused(Refusal("since-without-setting", places=("/since",)))
    if assignment.since is not None and began(assignment.since) > now:
        return Refused(Refusal("since-in-the-future", places=("/since",)))
    if assignment in known.assigning:
        return Unchanged(known)
    return _silently(known, {"assigning": (*known.assigning, assignment), "unsettled": True})


def take_over(known: KeptOrganisation | None, taking: Taking) -> Decided:
    """Promise an organisation another one's prefix; settling carries it out."""
    if known is None:
        return Refused(Refusal("organisation-unknown"))
    if taking in known.taking:
        return Unchanged(known)
    return _silently(known, {"taking": (*known.taking, taking), "unsettled": True})


def settled(known: KeptOrganisation | None, *, seen: int) -> Decided:
    """Note that prefixes know everything that stood here at version ``seen``.

    Where the organisation moved on meanwhile it stays unsettled, and is looked at again.
    """
    if known is None:
        return Refused(Refusal("organisation-unknown"))
    if known.version != seen or not known.unsettled:
        return Unchanged(known)
    return _silently(known, {"assigning": (), "taking": (), "unsettled": False})


def began(since: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime.combine(since, time(), UTC)


def _changed(known: KeptOrganisation, fields: dict[str, object]) -> Decided:
    if all(getattr(known, name) == value for name, value in fields.items()):
        return Unchanged(known)
    state = known.model_copy(update={**fields, "version": known.version + 1})
    return Accepted(state, (saying(OrganisationChanged, state),))


def _silently(known: KeptOrganisation, fields: dict[str, object]) -> Decided:
    """Change what no event says; readers of the topic see the version skip a number."""
    return Accepted(known.model_copy(update={**fields, "version": known.version + 1}), ())
