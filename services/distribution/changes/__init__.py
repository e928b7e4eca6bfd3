"""Changes: a feed of what became of works, so that nobody needs to poll or to take everything.

It is the log's own order: a position is an offset of each partition, so nothing that arrives late
is passed over, and a position is good at any host, for ever.
"""

from services.distribution.changes.api import ChangesApi
from services.distribution.changes.showing import OUTLET
from services.distribution.changes.tail import Tail
from services.distribution.host import Host, Outlet

__all__ = ["OUTLET", "open_outlet"]


def open_outlet(host: Host) -> Outlet:
    """Open the feed of changes of a host."""
    tail = Tail(host.settings.kafka_bootstrap, host.settings.topic_prefix, host.health)
    return Outlet((OUTLET,), ChangesApi(host, tail).routes(), {"feed": tail.run})
