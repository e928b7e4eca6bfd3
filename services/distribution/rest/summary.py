"""Profiles of works -> counts, breakdowns, coverage, flags of members and journals (crossref 1.14).

"Current" is a year of issue of two years ago or later, "backfile" an earlier one; works whose year
is unknown are in the totals and in neither.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.search import Profile, decode_profile

COVERED: Final = (
    *("affiliations", "abstracts", "orcids", "licenses", "references", "funders"),
    *("similarity-checking", "award-numbers", "ror-ids", "update-policies", "resource-links"),
    "descriptions",
)
CURRENT_YEARS: Final = 2  # this year and so many before it
PERIODS: Final = ("current", "backfile")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the object of a member or a journal says of its works, in the words of the wire.

    ``coverage_type`` is by type of work, as members say it; ``coverage_all`` of all together.
    """

    counts: Mapping[str, int]
    breakdowns: Mapping[str, Any]
    counts_type: Mapping[str, Mapping[str, int]]
    coverage: Mapping[str, float]
    coverage_type: Mapping[str, Mapping[str, Mapping[str, float]]]
    coverage_all: Mapping[str, Mapping[str, float]]
    flags: Mapping[str, bool]


def summarise(counted: Mapping[str, int], *, this_year: int, checked: int) -> Summary:
    """Summarise profiles as the search projection counts them; ``checked`` in epoch ms."""
    profiles = [(decode_profile(value), count) for value, count in counted.items()]
    in_period = {
        "all": profiles,
        "current": [row for row in profiles if _period(row[0], this_year) == "current"],
        "backfile": [row for row in profiles if _period(row[0], this_year) == "backfile"],
    }
    totals = {name: sum(count for _, count in rows) for name, rows in in_period.items()}
    types = {name: _by_type(rows) for name, rows in in_period.items()}
    coverage = {
        f"{what}-{period}": ratio
        for period in PERIODS
        for what, ratio in _coverage(in_period[period]).items()
    }
    return Summary(
        counts={
            "current-dois": totals["current"],
            "backfile-dois": totals["backfile"],
            "total-dois": totals["all"],
        },
        breakdowns={"dois-by-issued-year": _by_year(profiles)},
        counts_type={
            name: {kind: sum(n for _, n in rows) for kind, rows in kinds.items()}
            for name, kinds in types.items()
        },
        coverage=coverage,
        coverage_type={
            name: {
                kind: {"last-status-check-time": checked, **_coverage(rows)}
                for kind, rows in kinds.items()
            }
            for name, kinds in types.items()
        },
        coverage_all={
            name: {"last-status-check-time": checked, **_coverage(rows)}
            for name, rows in in_period.items()
        },
        flags={
            "deposits": totals["all"] > 0,
            "deposits-articles": "journal-article" in types["all"],
            **{f"deposits-{name}": ratio > 0 for name, ratio in coverage.items()},
        },
    )


def _period(profile: Profile, this_year: int) -> str | None:
    if profile.year is None:
        return None
    return PERIODS[0] if profile.year >= this_year - CURRENT_YEARS else PERIODS[1]


def _by_type(
    rows: Iterable[tuple[Profile, int]],
) -> dict[str, list[tuple[Profile, int]]]:
    kinds: defaultdict[str, list[tuple[Profile, int]]] = defaultdict(list)
    for profile, count in rows:
        kinds[profile.type].append((profile, count))
    return dict(sorted(kinds.items()))


def _by_year(rows: Iterable[tuple[Profile, int]]) -> list[list[int]]:
    years: Counter[int] = Counter()
    for profile, count in rows:
        if profile.year is not None:
            years[profile.year] += count
    return [[year, n] for year, n in sorted(years.items(), key=lambda item: (-item[1], -item[0]))]


def _coverage(rows: list[tuple[Profile, int]]) -> dict[str, float]:
    total = sum(count for _, count in rows)
    having: Counter[str] = Counter()
    for profile, count in rows:
        for what in profile.has:
            having[what] += count
    return {what: having[what] / total if total else 0.0 for what in COVERED}
