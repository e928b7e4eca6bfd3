"""The engine's failures, under one name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PANIC: Final = (
    "PanicException"  # pyo3 gives it no importable name and derives it from BaseException
)


class SearchIndexError(RuntimeError):
    """The engine failed; nothing of the batch or request took effect."""


@contextmanager
def failures_as(sentence: str) -> Iterator[None]:
    """Raise what the engine raises, panics included, as a SearchIndexError with this sentence."""
    try:
        yield
    except (ValueError, OSError, SystemError) as error:
        raise SearchIndexError(sentence) from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise SearchIndexError(sentence) from error
