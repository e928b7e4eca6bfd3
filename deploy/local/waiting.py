"""Waiting for a condition of another process, which cannot call us."""

import time
from collections.abc import Callable

PAUSE = 0.02  # seconds between two looks


def until(condition: Callable[[], bool], timeout: float, *, pause: float = PAUSE) -> bool:
    """Look until the condition holds; False when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True
