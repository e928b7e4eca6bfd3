"""Validation failures of Crossref's form: values, collected until all are known."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong with a request: a stable type, what was given if anything, a sentence."""

    type: str
    value: str | None
    message: str


def not_one_of(kind: str, name: str, value: str, *, allowed: Iterable[str]) -> Failure:
    """Return the failure of a value outside an enumeration."""
    listed = ", ".join(allowed)
    return Failure(kind, value, f"{name} specified as {value} but must be one of: {listed}")


def not_of_form(kind: str, name: str, value: str, *, form: str) -> Failure:
    """Return the failure of a value that is not written as it must be."""
    return Failure(kind, value, f"{name} specified as {value} but must be of the form: {form}")


def not_allowed(parameter: str) -> Failure:
    """Return the failure of a parameter that other routes have and this one has not."""
    words = "field query parameters" if parameter == "query.*" else parameter
    return Failure("parameter-not-allowed", parameter, f"This route does not support {words}")


def not_available(what: str, value: str, *, valid: Iterable[str]) -> Failure:
    """Return the failure of a filter, facet, select or field query that a route has not."""
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    message = (
        f"{what.capitalize()} '{value}' specified but there is no such {what} for this route."
        f" Valid {plural} for this route are: {', '.join(valid)}"
    )
    return Failure(f"{what.replace(' ', '-')}-not-available", value, message)


def not_an_integer(value: str, *, most: int | None = None, advice: str = "") -> Failure:
    """Return the failure of a number that is none, or too large."""
    limit = "" if most is None else f" less than or equal to {most}"
    sentence = f"Integer specified as {value} but must be a positive integer{limit}. {advice}"
    return Failure("integer-not-valid", value, sentence)
