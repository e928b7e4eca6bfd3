"""The checker: pure functions from a history, its final state included, to what breaks a law.

Each check takes the entries and yields violations; none knows how the history was made.
"""

from tests.fire.checks.base import Run, Verdict, Violation
from tests.fire.checks.deposits import acknowledged, refused, verdicts
from tests.fire.checks.folds import folded, monotone, products_in_order, published
from tests.fire.checks.gate import counted, shown_in_the_end, withheld
from tests.fire.checks.offsets import committed, parked
from tests.fire.checks.running import answers, settled, worth_it

CHECKS = (
    acknowledged,
    verdicts,
    refused,
    folded,
    published,
    monotone,
    products_in_order,
    withheld,
    counted,
    shown_in_the_end,
    committed,
    parked,
    answers,
    settled,
)

__all__ = ["CHECKS", "Run", "Verdict", "Violation", "judge", "worth_it"]


def judge(run: Run) -> Verdict:
    """Judge a run by every law."""
    found = [one for check in CHECKS for one in check(run)]
    return Verdict(run.seed, tuple(found), run.counts())
