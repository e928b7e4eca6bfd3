"""Counts of page views: one document for each day and dimension, and nobody in any (CRP-2b)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted
from shared.policy.registers import AnalyticsFile, CountingRow, DimensionRow

OTHER = "other"


class KeptCount(State):
    """How often each value of a dimension was seen on a day (UTC)."""

    day: date
    dimension: str
    counts: Mapping[str, int]
    forget_at: Instant
    version: Version = 1


class PageView(State):
    """A page that was seen; all that is ever known of it."""

    page: str
    referrer: str | None = None
    country: str | None = None
    exit_page: str | None = None


def count_key(day: date, dimension: str) -> str:
    """Return the key of a count."""
    return f"{day.isoformat()}|{dimension}"


def countable(rule: CountingRow, page: str) -> str:
    """Return a page as it is counted: one that begins with no registered page is not told."""
    known = any(page == one or (one != "/" and page.startswith(f"{one}/")) for one in rule.pages)
    return page if known else OTHER


def seen(file: AnalyticsFile, view: PageView) -> dict[str, str]:
    """Return what a page view adds to: a value of each dimension that it has."""
    counted = view.model_copy(
        update={
            name: countable(file.counting, page)
            for name, page in (("page", view.page), ("exit_page", view.exit_page))
            if page is not None
        }
    )
    return {
        row.id: value
        for row in file.dimensions
        if (value := getattr(counted, row.field)) is not None
    }


def count(
    known: KeptCount | None,
    *,
    day: date,
    dimension: str,
    more: Mapping[str, int],
    rule: CountingRow,
) -> Accepted[KeptCount]:
    """Add to a day's counts; where there are too many values, to those of all others."""
    counts = dict(known.counts) if known else {}
    for value, times in more.items():
        room = value in counts or len(counts) < rule.most_values
        name = value if room else OTHER
        counts[name] = counts.get(name, 0) + times
    forget_at = datetime.combine(day, time(), UTC) + rule.kept
    version = known.version + 1 if known else 1
    state = KeptCount(
        day=day, dimension=dimension, counts=counts, forget_at=forget_at, version=version
    )
    return Accepted(state, ())


def totals(
    file: AnalyticsFile, counts: Iterable[KeptCount], dimensions: Iterable[DimensionRow]
) -> dict[str, dict[str, int]]:
    """Sum days up by dimension and value, the greatest first.

    What is too small on a day is left out of that day: else two sums over days that differ by one
    would tell it.
    """
    told: dict[str, dict[str, int]] = {row.id: {} for row in dimensions}
    for one in counts:
        sums = told[one.dimension]
        for value, times in one.counts.items():
            if times >= file.counting.smallest:
                sums[value] = sums.get(value, 0) + times
    return {
        name: dict(sorted(sums.items(), key=lambda each: (-each[1], each[0])))
        for name, sums in told.items()
    }
