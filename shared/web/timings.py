"""Seconds per answer, gathered by the hundred: observing each at once costs a small answer 7 %."""

import threading
from typing import Final

from prometheus_client import Histogram

GATHERED: Final = 256  # answers of one route and status between two foldings


class Timings:
    """Gathers observations of a histogram with labels service, route and status."""

    __slots__ = ("_folding", "_gathered", "_histogram", "_service")

    def __init__(self, histogram: Histogram, service: str) -> None:
        self._histogram = histogram
        self._service = service
        self._gathered: dict[tuple[str, int], list[float]] = {}
        self._folding = threading.Lock()

    def of(self, route: str, status: int) -> list[float]:
        """Return the list to append seconds to; call ``fold`` when it holds ``GATHERED``."""
        return self._gathered.setdefault((route, status), [])

    def fold(self) -> None:
        """Observe all that was gathered; from any thread, while others append."""
        with self._folding:
            for (route, status), gathered in list(self._gathered.items()):
                observe = self._histogram.labels(self._service, route, str(status)).observe
                count = len(gathered)
                for seconds in gathered[:count]:
                    observe(seconds)
                del gathered[:count]
