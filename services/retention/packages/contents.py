"""What a package says: files for people and for machines, made of what was read. Pure.

Contents of GDPR 15(1) and of DOAJ-9a2 to 9a7: the data themselves, what for, from where, to whom,
for how long, and the rights there are.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, ClassVar, Final

import orjson

from services.retention.packages.kinds import KINDS, cell, told_csv, told_page
from services.retention.packages.reading import Said
from shared.privacy.telling import Rows

RIGHTS: Final = (
    "You may ask for access, correction, erasure, restriction, portability, and you may object "
    "(GDPR 15 to 21); what you consented to you may withdraw at any time, as easily as you gave "
    "it. You may complain to a supervisory authority. No machine alone decides about you."
)
HELD: Final = (
    "By a decision these stay, and are used for nothing else meanwhile (GDPR 18). What they say "
    "stands above like all the rest. The decision is looked at again by the day named, or before."
)
README: Final = """What is held of you
===================

index.html        everything, to be read
data/             what is held now, by service and class: JSON and CSV; mails.* are the mails to
                  you, uses.* what else your address was used for and to whom it was given,
                  files.* deposit files that name you as their depositor
events.ndjson     all that the logs still say of you, one record a line, oldest first in each topic
processing.json   what for, on what ground, from where, to whom, for how long, and what is held
manifest.json     every file with its SHA-256, how far each log was read, and our signature

Where your data stand beside those of others, theirs were left out: values can be read with your
keys alone, and the names of others say "(another person)".
`colophon verify-package FILE` checks the signature and every file.
"""
_STYLE: Final = (
    "body{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem;border-bottom:1px solid #999;overflow-wrap:anywhere}"
)
_HEAD: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    f"<title>What is held of you</title><style>{_STYLE}</style></head><body>"
)


@dataclass(frozen=True, slots=True)
class Newest:
    """What a record says now, as JSON: a long life has a hundred thousand of them in memory."""

    data: bytes
    schema: str | None
    cls: str | None

    def read(self) -> Any:
        """Return it."""
        return orjson.loads(self.data)


@dataclass(slots=True)
class Contents:
    """What is held of a person now: the newest of every record, by topic and key.

    ``told`` is what services told beside their topics, by service and kind.
    """

    log: ClassVar[str] = "events.ndjson"  # the file of the lines that ``take`` returns

    register: Mapping[str, Any]
    told: Mapping[str, Mapping[str, Rows]] = field(default_factory=dict)
    newest: dict[str, dict[str, Newest]] = field(default_factory=dict)
    events: int = 0

    def take(self, said: Said) -> bytes:
        """Take in a record; return its line of events.ndjson."""
        self.events += 1
        # orjson leaves a text the room that it was written in, thrice as much; a copy has none.
        data = bytes(memoryview(orjson.dumps(said.data)))
        # Names of schemas and classes come again and again: each is kept once.
        schema = cls = None
        if said.sealed is not None:
            schema, cls = sys.intern(said.sealed.schema_id), sys.intern(said.sealed.cls)
        self.newest.setdefault(said.topic, {})[said.key] = Newest(data, schema, cls)
        return orjson.dumps(
            {
                "topic": said.topic,
                "offset": f"{said.partition}/{said.offset}",
                "time": said.time,
                "type": said.type,
                "key": said.key,
                "data": orjson.Fragment(data),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    @property
    def records(self) -> dict[str, list[Newest]]:
        """What is kept of the person in clear, by ``service/class``."""
        found: dict[str, list[Newest]] = {}
        for topic, by_key in self.newest.items():
            for one in by_key.values():
                if one.cls is not None:
                    found.setdefault(f"{_service(topic)}/{one.cls}", []).append(one)
        return dict(sorted(found.items()))

    @property
    def facts(self) -> dict[str, list[Newest]]:
        """What else is said of the person, by topic: dates and decisions, without values."""
        found = {
            topic: [one for one in by_key.values() if one.cls is None]
            for topic, by_key in self.newest.items()
        }
        return {topic: several for topic, several in sorted(found.items()) if several}

    def data(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Give the files of what is kept in clear, each as JSON and CSV, in pieces."""
        for name, records in self.records.items():
            yield f"data/{name}.json", _list(records)
            yield f"data/{name}.csv", _csv(records)

    def files(self, about: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Give every file but the events and the manifest, in pieces.

        ``about`` is said in processing.json.
        """
        yield from self.data()
        for topic, records in self.facts.items():
            yield f"data/{topic}.json", _list(records)
        for service, kinds in sorted(self.told.items()):
            for kind, rows in sorted(kinds.items()):
                yield f"data/{service}/{kind}.json", [_json(rows._asdict())]
                yield f"data/{service}/{kind}.csv", told_csv(rows.rows)
        processing = {
            **about,
            "fields": self.fields(),
            "told": {name: kind.says for name, kind in KINDS.items()},
            "rights": RIGHTS,
        }
        yield "processing.json", [_json(processing)]
        yield "index.html", (f"{part}\n".encode() for part in self._page(processing))
        yield "README.txt", [README.encode()]

    def fields(self) -> list[dict[str, Any]]:
        """Say of each field that is held what the register says of it (DOAJ-9a3 to 9a6)."""
        found = []
        for (schema, service), cls in sorted(self._schemas().items()):
            declared = self.register["services"].get(service, {}).get(schema, {}).get("fields", {})
            for pointer, row in declared.items():
                said = {"service": service, "schema": schema, "field": pointer, "class": cls}
                kept = ("purposes", "source", "portable")
                found.append({**said, **{name: row[name] for name in kept}})
        return found

    def _schemas(self) -> dict[tuple[str, str], str]:
        return {
            (one.schema, _service(topic)): one.cls
            for topic, by_key in self.newest.items()
            for one in by_key.values()
            if one.schema is not None and one.cls is not None
        }

    def _page(self, processing: Mapping[str, Any]) -> Iterator[str]:
        yield _HEAD
        yield "<h1>What is held of you</h1>"
        if not self.newest and not self.told:
            yield "<p>We hold nothing of you.</p>"
        for name, records in self.records.items():
            yield f"<h2>{escape(name)}</h2>"
            yield from map(_table, records)
        if facts := self.facts:
            rows = [(topic, str(len(records))) for topic, records in facts.items()]
            yield "<h2>What else is recorded</h2>"
            yield _rows(rows)
        yield from told_page(self.told)
        used = [
            (
                f"{row['schema']}{row['field']}",
                f"{', '.join(row['purposes'])}; from {row['source']}",
            )
            for row in processing["fields"]
        ]
        yield "<h2>What for, and from where</h2>"
        yield _rows(used)
        kept = [(row["what"], f"{row['until']}; {row['why']}") for row in processing["kept"]]
        yield "<h2>For how long</h2>"
        yield _rows(kept)
        if held := [(row["class"], _held(row)) for row in processing["held"]]:
            yield "<h2>What is held back from deletion</h2>"
            yield f"<p>{escape(HELD)}</p>"
            yield _rows(held)
        yield "<h2>Who was given some of it</h2>"
        yield _rows([(one, "") for one in processing["recipients"]])
        yield "<h2>Your rights</h2>"
        yield f"<p>{escape(RIGHTS)}</p>"
        yield "</body></html>"


def manifest(
    package: str,
    made_at: str,
    files: Mapping[str, Mapping[str, Any]],
    ends: Mapping[str, Mapping[str, int]],
    services: Mapping[str, str],
) -> dict[str, Any]:
    """Return what is signed: every file, how far each log was read, and what services answered."""
    return {
        "type": "AccessPackage/1",
        "package": package,
        "made-at": made_at,
        "files": {name: dict(one) for name, one in sorted(files.items())},
        "read-to": {name: dict(one) for name, one in sorted(ends.items())},
        "services": dict(sorted(services.items())),
    }


def _service(topic: str) -> str:
    """Return who writes a topic."""
    return topic.partition(".")[0]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _list(records: Sequence[Newest]) -> Iterator[bytes]:
    """Write a JSON array, a record at a time."""
    yield b"["
    for number, one in enumerate(records):
        yield (b",\n" if number else b"\n") + _json(one.read())
    yield b"\n]"


def _csv(records: Sequence[Newest]) -> Iterator[bytes]:
    names = sorted({name for one in records for name in one.read()["values"]})
    yield _line(["record", "schema", *names])
    for one in records:
        said = one.read()
        values = said["values"]
        yield _line([said["record"], said["schema"], *(cell(values.get(name)) for name in names)])


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _table(one: Newest) -> str:
    values = one.read()["values"]
    return _rows([(name, cell(value)) for name, value in values.items()])


def _held(row: Mapping[str, str]) -> str:
    clause = f" ({row['clause']})" if row["clause"] else ""
    return f"{row['why']}{clause}; reviewed by {row['reviewed-by']}"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table>{cells}</table>" if cells else "<p>Nothing.</p>"
