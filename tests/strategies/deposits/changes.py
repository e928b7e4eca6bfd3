"""Resource-only deposits: a DOI and the keys that are set."""

from hypothesis import strategies as st

from services.deposits.crossref.kinds import resources
from services.deposits.crossref.rows import Table
from tests.strategies.deposits.rows import merged, one, said
from tests.strategies.deposits.values import Fragment, Work


def _whole(change: Work) -> Work:
    """Say whole what is allowed of a domain, and delays as nothing: no issue date is known."""
    found = dict(change)
    if "content-domain" in change:
        domain = {"domain": [], "crossmark-restriction": False}
        found["content-domain"] = {**domain, **change["content-domain"]}
    if "license" in change:
        found["license"] = [{**x, "delay-in-days": 0} for x in change["license"]]
    return found


def _change(table: Table, *always: str) -> Fragment:
    """Return a DOI and the keys that a resource-only deposit of it sets."""
    return said(table, always=("doi", *always)).map(_whole)


changes: Fragment = st.one_of(
    _change(resources.CITATIONS, "references"),
    st.tuples(_change(resources.CITATIONS), one("reference", st.just([]))).map(merged),
    _change(resources.RESOURCES, "targets"),
    _change(resources.CROSSMARKS, "policy"),
    _change(resources.FUNDERS, "funder"),
    _change(resources.LICENCES, "license"),
)
