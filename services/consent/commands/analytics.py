"""Counting page views and telling totals.

Views are added up in memory and written every few seconds, as sums: no time of a view stands
anywhere. A process that is killed loses those seconds; counts of pages are worth no more.
"""

from collections import Counter
from datetime import date, timedelta
from functools import partial

from services.consent.commands.context import Consenting, Views
from services.consent.errors import Refusal
from services.consent.model import analytics
from services.consent.model.analytics import OTHER, PageView, count_key
from shared.mongo import Refused
from shared.policy.registers import DimensionRow

MOST_DAYS = 400  # of one question


def note(consenting: Consenting, view: PageView) -> None:
    """Count a page view."""
    today = consenting.now().date()
    file = consenting.rows.analytics
    for dimension, value in analytics.seen(file, view).items():
        counter = consenting.views.setdefault((today, dimension), Counter())
        room = value in counter or len(counter) < file.counting.most_values
        counter[value if room else OTHER] += 1


async def write_views(consenting: Consenting) -> bool:
    """Write down what was counted since; raises ``Transient``, and then nothing of it is lost."""
    rule = consenting.rows.analytics.counting
    for day, dimension in list(consenting.views):
        more = consenting.views.pop((day, dimension))
        try:
            added = partial(analytics.count, day=day, dimension=dimension, more=more, rule=rule)
            await consenting.store.counts.update(count_key(day, dimension), added)
        except BaseException:  # also where it is cancelled: what was counted is not lost
            _put_back(consenting.views, day, dimension, more)
            raise
    return False


async def totals(
    consenting: Consenting, begin: date, until: date, dimension: str | None
) -> dict[str, dict[str, int]] | Refused[Refusal]:
    """Return the totals of days, the last one included; of one dimension or of all (CRP-2c)."""
    file = consenting.rows.analytics
    chosen: list[DimensionRow] = [row for row in file.dimensions if dimension in (None, row.id)]
    if not chosen:
        return Refused(Refusal("dimension-unknown", rule="CRP-2a", places=("?dimension",)))
    days = (until - begin).days + 1
    if not 0 < days <= MOST_DAYS:
        detail = f"Ask for 1 to {MOST_DAYS} days."
        return Refused(Refusal("days-invalid", detail, places=("?from", "?until")))
    keys = [
        count_key(begin + timedelta(days=number), row.id)
        for number in range(days)
        for row in chosen
    ]
    found = await consenting.store.counts.load_many(keys)
    return analytics.totals(file, found.values(), chosen)


def _put_back(views: Views, day: date, dimension: str, more: Counter[str]) -> None:
    views.setdefault((day, dimension), Counter()).update(more)
