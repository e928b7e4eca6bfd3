"""The catalogue of a snapshot: which works there are, in which member each stands, and its pieces.

It is what makes a build resumable, and what tells afterwards whose work stands where. In SQLite, as
a file beside the snapshot's own: it has a row a work, is walked by owner and asked by DOI.
"""

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from services.distribution.snapshots.choosing import Member, Piece

FILE: Final = "catalogue.sqlite"
TABLES: Final = """
CREATE TABLE IF NOT EXISTS works (
    doi TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, version INTEGER NOT NULL,
    member INTEGER, marks BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS due ON works (owner, title, doi) WHERE member IS NULL;
CREATE TABLE IF NOT EXISTS members (
    number INTEGER PRIMARY KEY, owner TEXT NOT NULL, works INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pieces (
    form TEXT NOT NULL, variant TEXT NOT NULL, member INTEGER NOT NULL, at INTEGER NOT NULL,
    length INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (form, variant, member)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS titles (
    title TEXT NOT NULL, member INTEGER NOT NULL, PRIMARY KEY (title, member)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, said BLOB NOT NULL);
"""
LIST: Final = """
INSERT INTO works (doi, owner, title, version) VALUES (?, ?, ?, ?)
ON CONFLICT (doi) DO UPDATE SET owner = excluded.owner, title = excluded.title,
    version = excluded.version
WHERE version < excluded.version AND member IS NULL
"""
ENTERED: Final = "SELECT doi, owner, title, version, marks, member FROM works"
AT_ONCE: Final = 500  # keys a question


@dataclass(frozen=True, slots=True)
class Listed:
    """A work that is to be in the snapshot; ``owner`` and ``title`` are empty where unknown."""

    doi: str
    owner: str
    title: str
    version: int


@dataclass(frozen=True, slots=True)
class Entered:
    """A work that stands in a member: whose it was then, its version and references then.

    ``title`` is empty where the work's owner does not depend on one.
    """

    doi: str
    owner: str
    title: str
    version: int
    marks: bytes
    member: int


@dataclass(slots=True)
class Catalogue:
    """The catalogue in a snapshot's folder. Blocks, each call for a moment; any thread may call.

    A closed one knows of nothing: who still asks has been overtaken by the snapshot's end.
    """

    folder: Path
    _alone: threading.RLock = field(default_factory=threading.RLock, init=False)
    _database: sqlite3.Connection = field(init=False)
    _closed: bool = False

    def __post_init__(self) -> None:
        """Open it, or make it."""
        self._database = sqlite3.connect(self.folder / FILE, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        # What is told to have been written must be there after a power cut: files follow it.
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(TABLES)

    def close(self) -> None:
        """Close it."""
        with self._alone:
            self._closed = True
            self._database.close()

    # -- facts: what is known of the build as a whole

    def fact(self, name: str) -> Any:
        """Return what was noted under a name, None where nothing was."""
        found = self._all("SELECT said FROM facts WHERE name = ?", name)
        return orjson.loads(found[0][0]) if found else None

    def note(self, **facts: Any) -> None:
        """Note facts: JSON values."""
        with self._alone, self._database:
            self._note(facts)

    def _note(self, facts: Mapping[str, Any]) -> None:
        for name, said in facts.items():
            self._database.execute(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, orjson.dumps(said))
            )

    # -- listing

    def enlist(self, works: Iterable[Listed], **facts: Any) -> None:
        """List works, each in its newest version, and note how far that is, in one step."""
        with self._alone, self._database:
            self._database.executemany(
                LIST, [(one.doi, one.owner, one.title, one.version) for one in works]
            )
            self._note(facts)

    def due(self) -> int:
        """Return how many works stand in no member yet."""
        return int(self._all("SELECT count(*) FROM works WHERE member IS NULL")[0][0])

    def count(self) -> int:
        """Return how many works are listed."""
        return int(self._all("SELECT count(*) FROM works")[0][0])

    def owners_due(self) -> list[str]:
        """Return the owner prefixes of works that stand in no member yet."""
        found = self._all("SELECT DISTINCT owner FROM works WHERE member IS NULL ORDER BY owner")
        return [owner for (owner,) in found]

    def page_due(self, owner: str, after: tuple[str, str], most: int) -> list[Listed]:
        """Return the next works of an owner that stand in no member, in order of title and DOI."""
        found = self._all(
            "SELECT doi, owner, title, version FROM works WHERE member IS NULL AND owner = ?"
            " AND (title, doi) > (?, ?) ORDER BY title, doi LIMIT ?",
            owner,
            *after,
            most,
        )
        return [Listed(*row) for row in found]

    def regive(self, works: Iterable[tuple[str, str]]) -> None:
        """Note of works, by DOI, the owner that they have now; they are due under that one."""
        with self._alone, self._database:
            self._database.executemany(
                "UPDATE works SET owner = ? WHERE doi = ?", [(owner, doi) for doi, owner in works]
            )

    # -- writing

    def next_number(self) -> int:
        """Return the number of the next member."""
        return int(self._all("SELECT coalesce(max(number) + 1, 0) FROM members")[0][0])

    def size(self, form: str, variant: str) -> int:
        """Return how many bytes of a file are told of; what follows was not finished."""
        asked = "SELECT coalesce(max(at + length), 0) FROM pieces WHERE form = ? AND variant = ?"
        return int(self._all(asked, form, variant)[0][0])

    def enter(
        self,
        member: int,
        owner: str,
        works: Sequence[Entered],
        pieces: Mapping[tuple[str, str], Piece],
    ) -> None:
        """Tell of a member whose bytes are written: its works and pieces, in one step."""
        with self._alone, self._database:
            self._database.execute(
                "INSERT INTO members VALUES (?, ?, ?)", (member, owner, len(works))
            )
            self._database.executemany(
                "UPDATE works SET owner = ?, title = ?, version = ?, member = ?, marks = ?"
                " WHERE doi = ?",
                [(w.owner, w.title, w.version, w.member, w.marks, w.doi) for w in works],
            )
            self._database.executemany(
                "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (form, variant, member, piece.at, piece.length, piece.sha256)
                    for (form, variant), piece in pieces.items()
                ],
            )
            self._database.executemany(
                "INSERT OR IGNORE INTO titles VALUES (?, ?)",
                [(title, member) for title in {work.title for work in works} - {""}],
            )

    # -- serving

    def members(self, form: str) -> list[Member]:
        """Return the members in a form, in order."""
        found = self._all(
            "SELECT m.number, m.owner, m.works, f.at, f.length, f.sha256, b.at, b.length, b.sha256"
            " FROM members m JOIN pieces f ON f.member = m.number JOIN pieces b"
            " ON b.member = m.number WHERE f.form = ? AND f.variant = 'full'"
            " AND b.form = ? AND b.variant = 'bare' ORDER BY m.number",
            form,
            form,
        )
        return [
            Member(number, owner, works, Piece(*rest[:3]), Piece(*rest[3:]))
            for number, owner, works, *rest in found
        ]

    def standing(self) -> list[tuple[str, int, str]]:
        """Return each title, a member with works that belong to its owner, and that owner."""
        return self._all(
            "SELECT t.title, t.member, m.owner FROM titles t JOIN members m ON m.number = t.member"
        )

    def entered(self, dois: Sequence[str]) -> list[Entered]:
        """Return what stands in a member of these works."""
        found: list[Entered] = []
        for start in range(0, len(dois), AT_ONCE):
            some = dois[start : start + AT_ONCE]
            marks = ",".join("?" * len(some))
            asked = f"{ENTERED} WHERE member IS NOT NULL AND doi IN ({marks})"
            found += [Entered(*row) for row in self._all(asked, *some)]
        return found

    def _all(self, asked: str, *values: object) -> list[Any]:
        with self._alone:
            return [] if self._closed else self._database.execute(asked, values).fetchall()
