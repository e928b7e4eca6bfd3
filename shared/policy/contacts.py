"""Contacts by role as data: the file, its check, and what it answers: whom a purpose reaches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, PolicyError, Row, checked, read, unique
from shared.policy.uses import Use, UsesPolicy

CATEGORY: Final = "contact"  # how contacts' addresses are known, as uses.toml calls it
ASKING: Final = "security"  # the purpose of the mail that asks a contact to agree


class ContactRoleRow(Row):
    """A role; ``purpose`` is what its contact may be mailed for."""

    purpose: str
    required: bool = False


class NamingRow(Row):
    """How many new contacts a role may be given within which time."""

    most: Annotated[int, Field(gt=0)]
    within: Duration


class StepRow(Row):
    """One of the things that must stand on record before a membership is active."""


class ContactsFile(BaseModel):
    """The whole file, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date
    naming: NamingRow
    roles: Annotated[list[ContactRoleRow], Field(alias="role", min_length=1)]
    steps: Annotated[list[StepRow], Field(alias="step", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("role", [row.id for row in self.roles])
        unique("step", [row.id for row in self.steps])
        return self


@dataclass(frozen=True, slots=True)
class ContactsPolicy:
    """A checked file, together with the uses that its purposes are rows of."""

    file: ContactsFile
    uses: UsesPolicy

    @property
    def version(self) -> str:
        """The version that records quote."""
        return self.file.version

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, in the file's order."""
        return tuple(row.id for row in self.file.roles)

    @property
    def required(self) -> tuple[str, ...]:
        """The roles that an application has to name."""
        return tuple(row.id for row in self.file.roles if row.required)

    @property
    def steps(self) -> tuple[str, ...]:
        """What makes a membership active."""
        return tuple(row.id for row in self.file.steps)

    def role(self, name: str) -> ContactRoleRow | None:
        """Return a role."""
        return next((row for row in self.file.roles if row.id == name), None)

    def reached_by(self, purpose: str) -> ContactRoleRow | None:
        """Return the one role that mail of a purpose goes to; None where there is none.

        A purpose of several roles is said with the role's name, as consents to it are:
        ``role-mail:production``.
        """
        rows = (row for row in self.file.roles if self.purpose_of(row) == purpose)
        return next(rows, None)

    def purpose_of(self, row: ContactRoleRow) -> str:
        """Return what reaches a role, as ``reached_by`` reads it."""
        return self.mail(row).consent_purpose

    def mail(self, row: ContactRoleRow) -> Use:
        """Return what a mail to the contact of a role is; its way out stands in each."""
        asked = self.uses.use(row.purpose)
        name = "" if asked and asked.roles else row.id
        return _mail(row.purpose, name, row.id)

    def asking(self, row: ContactRoleRow) -> Use:
        """Return what the mail is that asks a contact to agree."""
        return _mail(ASKING, "", row.id)


def load_contacts(path: Path, uses: UsesPolicy) -> ContactsPolicy:
    """Read and check the file at ``path`` against the uses; raises ``PolicyError``."""
    policy = ContactsPolicy(checked(ContactsFile, read(path), str(path)), uses)
    for wrong in _contradictions(policy):
        raise PolicyError(f"{path}: {wrong}; mend it here or in uses.toml")
    return policy


def _mail(purpose: str, name: str, role: str) -> Use:
    return Use("mail", purpose, CATEGORY, name=name, roles=frozenset({role}), opt_out_link=True)


def _contradictions(policy: ContactsPolicy) -> Iterable[str]:
    category = policy.uses.category(CATEGORY)
    for row in policy.file.roles:
        if category is None or row.purpose not in category.purposes:
            yield f"role {row.id!r} has the purpose {row.purpose!r}, which contacts have not"
        asked = policy.uses.use(row.purpose)
        if asked and asked.roles and row.id not in asked.roles:
            yield f"{row.purpose!r} does not reach the role {row.id!r}"
    named = {role for use in policy.uses.file.uses for role in use.roles}
    for unknown in sorted(named - set(policy.roles)):
        yield f"there is no [[role]] row {unknown!r}, which a purpose reaches"
