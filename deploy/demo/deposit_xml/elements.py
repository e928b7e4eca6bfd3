"""Elements as text: an element without content is absent, and text is escaped once."""

from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Work = dict[str, Any]


def element(name: str, /, *children: str, **attributes: str | None) -> str:
    """Return an element around content that is XML already; absent without content."""
    content = "".join(children)
    said = "".join(
        f" {key.replace('__', ':').replace('_DASH_', '-')}={quoteattr(value)}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{said}>{content}</{name}>\n" if content else ""


def text(name: str, value: object, /, **attributes: str | None) -> str:
    """Return an element around text; absent for None."""
    return "" if value is None else element(name, escape(str(value)), **attributes)


def many(values: Iterable[Any], write: Callable[[Any], str]) -> str:
    """Write each value and join the results."""
    return "".join(write(value) for value in values)


def date(name: str, partial: Work | None, /, **attributes: str) -> str:
    """Return a date element of a partial date; absent for None."""
    if partial is None:
        return ""
    year, month, day = (*partial["date-parts"][0], None, None)[:3]
    written = (
        text("month", None if month is None else f"{month:02d}")
        + text("day", None if day is None else f"{day:02d}")
        + text("year", year)
    )
    return element(name, written, **attributes)
