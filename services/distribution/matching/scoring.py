"""How well a work fits a reference, in points, and which work it is if any. Pure.

A wrong link is worse than none: what contradicts weighs more than what agrees, and where two works
fit about as well neither is taken. The numbers are measured (tests/bench/matching.py).
"""

from collections.abc import Collection, Iterable
from typing import Final

from services.distribution.matching.cards import Card
from services.distribution.matching.references import Reading, Said, Told
from services.distribution.matching.words import contains, likeness, shortens, stands_in

THRESHOLD: Final = 7  # points from which on a work is the one that is meant
LEAD: Final = 2  # points that it must be ahead of the next best
SAME, ALIKE, OTHER = 0.92, 0.75, 0.5  # likeness of titles
LONG, SHORT = 5, 3  # words from which on a title tells much, or something
TITLE: Final = 5
PART_OF_TITLE: Final = 3
NO_TITLE: Final = -4
UNSAID_TITLE: Final = -1  # texts of some fields name no titles
PAGE: Final = (3, -3)
VOLUME: Final = (2, -2)
AUTHOR: Final = (2, -3)
CONTAINER: Final = 2
YEAR, NEXT_YEAR, OTHER_YEAR = 1, -1, -4  # online and print are often a year apart
GLUED: Final = 4  # letters of a name from which on a longer word may begin with it
FIRST_WORDS: Final = 40  # of a text, among which its first author stands


def choose(reading: Reading, cards: Iterable[Card], *, itself: str = "") -> str | None:
    """Return the DOI of the work that a reference means, None where that is not clear.

    ``itself`` is the citing work, which is never its own reference.
    """
    points = sorted(
        ((points_of(reading, card), card.doi) for card in cards if card.doi != itself),
        reverse=True,
    )
    if not points or points[0][0] < THRESHOLD:
        return None
    if len(points) > 1 and points[0][0] - points[1][0] < LEAD:
        return None
    return points[0][1]


def points_of(reading: Reading, card: Card) -> int:
    """Return how well a work fits a reference."""
    match reading:
        case Said():
            return _of_fields(reading, card)
        case Told():
            return _of_text(reading, card)


def _of_fields(said: Said, card: Card) -> int:
    title = _title(said.title, card.title)
    places = _either(said.page, card.pages, PAGE) + _either(
        said.volume, (card.volume,) if card.volume else (), VOLUME
    )
    author = (AUTHOR[0] if card.family in said.author else AUTHOR[1]) if (
        said.author and card.family
    ) else 0  # fmt: skip
    held = bool(said.issn and said.issn in card.issn) or any(
        said.container == one or shortens(said.container, one) for one in card.containers
    )
    if title <= 0 and places < PAGE[0] + VOLUME[0]:
        return 0  # nothing that names one work among those of a journal and a year
    years = () if said.year is None else (said.year,)
    return title + places + author + CONTAINER * held + _year(years, card.years)


def _of_text(told: Told, card: Card) -> int:
    title = 0
    if len(card.title) >= SHORT:
        long = len(card.title) >= LONG
        title = (TITLE if long else PART_OF_TITLE) if contains(card.title, told.words) else (
            UNSAID_TITLE
        )  # fmt: skip
    numbers = set(told.numbers)
    if numbers <= {str(year) for year in told.years}:
        numbers = set()  # a text without any leaves them out; it contradicts none
    page = _among(card.pages, numbers, PAGE)
    volume = _among((card.volume,) if card.volume else (), numbers, VOLUME)
    author = _author_in(told, card.family)
    held = any(stands_in(one, told.words) for one in card.containers)
    if title <= 0 and page + volume < PAGE[0] + VOLUME[0]:
        return 0
    return title + page + volume + author + CONTAINER * held + _year(told.years, card.years)


def _author_in(told: Told, family: str) -> int:
    """Weigh an author; where a tool dropped the space, initials stick to the name."""
    if not family:
        return 0
    first = told.words[:FIRST_WORDS]
    glued = len(family) >= GLUED and any(word.startswith(family) for word in first)
    return AUTHOR[0] if glued or family in first else AUTHOR[1]


def _title(said: tuple[str, ...], named: tuple[str, ...]) -> int:
    if not said or not named:
        return 0
    alike, length = likeness(said, named), min(len(said), len(named))
    if alike >= SAME:
        return TITLE if length >= LONG else PART_OF_TITLE if length >= SHORT else 1
    if alike >= ALIKE and length >= LONG:
        return PART_OF_TITLE
    return NO_TITLE if alike < OTHER else 0


def _either(said: str, known: Collection[str], points: tuple[int, int]) -> int:
    if not said or not known:
        return 0
    return points[0] if said in known else points[1]


def _among(known: Collection[str], said: Collection[str], points: tuple[int, int]) -> int:
    if not known or not said:
        return 0
    return points[0] if any(one in said for one in known) else points[1]


def _year(said: Collection[int], known: Collection[int]) -> int:
    if not said or not known:
        return 0
    if any(year in known for year in said):
        return YEAR
    near = any(abs(one - other) == 1 for one in said for other in known)
    return NEXT_YEAR if near else OTHER_YEAR
