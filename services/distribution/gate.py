"""The gate: who owns a work now, and may this reader see its references at this moment.

Every outlet asks here, at the moment it answers, and none has a rule of its own. What is known
comes from the gate topics, held in memory; where it is unknown, unreadable or too old, references
are withheld (law L3).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, Final

from services.distribution.rest.render import Ownership
from services.distribution.titles import Titles
from shared.events import OwnershipState, PrefixState, Received, Setting, TitleState
from shared.kafka.knowledge import Knowledge
from shared.policy import (
    Reader,
    ReferencesPolicy,
    Visible,
    Withheld,
    effective_setting,
    references_visible,
    stale,
)

PREFIXES: Final = "accounts.prefixes.v1"
CREDENTIALS: Final = "accounts.credentials.v1"
OWNERSHIP: Final = "deposits.ownership.v1"
TOPICS: Final = (PREFIXES, CREDENTIALS, OWNERSHIP)
_DATED: Final = frozenset({PREFIXES, OWNERSHIP})


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose owner is asked for: a work by its DOI, and the title it stands in (null: in none)."""

    doi: str
    title: str | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Subject":
        """Return a work's subject; a document from before there were titles has none."""
        return cls(document["_id"], document.get("title"))


@dataclass(slots=True)
class Gate:
    """Answers from gate knowledge and the policy file; satisfies rest.owners.Owners."""

    knowledge: Knowledge
    policy: ReferencesPolicy
    _owned: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _owner: dict[str, int] = field(default_factory=dict)
    _effective: dict[str, tuple[int, Setting]] = field(default_factory=dict)
    titles: Titles = field(init=False)
    _changed: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Follow who owns which prefix, and which journals there are."""
        self.titles = Titles(self.title)
        self.knowledge.listeners.append(self._learn)

    def _learn(self, received: Received) -> None:
        event = received.event
        if event.topic in _DATED:
            self._changed[event.topic, event.key] = received.meta.time
        match event:
            case PrefixState(prefix=prefix, owner=owner):
                self._owned[self._owner.get(prefix, owner)].discard(prefix)
                self._owned[owner].add(prefix)
                self._owner[prefix] = owner
            case TitleState() as title:
                self.titles.learn(title)

    def fresh(self) -> bool:
        """Whether knowledge of owners and preferences is young enough to show anything."""
        return self.knowledge.fresh(PREFIXES, OWNERSHIP)

    def owner_prefix(self, work: Subject) -> str | None:
        """Return the prefix whose owner owns a work: its override, its title's, else the DOI's.

        None while the word that decides it cannot be read, or names a title that is not known.
        """
        match self.knowledge.get(OWNERSHIP, work.doi):
            case OwnershipState(owner_prefix=prefix):
                return prefix
        if self.knowledge.denied(OWNERSHIP, work.doi):
            return None
        return work.doi.partition("/")[0] if work.title is None else self.title_owner(work.title)

    def title_owner(self, title: str) -> str | None:
        """Return the prefix that owns a title, None where that is not known."""
        state = self.title(title)
        return state.owner_prefix if state else None

    def title(self, subject: str) -> TitleState | None:
        """Return what is known of a title, None where that is nothing or cannot be read."""
        match self.knowledge.get(OWNERSHIP, subject):
            case TitleState() as state:
                return state
        return None

    def title_name(self, title: str) -> str | None:
        """Return what a title is called, None where that is not known."""
        state = self.title(title)
        return state.name if state else None

    def ownership(self, work: Subject) -> Ownership:
        """Return what an answer says of a work's owner."""
        prefix = self.owner_prefix(work)
        state = self.prefix(prefix) if prefix else None
        return Ownership(
            prefix or work.doi.partition("/")[0],
            state.owner if state else None,
            state.owner_name if state else None,
        )

    def visibility(self, work: Subject, reader: Reader, *, outlet: str) -> Visible | Withheld:
        """Say whether ``reader`` may see the references of a work at ``outlet``, now."""
        return self.visibility_under(self.owner_prefix(work), reader, outlet=outlet)

    def visibility_under(
        self, prefix: str | None, reader: Reader, *, outlet: str
    ) -> Visible | Withheld:
        """Say whether ``reader`` may see references that the owner of ``prefix`` owns, now."""
        state = self.prefix(prefix) if prefix else None
        setting = self._setting(state) if state else None
        if not self.fresh():
            return stale(setting)
        return references_visible(
            self.policy,
            setting,
            outlet=outlet,
            owner=state.owner if state else None,
            reader=reader,
        )

    def changed(self, work: Subject) -> list[datetime] | None:
        """Return when what decides a work's owner and its setting changed last, each of them.

        None where a word that decides it cannot be read: nothing dates that.
        """
        keys = [(OWNERSHIP, work.doi)]
        if work.title is not None:
            keys.append((OWNERSHIP, work.title))
        prefix = self.owner_prefix(work)
        if prefix is not None:
            keys.append((PREFIXES, prefix))
        if any(self.knowledge.denied(*key) for key in keys):
            return None
        dated = (self._changed.get(key) for key in keys)
        return [datetime.fromisoformat(at) for at in dated if at]

    def prefix(self, prefix: str) -> PrefixState | None:
        """Return what is known of a prefix, None where that is nothing or cannot be read."""
        match self.knowledge.get(PREFIXES, prefix):
            case PrefixState() as state:
                return state
        return None

    def prefixes(self) -> list[PrefixState]:
        """Return every prefix that is known."""
        return [state for prefix in self._owner if (state := self.prefix(prefix))]

    def setting(self, prefix: str) -> Setting | None:
        """Return the setting in force for a prefix, None where it is not known."""
        state = self.prefix(prefix)
        return self._setting(state) if state else None

    def _setting(self, state: PrefixState) -> Setting:
        # All rules hold since the file was published at the latest, so the answer stands for a
        # version; and a host whose clock fell back to before the policy does not open everything.
        cached = self._effective.get(state.prefix)
        if cached is None or cached[0] != state.version:
            at = datetime.combine(self.policy.file.published, time.min, UTC)
            found = effective_setting(self.policy, state.setting, state.account_default, at)
            cached = self._effective[state.prefix] = (state.version, found.setting)
        return cached[1]

    def prefixes_of_member(self, member: int) -> Collection[str]:
        """Return the prefixes that an organisation owns."""
        return self._owned.get(member, set())

    def members(self) -> Collection[int]:
        """Return the organisations that own a prefix."""
        return [member for member, owned in self._owned.items() if owned]

    def prefixes_with_visibility(self, setting: str) -> Collection[str]:
        """Return the prefixes whose setting in force is ``setting``."""
        return [state.prefix for state in self.prefixes() if self._setting(state) == setting]

    def publisher_names(self) -> list[tuple[str, str]]:
        """Return every known prefix with the publisher name that its works show."""
        return [(state.prefix, state.owner_name) for state in self.prefixes()]

    def publisher_name(self, prefix: str) -> str | None:
        """Return the publisher name shown on works of a prefix."""
        state = self.prefix(prefix)
        return state.owner_name if state else None
