"""The REST routes: read the question, find the records, ask the gate, answer. No decisions."""

from services.distribution.host import Host, Outlet
from services.distribution.rest.api.common import OUTLET
from services.distribution.rest.api.members import MembersApi
from services.distribution.rest.api.works import WorksApi

__all__ = ["OUTLET", "open_outlet"]


def open_outlet(host: Host) -> Outlet:
    """Open the REST interface of a host."""
    works = WorksApi(host)
    return Outlet((OUTLET,), (*works.routes(), *MembersApi(host, works).routes()))
