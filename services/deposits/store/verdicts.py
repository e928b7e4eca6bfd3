"""A verdict as it is stored, in a diagnostic, in a work and in a submission."""

from collections.abc import Mapping
from typing import Any, Final

from services.deposits.model import Verdict
from shared.mongo.client import Document

MOST_ADVICE: Final = 20  # pieces of advice in a copy beside the diagnostic


def written(verdict: Verdict) -> Document:
    """Write a verdict down whole."""
    return {name: said for name in _FIELDS if (said := getattr(verdict, name))}


def copied(verdict: Verdict) -> Document:
    """Write down what a copy holds that stands for a diagnostic until that is durable."""
    document = written(verdict)
    details = document.get("details", {})
    if len(details.get("advice", ())) > MOST_ADVICE:
        document["details"] = {**details, "advice": details["advice"][:MOST_ADVICE]}
    return document


def verdict_of(document: Mapping[str, Any]) -> Verdict:
    """Read a verdict."""
    said = {"status": "Success", **document}
    return Verdict(**{key: value for key, value in said.items() if key in _FIELDS})


_FIELDS: Final = tuple(Verdict.__dataclass_fields__)
