"""The journals that the host knows of: titles with an ISSN, as gate knowledge carries them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.events import TitleState

JOURNAL: Final = "journal:"


@dataclass(slots=True)
class Titles:
    """Which journal has which ISSN; ``state`` returns what is known of a title by its subject."""

    state: Callable[[str], TitleState | None]
    _subjects: dict[str, str] = field(default_factory=dict)

    def learn(self, title: TitleState) -> None:
        """Take note of a title's ISSNs; a title never loses one."""
        if title.subject.startswith(JOURNAL):
            self._subjects |= dict.fromkeys(title.issns, title.subject)

    def journal(self, issn: str) -> TitleState | None:
        """Return the journal that has an ISSN, written ``nnnn-nnnX``."""
        subject = self._subjects.get(issn)
        return None if subject is None else self.state(subject)

    def journals(self) -> Iterator[TitleState]:
        """Return every journal that can be read, of those known now; may be walked by a thread."""
        subjects = dict.fromkeys(list(self._subjects.values()))
        return (title for subject in subjects if (title := self.state(subject)) is not None)
