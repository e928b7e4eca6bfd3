"""The ledger: what one partition of the products holds of each work, on this host.

A fold of the partition itself, kept beside it as a search index is kept beside the works: what is
missing is read back from the topic, what is there already changes nothing. In SQLite, for it is
walked by owner and by title, and an update of a key in the store costs more than the publication.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

LAYOUT: Final = 1
TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS published (
    doi TEXT PRIMARY KEY, version INTEGER NOT NULL, title TEXT NOT NULL, owner TEXT NOT NULL,
    standing TEXT NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_owner ON published (owner, standing, doi);
CREATE INDEX IF NOT EXISTS by_title ON published (title, owner, doi);
CREATE TABLE IF NOT EXISTS folded (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER);
PRAGMA user_version = {LAYOUT};
"""
RECORD: Final = """
INSERT INTO published VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (doi) DO UPDATE SET version = excluded.version, title = excluded.title,
    owner = excluded.owner, standing = excluded.standing, position = excluded.position
WHERE position < excluded.position
"""
FOLD: Final = """
INSERT INTO folded VALUES (1, ?)
ON CONFLICT (one) DO UPDATE SET position = max(position, excluded.position)
"""
COLUMNS: Final = "doi, version, title, owner, standing, position"
MOST: Final = 10_000  # DOIs in one question: SQLite takes 32,766, or 250,000 where it is built so
BESIDE: Final = ("", "-wal", "-shm")  # the files of one database

Column = Literal["owner", "title"]
_WITHIN: Final = {"owner": "standing", "title": "owner"}  # by what the works of one are told apart


@dataclass(frozen=True, slots=True)
class Row:
    """What the topic holds of a work; ``owner`` and ``title`` are empty where there is none.

    ``position`` is the record's offset: the order of a key.
    """

    doi: str
    version: int
    title: str
    owner: str
    standing: str
    position: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The works of one owner under one standing, or of one title under one owner."""

    column: Column
    name: str
    within: str


@dataclass(slots=True)
class Ledger:
    """One partition's ledger. Blocks, each call for a moment; any thread may call."""

    path: Path
    _alone: threading.RLock = field(default_factory=threading.RLock, init=False)
    _database: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        """Open it; what cannot be read or is of another layout is begun anew."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._open()
            usable = self._database.execute("PRAGMA user_version").fetchone()[0] in {0, LAYOUT}
        except sqlite3.DatabaseError:
            usable = False
        if not usable:
            self.begin_anew()
        self._database.executescript(TABLES)

    def _open(self) -> None:
        self._database = sqlite3.connect(self.path, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        # A power cut may take the newest rows, never the order: they are read back from the topic.
        self._database.execute("PRAGMA synchronous = NORMAL")

    def begin_anew(self) -> None:
        """Forget everything."""
        with self._alone:
            self._database.close()
            for ending in BESIDE:
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
            self._open()
            self._database.executescript(TABLES)

    def position(self) -> int:
        """Return the offset from which the topic is not folded yet."""
        found = self._all("SELECT position FROM folded")
        return int(found[0][0]) if found else 0

    def fold(self, rows: Iterable[Row], position: int) -> None:
        """Take in rows that stand before ``position`` in the topic; older ones change nothing."""
        with self._alone, self._database:
            self._database.executemany(
                RECORD,
                (
                    (one.doi, one.version, one.title, one.owner, one.standing, one.position)
                    for one in rows
                ),
            )
            self._database.execute(FOLD, (position,))

    def rows(self, dois: Sequence[str]) -> dict[str, Row]:
        """Return what the topic holds of ``dois``."""
        found = dict[str, Row]()
        for start in range(0, len(dois), MOST):
            some = dois[start : start + MOST]
            marks = ",".join("?" * len(some))
            rows = self._all(f"SELECT {COLUMNS} FROM published WHERE doi IN ({marks})", *some)  # noqa: S608
            found |= {row[0]: Row(*row) for row in rows}
        return found

    def stretches(self, column: Column, name: str | None = None) -> list[Stretch]:
        """Return the stretches of one owner or title, or of all."""
        asked = f"SELECT DISTINCT {column}, {_WITHIN[column]} FROM published"  # noqa: S608
        found = self._all(asked) if name is None else self._all(f"{asked} WHERE {column} = ?", name)
        return [Stretch(column, *row) for row in found]

    def count(self, stretch: Stretch) -> int:
        """Return how many works a stretch holds."""
        asked = f"SELECT count(*) FROM published WHERE {_condition(stretch)}"  # noqa: S608
        return int(self._all(asked, stretch.name, stretch.within)[0][0])

    def page(self, stretch: Stretch, *, after: str, most: int) -> list[Row]:
        """Return the works of a stretch that follow ``after``, in order of their DOIs."""
        asked = (
            f"SELECT {COLUMNS} FROM published WHERE {_condition(stretch)}"  # noqa: S608
            " AND doi > ? ORDER BY doi LIMIT ?"
        )
        return [Row(*row) for row in self._all(asked, stretch.name, stretch.within, after, most)]

    def _all(self, asked: str, *values: object) -> list[Any]:
        with self._alone:
            return self._database.execute(asked, values).fetchall()

    def close(self) -> None:
        """Close it."""
        with self._alone:
            self._database.close()


def _condition(stretch: Stretch) -> str:
    return f"{stretch.column} = ? AND {_WITHIN[stretch.column]} = ?"
