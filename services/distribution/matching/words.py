"""How references and works are made comparable: words, numbers, years, short forms. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_MARKUP: Final = re.compile(r"<[^>]*>")
_BREAKS: Final = re.compile(r"[^\w]+|_")
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)[a-z]?(?!\d)")
_DOI: Final = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_NUMBER: Final = re.compile(r"(?<![\w.])([a-z]{0,2}\d{1,9})(?!\w)")
_RANGE: Final = re.compile(r"[-\u2010-\u2015]")
_SMALL: Final = frozenset(
    ("of", "the", "and", "for", "in", "on", "de", "der", "la", "a", "an", "et")
)
_ORDINALS: Final = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"})
LONGEST_TEXT: Final = 4_000  # characters of a reference that are read
MOST_NUMBERS: Final = 14


def words(text: str) -> list[str]:
    """Return the words of a text: folded, lower-case, without markup and signs."""
    plain = unicodedata.normalize("NFKD", _MARKUP.sub("", text[:LONGEST_TEXT]))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _BREAKS.sub(" ", letters.lower()).split()


def number(text: str) -> str:
    """Return a volume, or the first of a range of pages, as it is compared."""
    first = _RANGE.split(text.strip())[0]
    return "".join(words(first)).lstrip("0")


def years_in(text: str) -> list[str]:
    """Return the years that a text names, each once."""
    return list(dict.fromkeys(_YEAR.findall(text[:LONGEST_TEXT].lower())))


def numbers_in(text: str) -> list[str]:
    """Return the last numbers of a text in order; a year may be a page, so they are among them."""
    lower = _RANGE.sub(" ", text[:LONGEST_TEXT].lower()).replace(":", " ").replace("(", " ")
    found = (one.lstrip("0") for one in _NUMBER.findall(lower))
    return [one for one in found if one][-MOST_NUMBERS:]


def doi_in(text: str) -> str | None:
    """Return the DOI that stands in a text, None where there is none."""
    found = _DOI.search(text[:LONGEST_TEXT].lower())
    return found[0].rstrip(".,;:)]}'") if found else None


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Return how alike two titles are, 0 to 1.

    The beginning of a longer title counts for the whole, as subtitles are left out; two parts of
    one series, which differ in a number alone, do not.
    """
    if not one or not other:
        return 0.0
    first, second = set(one), set(other)
    if any(word.isdigit() or word in _ORDINALS for word in first ^ second):
        return 0.5 if first & second else 0.0
    shorter, longer = sorted((list(one), list(other)), key=len)
    if len(shorter) >= 5 and longer[: len(shorter)] == shorter:  # noqa: PLR2004  (words)
        return 1.0
    return 2 * len(first & second) / (len(first) + len(second))


def shortens(short: Sequence[str], full: Sequence[str]) -> bool:
    """Say whether words stand for a name, each word cut or with letters left out, in its order."""
    given = [word for word in short if word not in _SMALL]
    named = [word for word in full if word not in _SMALL]
    if not given or len(given) > len(named) or len(named) > len(given) + 1:
        return False
    return len(named) == len(given) and all(
        _cut(word, whole) for word, whole in zip(given, named, strict=True)
    )


def stands_in(full: Sequence[str], text: Sequence[str]) -> bool:
    """Say whether a name stands in a text, whole or shortened word by word."""
    named = [word for word in full if word not in _SMALL]
    given = [word for word in text if word not in _SMALL]
    if not named or (len(named) == 1 and len(named[0]) < 4):  # noqa: PLR2004  (letters)
        return False
    last = len(given) - len(named) + 1
    return any(
        all(map(_cut, given[start : start + len(named)], named)) for start in range(max(last, 0))
    )


def contains(part: Sequence[str], text: Sequence[str]) -> bool:
    """Say whether words stand in a text one after the other."""
    return f" {' '.join(part)} " in f" {' '.join(text)} "


def _cut(short: str, whole: str) -> bool:
    """Say whether a word is another one cut: its first letter, then letters of it in order."""
    if short == whole:
        return True
    if not short or short[0] != whole[0] or len(short) > len(whole):
        return False
    rest = iter(whole)
    return all(sign in rest for sign in short)
