"""Who owns a work, and what a transfer does: the owner changes, the DOI and its prefix never."""

from dataclasses import dataclass

from services.deposits.model.titles import NAME_LENGTH, normalised
from shared.events import (
    OwnershipState,
    TitleChanged,
    TitleState,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkState,
)
from shared.events.decisions import Accepted, Unchanged

MOST_NAMES = 100  # of one title


@dataclass(frozen=True, slots=True)
class Moved:
    """A subject's owner before and after a transfer; the version is of its ownership record."""

    subject: str
    was: str
    to: str
    version: int


def owner_of(work: WorkState, *, owner: OwnershipState | None, title: TitleState | None) -> str:
    """Return the prefix whose owner owns a work: its own, else its title's, else the DOI's."""
    if owner is not None:
        return owner.owner_prefix
    if title is not None:
        return title.owner_prefix
    return work.prefix


def move_work(
    work: WorkState, *, owner: OwnershipState | None, title: TitleState | None, to: str
) -> Accepted[OwnershipState] | Unchanged[str]:
    """Give a single work to the owner of a prefix; unchanged where it owns it already."""
    was = owner_of(work, owner=owner, title=title)
    if was == to:
        return Unchanged(was)
    version = owner.version + 1 if owner else 1
    state = OwnershipState(subject=work.doi, owner_prefix=to, version=version)
    return Accepted(state, (WorkOwnerAssigned.model_construct(**dict(state)),))


def move_title(title: TitleState, *, to: str) -> Accepted[TitleState] | Unchanged[str]:
    """Give a title to the owner of a prefix; its works follow, save those with an own owner."""
    if title.owner_prefix == to:
        return Unchanged(to)
    state = title.model_copy(update={"owner_prefix": to, "version": title.version + 1})
    return Accepted(state, (TitleTransferred.model_construct(**dict(state)),))


def named(title: TitleState, name: str) -> Accepted[TitleState] | Unchanged[TitleState] | None:
    """Give a title another name to be deposited by; None where it has too many."""
    name = " ".join(name.split())[:NAME_LENGTH]
    if normalised(name) in map(normalised, (title.name, *title.names)):
        return Unchanged(title)
    if len(title.names) >= MOST_NAMES:
        return None
    state = title.model_copy(update={"names": (*title.names, name), "version": title.version + 1})
    return Accepted(state, (TitleChanged.model_construct(**dict(state)),))
