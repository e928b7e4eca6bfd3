"""The one question about personal data: may this be used, for this, by whom? (law P7).

Nothing is mailed, exported or handed over without it. It reads rows and what is known of consent,
and nothing else; what is not named in a row is refused. Each answer names its clause and the
version of the policy, for whoever records it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.policy.consent import Standing
from shared.policy.files import Duration, PolicyError, Row, checked, read, unique
from shared.policy.personal import Basis, PersonalPolicy, load_personal
from shared.policy.registers import (
    ListRow,
    ProcessorRow,
    RegisterFile,
    by_id,
    load_lists,
    load_processors,
)

Act = Literal["mail", "hand-over", "export", "sell", "rent"]
Kind = Literal["person", "processor", "supplier", "industry", "outside"]


class KnowledgeRow(Row):
    """How old knowledge of consents may be before it no longer counts."""

    stale_after: Annotated[Duration, Field(alias="stale-after")]


class CategoryRow(Row):
    """One way of knowing an address, and the purposes it may be used for."""

    purposes: Annotated[list[str], Field(min_length=1)]
    outside: Literal["never", "where-blocked"]


class UseRow(Row):
    """What a purpose asks beside being allowed to a category."""

    basis: Basis | None = None
    roles: tuple[str, ...] = Field(default=(), strict=False)
    notice: str | None = None
    valid: Duration | None = None


class NeverRow(Row):
    """What nothing and nobody can allow."""

    act: Act | None = None
    recipient: Kind | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.act is None) == (self.recipient is None):
            raise ValueError(f"{self.id!r} names either an act or a recipient")
        return self


class SupplierRow(Row):
    """The one exception for suppliers of a service that was signed up for."""

    reasons: Annotated[list[str], Field(min_length=1)]


class UsesFile(RegisterFile):
    """The whole file, checked."""

    knowledge: KnowledgeRow
    opt_out: Annotated[Row, Field(alias="opt-out")]
    categories: Annotated[list[CategoryRow], Field(alias="category", min_length=1)]
    uses: Annotated[list[UseRow], Field(alias="use")]
    never: list[NeverRow]
    supplier: SupplierRow

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("category", [row.id for row in self.categories])
        unique("use", [row.id for row in self.uses])
        return self


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who would get the data; ``name`` is that of a processor or supplier."""

    kind: Kind
    name: str = ""


PERSON: Final = Recipient("person")  # a mail to the person themselves


@dataclass(frozen=True, slots=True)
class Use:
    """What is about to be done with one person's data.

    ``category`` is how the address is known, ``roles`` which roles its contact has; ``name`` is
    that of the list or of the further role; ``fields`` are what a processor would be given;
    ``signed_up`` and ``reason`` count for suppliers alone.
    """

    act: Act
    purpose: str
    category: str
    recipient: Recipient = PERSON
    name: str = ""
    roles: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    opt_out_link: bool = False
    signed_up: bool = False
    reason: str = ""

    @property
    def consent_purpose(self) -> str:
        """The purpose under which a consent to it stands."""
        return f"{self.purpose}:{self.name}" if self.name else self.purpose


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be done, under ``clause``; to be recorded before it is."""

    clause: str
    policy: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not be done; ``hard`` says that no role and no consent lifts it."""

    clause: str
    why: str
    policy: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class UsesPolicy:
    """All rows that the question is asked over; ``sha`` is that of their files together."""

    file: UsesFile
    personal: PersonalPolicy
    processors: Mapping[str, ProcessorRow]
    lists: Mapping[str, ListRow]
    sha: str

    @property
    def version(self) -> str:
        """What recorded decisions quote: the file's version and the rows' hash."""
        return f"{self.file.version}+{self.sha[:12]}"

    @property
    def stale_after(self) -> timedelta:
        """The age at which knowledge of consents no longer counts."""
        return self.file.knowledge.stale_after

    def category(self, name: str) -> CategoryRow | None:
        """Return a category."""
        return next((row for row in self.file.categories if row.id == name), None)

    def use(self, purpose: str) -> UseRow | None:
        """Return what a purpose asks, if it asks anything."""
        return next((row for row in self.file.uses if row.id == purpose), None)

    def basis(self, purpose: str) -> Basis | None:
        """Return the ground of a purpose; None where there is no such purpose."""
        use = self.use(purpose)
        if use is not None and use.basis is not None:
            return use.basis
        rows = (row.basis for row in self.personal.file.purposes if row.id == purpose)
        return next(rows, None)


def load_uses(folder: Path) -> UsesPolicy:
    """Read and check all files that the question needs; raises ``PolicyError``."""
    names = ("uses.toml", "personal.toml", "processors.toml", "lists.toml")
    texts = {name: read(folder / name) for name in names}
    file = checked(UsesFile, texts["uses.toml"], str(folder / "uses.toml"))
    policy = UsesPolicy(
        file,
        load_personal(folder / "personal.toml"),
        by_id(load_processors(folder / "processors.toml").processors),
        by_id(load_lists(folder / "lists.toml").lists),
        hashlib.sha256(b"\0".join(texts.values())).hexdigest(),
    )
    _agree(policy)
    return policy


def use_allowed(policy: UsesPolicy, use: Use, consent: Standing = "absent") -> Allowed | Refused:
    """Say whether personal data may be used so; ``consent`` is what is known of it now. Pure.

    The order is that of the clauses' weight: what nobody can lift comes first, so that a consent
    or a role never hides it (CRP-9a, DOAJ-7a, DOAJ-7b).
    """
    category = policy.category(use.category)
    barred = _never(policy, use, category)
    if barred is not None:
        return barred
    if category is None:
        return _no(policy, "DOAJ-1a3", "unknown-category")
    if use.recipient.kind == "supplier":
        return _to_supplier(policy, use, category)
    basis = policy.basis(use.purpose)
    if basis is None or use.purpose not in category.purposes:
        return _no(policy, category.clause, "purpose-not-allowed")
    asked = policy.use(use.purpose)
    clause = asked.clause if asked else policy.personal.purpose(use.purpose).clause
    needed = consent if basis == "consent" else "given"
    return (
        _to_processor(policy, use)
        or _of_role(policy, use, asked)
        or _unasked(policy, use, needed, clause)
        or Allowed(clause, policy.version)
    )


def _never(policy: UsesPolicy, use: Use, category: CategoryRow | None) -> Refused | None:
    """Refuse what no role lifts; a supplier is outside where the category says so."""
    for row in policy.file.never:
        if use.act == row.act or use.recipient.kind == row.recipient:
            return Refused(row.clause, row.id, policy.version, hard=True)
    if use.recipient.kind == "supplier" and (category is None or category.outside == "never"):
        outside = next(row for row in policy.file.never if row.recipient == "outside")
        return Refused(outside.clause, outside.id, policy.version, hard=True)
    return None


def _to_supplier(policy: UsesPolicy, use: Use, category: CategoryRow) -> Allowed | Refused:
    row = policy.file.supplier
    whole = use.signed_up and use.recipient.name and use.reason in row.reasons
    if not whole or category.outside != "where-blocked":
        return _no(policy, row.clause, "supplier-not-needed")
    return Allowed(row.clause, policy.version)


def _to_processor(policy: UsesPolicy, use: Use) -> Refused | None:
    if use.recipient.kind != "processor":
        return None
    row = policy.processors.get(use.recipient.name)
    if row is None:
        return _no(policy, "CRP-1a", "unknown-processor")
    if not row.active or row.trust is None:
        return _no(policy, "CRP-1a", "processor-not-active")
    if use.purpose not in row.purposes:
        return _no(policy, row.clause, "purpose-not-registered")
    if not use.fields or not use.fields <= set(row.fields):
        return _no(policy, row.clause, "field-not-registered")
    return None


def _of_role(policy: UsesPolicy, use: Use, asked: UseRow | None) -> Refused | None:
    """Refuse mail of a role to whoever does not have it; a further role is named by ``name``."""
    if asked is None:
        return None
    if asked.roles and not use.roles & set(asked.roles):
        return _no(policy, asked.clause, "not-this-role")
    if use.purpose == "role-mail" and use.name not in use.roles:
        return _no(policy, asked.clause, "not-this-role")
    return None


def _unasked(policy: UsesPolicy, use: Use, consent: Standing, clause: str) -> Refused | None:
    """Refuse what nobody agreed to, lists that there are not, and mail that leaves no way out."""
    if use.purpose == "list" and use.name not in policy.lists:
        return _no(policy, clause, "unknown-list")
    if consent != "given":
        return _no(policy, clause, f"consent-{consent}")
    if use.act == "mail" and not use.opt_out_link:
        return _no(policy, policy.file.opt_out.clause, "no-opt-out-link")
    return None


def _no(policy: UsesPolicy, clause: str, why: str) -> Refused:
    return Refused(clause, why, policy.version)


def _agree(policy: UsesPolicy) -> None:
    """Check that the files name each other's rows; raises ``PolicyError``."""
    named = {purpose for row in policy.file.categories for purpose in row.purposes}
    named |= {row.id for row in policy.file.uses}
    named |= {purpose for row in policy.processors.values() for purpose in row.purposes}
    unknown = sorted(one for one in named if policy.basis(one) is None)
    if unknown:
        raise PolicyError(f"personal.toml has no [[purpose]] for {', '.join(unknown)}; add one")
    bare = [
        row.id
        for row in policy.personal.file.purposes
        if row.basis == "consent" and getattr(policy.use(row.id), "notice", None) is None
    ]
    if bare:
        raise PolicyError(f"uses.toml names no notice for {', '.join(bare)}; a consent needs one")
    if not any(row.recipient == "outside" for row in policy.file.never):
        raise PolicyError("uses.toml needs a [[never]] row for the recipient 'outside' (DOAJ-7a)")
