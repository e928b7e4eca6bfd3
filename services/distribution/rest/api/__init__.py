"""The REST routes: read the question, find the records, ask the gate, answer. No decisions."""

from services.distribution.host import Host, Outlet
from services.distribution.registers import Registers
from services.distribution.rest.api import front, styles
from services.distribution.rest.api.common import OUTLET
from services.distribution.rest.api.funders import FundersApi
from services.distribution.rest.api.journals import JournalsApi
from services.distribution.rest.api.licenses import LicensesApi
from services.distribution.rest.api.looks import LooksApi
from services.distribution.rest.api.members import MembersApi
from services.distribution.rest.api.sources import SourcesApi
from services.distribution.rest.api.summaries import Summaries
from services.distribution.rest.api.types import TypesApi
from services.distribution.rest.api.works import WorksApi

__all__ = ["OUTLET", "open_outlet"]


def open_outlet(host: Host) -> Outlet:
    """Open the REST interface of a host."""
    works, summaries = WorksApi(host), Summaries(host)
    registers = Registers(host.database, host.health)
    routes = (
        *LooksApi(host, works, registers).routes(),  # before /works/{doi}, which takes any rest
        *works.routes(),
        *MembersApi(host, works, summaries).routes(),
        *JournalsApi(host, works, summaries).routes(),
        *FundersApi(host, works, registers).routes(),
        *TypesApi(host, works).routes(),
        *LicensesApi(host).routes(),
        *SourcesApi(host).routes(),
        *styles.routes(),
        *front.routes(),
    )
    return Outlet((OUTLET,), routes, {"registers": registers.run})
