"""The sets there are, as ListSets shows them: those that hold a work, in order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.distribution.gate import Gate
from services.distribution.oai.sets import FAMILIES, NAMES, Set, token_of
from services.distribution.search import Facet, OneOf, SearchIndex, Term


@dataclass(slots=True)
class Sets:
    """The sets of one host's index; worked out once for each state of it."""

    index: SearchIndex
    gate: Gate
    _listed: tuple[int, tuple[Set, ...]] = field(default=(-1, ()))

    def all(self) -> tuple[Set, ...]:
        """Return every set. Blocks; raises SearchIndexError when the engine fails."""
        generation = self.index.generation
        if self._listed[0] != generation:
            found = sorted(self._found(), key=lambda one: one.spec)
            self._listed = (generation, tuple(found))
        return self._listed[1]

    def _found(self) -> Iterator[Set]:
        for letter, kinds in FAMILIES.items():
            family = OneOf(Term.TYPE, kinds)
            yield Set(letter, NAMES[letter])
            for owner in self.index.count([family], Facet.OWNER):
                name = self.gate.publisher_name(owner) or owner
                yield Set(f"{letter}:{owner}", name)
            for title, owner in self.index.standings(clauses=[family]):
                name = self.gate.title_name(title) or title
                yield Set(f"{letter}:{owner}:{token_of(title)}", name)
