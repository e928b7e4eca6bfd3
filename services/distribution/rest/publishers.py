"""What is asked of publishers' names -> the owner prefixes that bear them, best first. Pure.

An owner's name is not in the index: it may change, and then its works would have to be written
again. So it is ranked here, as the engine ranks texts (BM25): a rare word says more than one that
many publishers have, and a name says more the less else there is in it. An owner counts once,
however many prefixes it has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import log
from typing import Final

from services.distribution.search import words_of

_SATURATION: Final = 1.2  # the engine's own numbers, so that its scores and these can be added
_LENGTH: Final = 0.75


def ranked(
    asked: str, publishers: Iterable[tuple[str, str]]
) -> tuple[tuple[float, frozenset[str]], ...]:
    """Return the prefixes of publishers that have a word of the text, by score, highest first.

    ``publishers`` are pairs of an owner prefix and the name that its works show.
    """
    prefixes: defaultdict[str, set[str]] = defaultdict(set)
    for prefix, name in publishers:
        prefixes[name].add(prefix)
    wanted = words_of(asked)
    words = {name: words_of(name) for name in prefixes}
    shared = {name: had for name, cut in words.items() if (had := cut & wanted)}
    having = Counter(word for had in shared.values() for word in had)
    usual = sum(map(len, words.values())) / max(len(words), 1)
    found: defaultdict[float, set[str]] = defaultdict(set)
    for name, had in shared.items():
        share = 1 - _LENGTH + _LENGTH * len(words[name]) / usual
        weight = (1 + _SATURATION) / (1 + _SATURATION * share)
        rarity = sum(_rarity(having[word], len(words)) for word in sorted(had))
        found[round(weight * rarity, 3)] |= prefixes[name]
    return tuple((score, frozenset(found[score])) for score in sorted(found, reverse=True))


def _rarity(having: int, of: int) -> float:
    return log(1 + (of - having + 0.5) / (having + 0.5))
