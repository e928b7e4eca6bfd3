"""Random valid deposits, built from the mapping's own tables.

Every row of a table that carries something names the kind of its value; `rows.VALUES` says how a
value of that kind looks in a work object. A new row of a known kind is thereby generated at once,
and a row of an unknown kind fails `test_every_row_has_values`.

| module | what it makes |
|---|---|
| values.py | texts, dates, identifiers, licences and other small values |
| grants.py | projects, which are works inside a grant |
| rows.py | what an element of a table may say |
| records.py | what a record says itself, and what follows from it |
| works.py | works of each kind, with what they are lent |
| changes.py | resource-only deposits |
"""

from services.deposits.crossref.citations import CITATION
from tests.strategies.deposits.changes import changes
from tests.strategies.deposits.rows import references
from tests.strategies.deposits.values import Work
from tests.strategies.deposits.works import (
    PARENTS,
    SUBMISSIONS,
    articles,
    kinds_without_values,
    posted,
    with_components,
)

__all__ = [
    "CITATION",
    "PARENTS",
    "SUBMISSIONS",
    "Work",
    "articles",
    "changes",
    "kinds_without_values",
    "posted",
    "references",
    "with_components",
]
