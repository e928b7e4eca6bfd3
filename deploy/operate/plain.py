"""The commands of the table: what they are given, what they send, and how the answer is shown."""

import getpass
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import click
import orjson

from deploy.operate import keeping, people, shown
from deploy.operate.client import Client
from deploy.operate.ends import Silent
from deploy.operate.table import Option, Verb
from deploy.operate.values import placed
from shared.runtime.ids import new_id

VERBS: Final = (
    *people.ERASURES,
    *people.REQUESTS,
    *people.PACKAGES,
    *keeping.HOLDS,
    *keeping.OTHERS,
)
GROUPS: Final = {
    "erasures": "Erasures: planned, approved, followed, certified.",
    "requests": "Requests of people.",
    "holds": "Holds: what stays although it is due.",
    "clocks": "Clocks: what is due, and why.",
    "schedules": "Versions of the schedule.",
    "packages": "Packages of all that is held of a person.",
    "epochs": "Epochs of the keys that wrap keys.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command was given, read into what is sent."""

    path: str
    query: dict[str, str]
    body: dict[str, Any] | None
    headers: dict[str, str]


def show(document: Any, *, as_json: bool, lines: Iterator[str] | None = None) -> None:
    """Write a document, as JSON or in lines."""
    if as_json:
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    for line in shown.document(document) if lines is None else lines:
        click.echo(line)


def parameters(verb: Verb) -> Iterator[click.Parameter]:
    """Give the parameters of a command: names in its path, what it says, how it is shown."""
    for name in names_in(verb.path):
        yield click.Argument([f"_{name}"], metavar=name.upper())
    for number, one in enumerate(verb.options):
        yield parameter(one, f"said_{number}")
    if verb.once:
        says = "With the same key it happens once, however often it is said."
        yield click.Option(["--key", "key"], help=says)
    if verb.following:
        yield click.Option(["--all", "every"], is_flag=True, help="All pages.")
    if verb.private:
        says = f"Show {', '.join(verb.private)}, too."
        yield click.Option(["--who", "private"], is_flag=True, help=says)
    yield click.Option(["--json", "as_json"], is_flag=True, help="Write JSON.")


def parameter(one: Option, name: str) -> click.Parameter:
    """Return the parameter of an option."""
    if one.argument:
        metavar = one.called.upper() if one.required else f"[{one.called.upper()}]"
        return click.Argument([name], type=one.kind, required=one.required, metavar=metavar)
    default = one.default
    if one.called == "as":
        default = login
    more: dict[str, Any] = {"multiple": True} if one.many else {"default": default}
    if one.flag:
        more = {"is_flag": True}
    return click.Option(
        [f"--{one.called}", name], type=one.kind, required=one.required, help=one.says, **more
    )


def login() -> str:
    """Return who is there, as staff are called: the login in small letters."""
    said = os.environ.get("COLOPHON_OPERATOR") or getpass.getuser()
    return re.sub(r"[^a-z0-9-]", "-", said.lower())


def names_in(path: str) -> list[str]:
    """Return the names in a path."""
    return re.findall(r"\{(\w+)\}", path)


def asked(verb: Verb, given: Mapping[str, Any]) -> Asked:
    """Return what to send; raises a usage error where too much or too little was said."""
    path = verb.path
    for name in names_in(path):
        path = path.replace(f"{{{name}}}", quote(given[f"_{name}"], safe=""))
    said = [
        (one.place, list(given[f"said_{number}"]) if one.many else given[f"said_{number}"])
        for number, one in enumerate(verb.options)
        if given.get(f"said_{number}") not in (None, (), False)
    ]
    if verb.one_of and len([place for place, _ in said if place in verb.one_of]) != 1:
        names = ", ".join(one.called for one in verb.options if one.place in verb.one_of)
        raise click.UsageError(f"Say one of {names}.")
    query = {
        place[1:]: "true" if value is True else str(value)
        for place, value in said
        if place.startswith("?")
    }
    empty: list[tuple[str, Any]] = [(place, {}) for place in verb.always]
    body = placed([*empty, *((at, value) for at, value in said if at.startswith("/"))])
    bodied = any(one.place.startswith("/") for one in verb.options)
    headers = {"Idempotency-Key": given.get("key") or new_id()} if verb.once else {}
    return Asked(path, query, body if bodied else None, headers)


def sent(service: Client, verb: Verb, what: Asked) -> Any:
    """Ask; where nobody answers to what must happen once, say how it is asked again."""
    try:
        return service.json(
            verb.method, what.path, query=what.query, body=what.body, headers=what.headers
        )
    except Silent as fault:
        if not verb.once:
            raise
        key = what.headers["Idempotency-Key"]
        again = f"Whether it was taken is not known; say it again with --key {key}"
        raise Silent(f"{fault}\n{again}") from None


def run(verb: Verb, **given: Any) -> None:
    """Run a command of the table."""
    what = asked(verb, given)
    service = click.get_current_context().obj()
    found = sent(service, verb, what)
    as_json = given["as_json"]
    if verb.rows:
        listed(service, verb, what, found, every=given.get("every", False), as_json=as_json)
        return
    if not given.get("private"):
        found = shown.without(found, verb.private)
    lines = shown.erasure(found) if "levels" in found else None
    show(found, as_json=as_json, lines=lines)
    if given.get("private") and lines is not None and not as_json:
        click.echo(f"  salt: {shown.printable(found.get('salt'))}")


def listed(
    service: Client, verb: Verb, what: Asked, page: Any, *, every: bool, as_json: bool
) -> None:
    """Show a list: one page, or with ``every`` all that follow."""
    rows = list(page[verb.rows])
    cursor = cursor_of(page, verb)
    while every and cursor:
        page = service.json(verb.method, what.path, query={**what.query, "cursor": cursor})
        rows += page[verb.rows]
        cursor = cursor_of(page, verb)
    if as_json:
        show({**page, verb.rows: rows}, as_json=True)
        return
    for line in shown.table(rows, verb.columns) if rows else ["Nothing."]:
        click.echo(line)
    if cursor:
        click.echo(f"There are more: --all, or --cursor {shown.printable(cursor)}", err=True)


def cursor_of(page: Mapping[str, Any], verb: Verb) -> str | None:
    """Return where the next page begins; some lists give the whole address of it."""
    said = page.get(verb.following) if verb.following else None
    if isinstance(said, str) and said.startswith("/"):
        return parse_qs(urlsplit(said).query).get("cursor", [None])[0]
    return said or None


def command(verb: Verb) -> click.Command:
    """Return a command of the table."""
    callback: Callable[..., None] = partial(run, verb)
    return click.Command(
        verb.name, callback=callback, params=list(parameters(verb)), help=verb.says
    )


ROOMS: Final = {name: click.Group(name, help=says) for name, says in GROUPS.items()}
for _verb in VERBS:
    ROOMS[_verb.group].add_command(command(_verb))
