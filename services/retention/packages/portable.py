"""What somebody can take along: what they gave themselves, to be read by machines (GDPR 20). Pure.

Of the same records as a package of everything, by the same reading; which fields count is policy
(packages.toml), by what each field is declared as.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import orjson

from services.retention.packages.contents import Contents
from services.retention.packages.reading import Said

README: Final = """What you gave us
================

data/             what you gave and what is kept of it now, by service and class: JSON and CSV
records.ndjson    the same as it was each time that it changed, one record a line, oldest first
fields.json       what each field is for, on what ground, and from where
manifest.json     every file with its SHA-256, how far each log was read, and our signature

It holds what you gave yourself, by consent or under a contract (GDPR 20). All else that is held of
you is in the package that a request for access is answered with.
`colophon verify-package FILE` checks the signature and every file.
"""


@dataclass(slots=True)
class TakenAlong(Contents):
    """What can be taken along; ``means`` says of a row of the register whether it can."""

    log: ClassVar[str] = "records.ndjson"

    means: Callable[[Mapping[str, Any]], bool] = bool

    def take(self, said: Said) -> bytes:
        """Take in what of a record can be taken along; return its line, none where nothing can."""
        if said.sealed is None:
            return b""
        named = self._portable(said.topic, said.sealed.schema_id)
        values = {name: one for name, one in said.data["values"].items() if f"/{name}" in named}
        if not values:
            return b""
        return super(TakenAlong, self).take(replace(said, data={**said.data, "values": values}))

    def files(
        self,
        about: Mapping[str, Any],  # noqa: ARG002  (a package of everything tells it)
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Give every file but the records and the manifest, in pieces."""
        yield from self.data()
        yield "fields.json", [orjson.dumps(self.fields(), option=orjson.OPT_INDENT_2)]
        yield "README.txt", [README.encode()]

    def fields(self) -> list[dict[str, Any]]:
        """Say of each field that is in it what the register says of it."""
        return [row for row in super(TakenAlong, self).fields() if self.means(row)]

    def _portable(self, topic: str, schema: str) -> frozenset[str]:
        service = self.register["services"].get(topic.partition(".")[0], {})
        rows = service.get(schema, {}).get("fields", {})
        return frozenset(pointer for pointer, row in rows.items() if self.means(row))
