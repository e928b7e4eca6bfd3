"""The outlets of the role api: each a room of its own, opened over one host.

An opening composes and does nothing else: no file, no connection, before its roles run.
"""

from collections.abc import Callable, Sequence
from typing import Final

from services.distribution import changes, citedby, oai, snapshots
from services.distribution.host import Host, Outlet
from services.distribution.matching import roles as matching
from services.distribution.rest import api as rest
from services.distribution.transform import api as transform

# In this order paths are looked at: what ends in a word comes before what takes the rest.
OPENINGS: Final[Sequence[Callable[[Host], Outlet]]] = (
    transform.open_outlet,
    citedby.open_outlet,
    rest.open_outlet,
    matching.open_outlet,
    oai.open_outlet,
    snapshots.open_outlet,
    changes.open_outlet,
)


def open_outlets(host: Host) -> tuple[Outlet, ...]:
    """Return every outlet of a host."""
    return tuple(opening(host) for opening in OPENINGS)
