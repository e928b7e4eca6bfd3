"""Registers as data: processors, exports, lists, cookies, analytics; and their checks."""

from collections.abc import Iterable
from datetime import date
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.files import Duration, Row, checked, read, unique

R = TypeVar("R", bound=Row)
Text = Annotated[str, Field(min_length=1)]


class RegisterFile(BaseModel):
    """What every register has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Annotated[str, Field(min_length=1, max_length=64)]
    title: str
    source: str
    published: date


class ProcessorRow(Row):
    """One processor; ``fields`` are the only ones it may be given, as <schema>/<field>."""

    name: Text
    kind: Text
    purposes: list[str]
    fields: list[Annotated[str, Field(pattern=r"^[a-z-]+\.[a-z-]+\.v[0-9]+/[a-z_]+$")]]
    transfer: Text
    policy_link: Annotated[str | None, Field(alias="policy-link")] = None
    open_source: Annotated[bool, Field(alias="open-source")]
    trust: Text | None = None
    active: bool
    public_key: Annotated[
        str | None, Field(alias="public-key", pattern=r"^age1[02-9ac-hj-np-z]{58}$")
    ] = None

    @model_validator(mode="after")
    def _trusted(self) -> Self:
        if self.active and self.trust is None:
            raise ValueError(f"{self.id!r} is active and does not say why it is trusted (CRP-1a)")
        return self


class ProcessorsFile(RegisterFile):
    """The register of processors."""

    processors: Annotated[list[ProcessorRow], Field(alias="processor")]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("processor", [row.id for row in self.processors])
        return self


class ConfirmationRow(Row):
    """How long links hold: that which proves an address, and that to one's own page.

    ``again_after`` is how soon another one may be sent.
    """

    confirm_within: Annotated[Duration, Field(alias="confirm-within")]
    again_after: Annotated[Duration, Field(alias="again-after")]
    page_within: Annotated[Duration, Field(alias="page-within")]


class AskingRow(Row):
    """How often one network may ask for mail: ``free`` times, then after growing waits."""

    free: Annotated[int, Field(ge=1)]
    wait_at_most: Annotated[Duration, Field(alias="wait-at-most")]
    forgotten_after: Annotated[Duration, Field(alias="forgotten-after")]


class ListRow(Row):
    """One list that can be asked for; ``feed`` is offered instead of mail."""

    title: Text
    rhythm: Text
    feed: str | None = None


class ListsFile(RegisterFile):
    """The lists."""

    confirmation: ConfirmationRow
    asking: AskingRow
    lists: Annotated[list[ListRow], Field(alias="list")]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("list", [row.id for row in self.lists])
        return self


class CookieRow(Row):
    """One cookie: what for, how long, whether it holds an identifier (CRP-8a)."""

    name: Text
    lifetime: Literal["session"] | Annotated[str, Field(pattern=r"^P[0-9]+D$")]
    identifier: bool
    required: bool
    values: list[str] | None = None


class CookiesFile(RegisterFile):
    """Cookies."""

    cookies: Annotated[list[CookieRow], Field(alias="cookie")]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("cookie", [row.name for row in self.cookies])
        return self


class ExportRow(Row):
    """How long an export can be fetched, and how many people may stand in one."""

    expires_after: Annotated[Duration, Field(alias="expires-after")]
    most_rows: Annotated[int, Field(ge=1, alias="most-rows")]


class ExportsFile(RegisterFile):
    """Exports to processors."""

    export: ExportRow


class CountingRow(Row):
    """What is told of counts and how long they are kept; ``pages`` are how countable ones begin."""

    smallest: Annotated[int, Field(ge=2)]
    kept: Duration
    most_values: Annotated[int, Field(ge=1, alias="most-values")]
    pages: Annotated[list[Annotated[str, Field(pattern=r"^/[a-z-]*$")]], Field(min_length=1)]


class DimensionRow(Row):
    """One of the things that analytics count: a field of page views."""

    field: Text


class AnalyticsFile(RegisterFile):
    """Analytics: no dimension is a person."""

    counting: CountingRow
    dimensions: Annotated[list[DimensionRow], Field(alias="dimension", min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unique("dimension", [row.id for row in self.dimensions])
        unique("field", [row.field for row in self.dimensions])
        return self


def load_processors(path: Path) -> ProcessorsFile:
    """Read and check the register of processors; raises ``PolicyError``."""
    return checked(ProcessorsFile, read(path), str(path))


def load_lists(path: Path) -> ListsFile:
    """Read and check the lists; raises ``PolicyError``."""
    return checked(ListsFile, read(path), str(path))


def load_cookies(path: Path) -> CookiesFile:
    """Read and check the register of cookies; raises ``PolicyError``."""
    return checked(CookiesFile, read(path), str(path))


def load_exports(path: Path) -> ExportsFile:
    """Read and check the rules of exports; raises ``PolicyError``."""
    return checked(ExportsFile, read(path), str(path))


def load_analytics(path: Path) -> AnalyticsFile:
    """Read and check what analytics count; raises ``PolicyError``."""
    return checked(AnalyticsFile, read(path), str(path))


def by_id(rows: Iterable[R]) -> dict[str, R]:
    """Return rows by their ids."""
    return {row.id: row for row in rows}


def cookies_unregistered(file: CookiesFile, set_cookie: Iterable[str]) -> list[str]:
    """Return what is wrong with ``Set-Cookie`` headers of an answer; nothing where all is right.

    A cookie needs a row, lives no longer than its row says, and holds one of the row's values
    where it names any (DOAJ-3a, DOAJ-3b). What a cookie holds is not repeated.
    """
    known = {row.name: row for row in file.cookies}
    wrong = []
    for header in set_cookie:
        jar = SimpleCookie()
        try:
            jar.load(header)
        except CookieError:
            jar.clear()
        if len(jar) != 1:
            wrong.append("a Set-Cookie header cannot be read")
        for name, said in jar.items():
            row = known.get(name)
            if row is None:
                wrong.append(f"{name} is not in the register")
            else:
                wrong += _differs(row, said.value, said["max-age"], said["expires"])
    return wrong


def _differs(row: CookieRow, value: str, max_age: str, expires: str) -> list[str]:
    wrong = []
    if row.values is not None and value not in row.values:
        wrong.append(f"{row.name} holds what its row does not name")
    if expires and not max_age:
        wrong.append(f"{row.name} says Expires; say Max-Age, which no wrong clock changes")
    if max_age:
        if row.lifetime == "session":
            wrong.append(f"{row.name} lives longer than the session")
        elif not max_age.isdigit() or int(max_age) > 86_400 * int(row.lifetime[1:-1]):
            wrong.append(f"{row.name} lives longer than {row.lifetime}")
    return wrong
