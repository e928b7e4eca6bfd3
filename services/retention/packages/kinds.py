"""What services told of a person beside their topics, as a package says it. Pure.

Neither mails nor deposit files are in a package; it says in words what there is of them, and how to
come by the rest.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from shared.privacy.telling import Row, Rows


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: its heading, what is true of all of it, and where nothing is known."""

    title: str
    says: str
    none: str


KINDS: Final[Mapping[str, Kind]] = {
    "mails": Kind(
        "Mails to you",
        "Mails are not kept: what a mail says is forgotten once a mail server took it or it was "
        "given up. Of each is known when it was to be sent, what for, how we knew the address, "
        "whether that was allowed and by which clause. What became of it and when is known for "
        "thirty days.",
        "No mail to you is on record.",
    ),
    "uses": Kind(
        "What else your address was used for",
        "Each time your address was to be handed to a processor or exported: when, what for, to "
        "whom, and whether that was allowed.",
        "Your address was not used for anything else that is on record.",
    ),
    "files": Kind(
        "Deposit files that name you as their depositor",
        "The files themselves are not in this package: each is sealed by itself, with the service "
        "that took it. Whoever has the login that a file was sent with fetches it at "
        "/submissions/{number}/contents. Without that login, answer to the mail that brought you "
        "here, name the number, and you get it from us. Names of authors in works are the public "
        "scholarly record. A file from before addresses were looked up is not found here.",
        "No deposit file is known that names you as its depositor.",
    ),
}


def told_page(told: Mapping[str, Mapping[str, Rows]]) -> Iterator[str]:
    """Give the parts of the page, every kind: where nothing was told it says so."""
    for name, kind in KINDS.items():
        yield f"<h2>{escape(kind.title)}</h2>"
        every = [(service, kinds[name]) for service, kinds in sorted(told.items()) if name in kinds]
        yield f"<p>{escape(kind.says if every else kind.none)}</p>"
        for service, rows in every:
            yield f"<h3>{escape(service)}</h3>"
            yield _table(rows.rows)
            if rows.older:
                yield f"<p>And {rows.older} older ones, which are not listed.</p>"


def told_csv(rows: Sequence[Row]) -> Iterator[bytes]:
    """Write rows as CSV."""
    names = _names(rows)
    text = io.StringIO()
    writer = csv.writer(text)
    for row in (names, *([cell(one.get(name, "")) for name in names] for one in rows)):
        writer.writerow(row)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def cell(value: Any) -> str:
    """Return a value as a spreadsheet shows it and does not carry it out."""
    match value:
        case None:
            said = ""
        case list():
            said = " ".join(map(str, value))
        case dict():
            said = next(iter(value))
        case _:
            said = str(value)
    # A cell that begins so is a formula to a spreadsheet.
    return f"'{said}" if said.startswith(("=", "+", "-", "@", "\t", "\r")) else said


def _table(rows: Sequence[Row]) -> str:
    names = _names(rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{_cells(names, one)}</tr>" for one in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cells(names: Iterable[str], row: Row) -> str:
    return "".join(f"<td>{escape(cell(row.get(name)))}</td>" for name in names)


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for one in rows for name in one))
