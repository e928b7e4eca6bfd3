"""Roles as data: the file, its check, and what it answers: may these roles do this, and why."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import PolicyError, Row, checked, read, unique

Relation = Literal["own", "assigned", "group", "any"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
EVERYBODY = "account-holder"  # the role of whoever has an account; the file must have it


class RoleRow(Row):
    """A role; ``ticket`` where each look at an account needs the number of a ticket."""

    ticket: bool = False


class CategoryRow(Row):
    """What kind of person an account is for.

    ``volunteers-get`` are the roles that come with it where it comes of a volunteer's application;
    without any no application makes such an account.
    """

    volunteers_get: list[str] = Field(default_factory=list, alias="volunteers-get")


class ActionRow(Row):
    """An action and which roles may do it, by how they stand to the record.

    ``reasons`` are those it may be done for to somebody else; none means that none is asked for.
    """

    own: list[str] = Field(default_factory=list)
    assigned: list[str] = Field(default_factory=list)
    group: list[str] = Field(default_factory=list)
    any: list[str] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list)


class RolesFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    categories: Annotated[list[CategoryRow], Field(alias="category", min_length=1)]
    reasons: Annotated[list[Row], Field(alias="reason", min_length=1)]
    roles: Annotated[list[RoleRow], Field(alias="role", min_length=1)]
    actions: Annotated[list[ActionRow], Field(alias="action", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, rows in (
            ("category", self.categories),
            ("reason", self.reasons),
            ("role", self.roles),
            ("action", self.actions),
        ):
            unique(what, [row.id for row in rows])
        roles, reasons = {row.id for row in self.roles}, {row.id for row in self.reasons}
        for action in self.actions:
            named = {role for relation in RELATIONS for role in getattr(action, relation)}
            if unknown := (named - roles) | (set(action.reasons) - reasons):
                raise ValueError(f"action {action.id!r} names {', '.join(sorted(unknown))}")
        for category in self.categories:
            if unknown := set(category.volunteers_get) - roles:
                raise ValueError(f"category {category.id!r} names {', '.join(sorted(unknown))}")
        if EVERYBODY not in roles:
            raise ValueError(f"no [[role]] row {EVERYBODY!r}")
        return self


@dataclass(frozen=True, slots=True)
class Permitted:
    """Somebody may."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Somebody may not: no role that may, no reason that counts, or no ticket."""

    why: Literal["no-role", "no-reason", "no-ticket"]
    clause: str


@dataclass(frozen=True, slots=True)
class RolesPolicy:
    """A checked file; ``sha`` is its SHA-256."""

    file: RolesFile
    sha: str

    @property
    def version(self) -> str:
        """The version that records quote."""
        return self.file.version

    @property
    def categories(self) -> frozenset[str]:
        """What kinds of people accounts are for."""
        return frozenset(row.id for row in self.file.categories)

    def volunteers_get(self, category: str) -> tuple[str, ...]:
        """Return the roles of a volunteer whose account is of a category; none: it cannot be."""
        found = (row.volunteers_get for row in self.file.categories if row.id == category)
        return tuple(next(found, ()))

    @property
    def roles(self) -> frozenset[str]:
        """The roles that can be given; everybody's is nobody's to give."""
        return frozenset(row.id for row in self.file.roles) - {EVERYBODY}

    def action(self, name: str) -> ActionRow:
        """Return an action; raises ``PolicyError`` where there is none."""
        for row in self.file.actions:
            if row.id == name:
                return row
        raise PolicyError(f"policy {self.version} has no [[action]] row {name!r}; add one")


def action_permitted(
    policy: RolesPolicy,
    action: str,
    roles: Collection[str],
    relation: Relation,
    *,
    reason: str | None = None,
    ticket: str | None = None,
) -> Permitted | Forbidden:
    """Say whether whoever has ``roles`` and stands so to the record may do this (DOAJ-4a2, 4c2).

    What is allowed with any record is allowed with one's own too. A reason is asked for where it
    is somebody else's and the action names any; a ticket where no role does without one.
    """
    row = policy.action(action)
    held = {*roles, EVERYBODY}
    if held & set(getattr(row, relation)) and relation != "any":
        return Permitted()
    able = held & set(row.any)
    if not able:
        return Forbidden("no-role", row.clause)
    if row.reasons and reason not in row.reasons:
        return Forbidden("no-reason", row.clause)
    needing = {one.id for one in policy.file.roles if one.ticket}
    if row.reasons and able <= needing and not ticket:
        return Forbidden("no-ticket", row.clause)
    return Permitted()


def load_roles(path: Path) -> RolesPolicy:
    """Read and check the file at ``path``; raises ``PolicyError``."""
    text = read(path)
    return RolesPolicy(checked(RolesFile, text, str(path)), hashlib.sha256(text).hexdigest())
