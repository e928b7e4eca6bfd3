"""What became of a snapshot's works since it was built: whose they are, what they still say.

A member is sound while all its works belong to the owner they had when it was built, and none has
taken back a reference since (CRR-11). What is not sound is served without references until the
snapshot is built again: whose references they are is then not the question any more.

Owners are asked of the gate as it learns of them, in the same moment. Works are followed on their
topic from where the build began to read; until that has been read to its end nothing is served.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from services.distribution.gate import OWNERSHIP, Gate, Subject
from services.distribution.snapshots.catalogue import Catalogue, Entered
from services.distribution.snapshots.choosing import Member
from services.distribution.snapshots.forms import FORMS
from services.distribution.snapshots.references import lacks
from services.distribution.snapshots.shelf import Ready
from shared.events import OwnershipState, Received, TitleState, WorkState
from shared.kafka.follow import Place

WORK: Final = "work "  # before the DOI of a work that took a reference back


@dataclass(slots=True)
class Watched:
    """A ready snapshot, with what is known against its members.

    ``notes`` is this host's folder for how far it followed works, and what it found.
    """

    ready: Ready
    gate: Gate
    notes: Path
    catalogue: Catalogue = field(init=False)
    members: Mapping[str, Sequence[Member]] = field(init=False)
    positions: Mapping[Place, int] = field(init=False)
    _titles: dict[str, list[tuple[int, str]]] = field(init=False)
    _against: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Open the catalogue and judge by all that the gate knows already. Blocks."""
        self.catalogue = Catalogue(self.ready.folder)
        self.members = {form: self.catalogue.members(form) for form in FORMS}
        self._titles = defaultdict(list)
        for title, member, owner in self.catalogue.standing():
            self._titles[title].append((member, owner))
        self.positions = positions_of(self.ready)
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            self._take_up(orjson.loads(self._place.read_bytes()))

    @property
    def _place(self) -> Path:
        return self.notes / f"{self.ready.id}.json"

    def _take_up(self, said: dict[str, Any]) -> None:
        """Go on where this host was; without a note that can be read, from the beginning."""
        positions = places_of(said["positions"])
        for reason, member in said["taken-back"].items():
            self._note(member, reason, holds=True)
        self.positions = positions

    def noted(self) -> bytes:
        """Return the note of how far works were followed, and what they say against members."""
        said = {
            "positions": [[*place, at] for place, at in sorted(self.positions.items())],
            "taken-back": {
                reason: member
                for member, reasons in self._against.items()
                for reason in reasons
                if reason.startswith(WORK)
            },
        }
        return orjson.dumps(said)

    def keep(self, note: bytes) -> None:
        """Keep a note for the next start. Blocks."""
        self.notes.mkdir(parents=True, exist_ok=True)
        fresh = self._place.with_suffix(".new")
        fresh.write_bytes(note)
        fresh.replace(self._place)

    def forget(self) -> None:
        """Remove the note: the snapshot is no more."""
        self._place.unlink(missing_ok=True)

    def begin(self) -> None:
        """Judge all by what the gate knows, and from now on by what it learns."""
        self.gate.knowledge.listeners.append(self._learn)
        self.gate.knowledge.denials.append(self._denied)
        for title in self._titles:
            self._judge_title(title)
        self._judge_works(
            [one.subject for one in self.gate.knowledge.held(OWNERSHIP, OwnershipState)]
        )
        self._judge_works(self.gate.knowledge.denied_keys(OWNERSHIP))

    def end(self) -> None:
        """Hear no more, and let the files go."""
        self.gate.knowledge.listeners.remove(self._learn)
        self.gate.knowledge.denials.remove(self._denied)
        self.catalogue.close()

    @property
    def unsound(self) -> int:
        """How many members are served without references whatever the setting."""
        return sum(1 for reasons in self._against.values() if reasons)

    def sound(self, member: Member) -> bool:
        """Say whether a member may be judged by its owner's setting at all."""
        return not self._against.get(member.number)

    def judge(self, works: Iterable[WorkState]) -> list[tuple[int, str, bool]]:
        """Return what newer states of works say against members, to be noted. Blocks."""
        newest: dict[str, WorkState] = {}
        for work in works:
            if work.doi not in newest or newest[work.doi].version < work.version:
                newest[work.doi] = work
        return [
            (one.member, WORK + one.doi, _taken_back(newest[one.doi], one, self.gate))
            for one in self.catalogue.entered(list(newest))
            if newest[one.doi].version > one.version
        ]

    def note(self, found: Iterable[tuple[int, str, bool]]) -> None:
        """Note what was found."""
        for member, reason, holds in found:
            self._note(member, reason, holds=holds)

    def _learn(self, received: Received) -> None:
        match received.event:
            case TitleState(subject=title):
                self._judge_title(title)
            case OwnershipState(subject=doi):
                self._judge_works([doi])

    def _denied(self, topic: str, key: str) -> None:
        if topic == OWNERSHIP:
            self._judge_title(key)
            self._judge_works([key])

    def _judge_title(self, title: str) -> None:
        owner = self.gate.title_owner(title)
        for member, owned in self._titles.get(title, ()):
            self._note(member, f"title {title}", holds=owner != owned)

    def _judge_works(self, dois: Sequence[str]) -> None:
        for entered in self.catalogue.entered([doi for doi in dois if doi.startswith("10.")]):
            owner = self.gate.owner_prefix(Subject(entered.doi, entered.title or None))
            self._note(entered.member, f"owner {entered.doi}", holds=owner != entered.owner)

    def _note(self, member: int, reason: str, *, holds: bool) -> None:
        if holds:
            self._against[member].add(reason)
        elif member in self._against:
            self._against[member].discard(reason)


def positions_of(ready: Ready) -> dict[Place, int]:
    """Return where on the topics of works a snapshot's build began."""
    return places_of(ready.manifest["read"])


def places_of(written: Sequence[tuple[str, int, int]]) -> dict[Place, int]:
    """Read positions as a manifest has them."""
    return {(topic, part): at for topic, part, at in written}


def _taken_back(work: WorkState, entered: Entered, gate: Gate) -> bool:
    """Say whether a newer state lacks a reference, or stands in another title than before."""
    if lacks(work.work, entered.marks):
        return True
    overridden = isinstance(gate.knowledge.get(OWNERSHIP, work.doi), OwnershipState)
    return not overridden and (work.title or "") != entered.title
