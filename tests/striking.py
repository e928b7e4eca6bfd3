"""Where a process is killed: some places in every run of the suite, each of them in `make soak`."""

from collections.abc import Sequence
from typing import Any

import pytest


def some_of(points: Sequence[str], *, most: int = 1) -> list[Any]:
    """Return ``points`` as parameters, of which the suite strikes the first ``most``."""
    return [*points[:most], *(pytest.param(one, marks=pytest.mark.soak) for one in points[most:])]
