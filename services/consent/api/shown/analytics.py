"""What is shown of analytics: totals only."""

from collections.abc import Mapping
from datetime import date

from pydantic import Field

from shared.web import Answer


class Value(Answer):
    """How often a value was seen."""

    value: str
    times: int


class Totals(Answer):
    """Totals of days by dimension; what few did on a day is not in them."""

    begin: date = Field(alias="from")
    until: date
    smallest: int = Field(description="What was seen fewer times on a day is left out.")
    totals: Mapping[str, tuple[Value, ...]]
