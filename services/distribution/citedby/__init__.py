"""Cited-by: who cites a work, to the owner of the cited work; what is open, to everyone.

``servlet/getForwardLinks``, ``openurl`` and ``getResolvedRefs`` speak as the old interfaces do;
``works/{doi}/cited-by`` is the open list that they lack. Counts are for all (L4). `citers` finds
citing works, `elements` writes them; what OAI's ``cr_citedby`` shows comes from both.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from services.distribution.citedby.alerting import tell_forever
from services.distribution.citedby.alerts import Alerts
from services.distribution.citedby.citers import Citers
from services.distribution.citedby.forward import ForwardLinks
from services.distribution.citedby.openlist import OpenList
from services.distribution.citedby.openurl import OpenUrl
from services.distribution.citedby.resolved import Resolved
from services.distribution.citedby.subscribing import Subscribing
from services.distribution.host import Host, Outlet

CITED_BY: Final = "cited-by"
CITING_WORKS: Final = "citing-works"
DEPOSITED: Final = "deposit-contents"

__all__ = ["Alerts", "Citers", "alerts_of", "open_outlet"]


def alerts_of(host: Host) -> Alerts:
    """Return who wants to be told, as a host keeps it."""
    kept = timedelta(days=host.settings.deliveries_kept_days)
    return Alerts(host.database, host.key, kept)


def open_outlet(host: Host) -> Outlet:
    """Open Cited-by on a host."""
    citers = Citers(host.database, host.works)
    alerts = alerts_of(host)
    return Outlet(
        (CITED_BY, CITING_WORKS, DEPOSITED),
        (
            *ForwardLinks(host, citers, outlet=CITED_BY).routes(),
            *OpenUrl(host, citers).routes(),
            *Resolved(host, outlet=DEPOSITED).routes(),
            *OpenList(host, citers, outlet=CITING_WORKS).routes(),
            *Subscribing(host, alerts, outlet=CITED_BY).routes(),
        ),
        {"alerts": partial(tell_forever, host, alerts, outlet=CITED_BY)},
    )
