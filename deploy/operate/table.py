"""What a row of the table says: a command, and what it asks of the service."""

from dataclasses import dataclass
from typing import Any, Final

import click


@dataclass(frozen=True, slots=True)
class Option:
    """Something to be said, and its place: ``/member`` of the body, or ``?name`` of the query.

    ``argument``: it stands on its own, without its name.
    """

    place: str
    says: str = ""
    kind: click.ParamType | None = None
    name: str = ""
    required: bool = False
    many: bool = False
    flag: bool = False
    default: Any = None
    argument: bool = False

    @property
    def called(self) -> str:
        """What it is called on the command line."""
        return self.name or self.place.rpartition("/")[2].removeprefix("?")


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: what it asks, and how the answer is shown.

    ``rows`` is the member that a list is in, ``columns`` what is shown of each; ``one_of`` places
    of which exactly one is said; ``private`` members that are shown where ``--who`` asks for them;
    ``once`` commands take an Idempotency-Key; objects of the body that are ``always`` there, even
    empty.
    """

    group: str
    name: str
    method: str
    path: str
    says: str
    options: tuple[Option, ...] = ()
    rows: str = ""
    columns: tuple[str, ...] = ()
    following: str = ""
    one_of: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    once: bool = False
    always: tuple[str, ...] = ()


def who(place: str) -> Option:
    """Return the option by which operators, who share one credential, name themselves."""
    return Option(place, "Who you are, as staff call each other; by default your login.", name="as")


def choice(*words: str) -> click.Choice[str]:
    """Return a choice of words."""
    return click.Choice(words)


ROWS: Final = Option("?rows", "So many a page.", click.IntRange(min=1))
