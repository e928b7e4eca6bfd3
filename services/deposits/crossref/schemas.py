"""Schemas to validate deposits with, from a folder the operator names; never from the network.

The schemas are others' work and are not shipped. A file is chosen by the namespace of the
deposit's root: `crossref5.3.1.xsd` for http://www.crossref.org/schema/5.3.1. A version that is
not in the folder is not validated, and the outline says so.
"""

import re
import threading
from pathlib import Path
from typing import Any

from lxml import etree

from services.deposits.crossref.vocabulary import DEPOSIT_NAMESPACE, RESOURCES_NAMESPACE

_FILE = re.compile(r"(?P<family>crossref|doi_resources)(?P<version>\d+\.\d+\.\d+)\.xsd")


class Schema:
    """One schema file, compiled at its first use (about 3 s of CPU) and then kept."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._lock = threading.Lock()
        self._compiled: Any = None

    def compiled(self) -> Any:
        """Return the compiled schema; blocking, safe to call from several threads."""
        with self._lock:
            if self._compiled is None:
                parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
                self._compiled = etree.XMLSchema(etree.parse(str(self._path), parser))
            return self._compiled


class Schemas:
    """The schemas of a folder, by family and version."""

    def __init__(self, found: dict[tuple[str, str], Schema]) -> None:
        self._found = found

    def find(self, namespace: str) -> Schema | None:
        """Return the schema of a deposit namespace, or None when the folder has none."""
        for family, pattern in (
            ("crossref", DEPOSIT_NAMESPACE),
            ("doi_resources", RESOURCES_NAMESPACE),
        ):
            named = pattern.fullmatch(namespace)
            if named is not None:
                return self._found.get((family, named["version"]))
        return None

    def names(self) -> list[str]:
        """Return the file names found, for the log line at start."""
        return sorted(schema.name for schema in self._found.values())


NO_SCHEMAS = Schemas({})


def load_schemas(folder: Path) -> Schemas:
    """Return the deposit schemas of a folder; raises NotADirectoryError when there is none."""
    if not folder.is_dir():
        raise NotADirectoryError(f"no folder of schemas: {folder}")
    found: dict[tuple[str, str], Schema] = {}
    for path in sorted(folder.glob("*.xsd")):
        named = _FILE.fullmatch(path.name)
        if named is not None:
            found[named["family"], named["version"]] = Schema(path)
    return Schemas(found)
