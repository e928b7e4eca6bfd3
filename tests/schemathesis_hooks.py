"""What the OpenAPI documents cannot say, told to schemathesis (read as SCHEMATHESIS_HOOKS)."""

from typing import Any, Final
from urllib.parse import urlencode

import schemathesis

CREDENTIALS: Final = frozenset({"authorization", "crossref-plus-api-token"})
ADDRESS: Final = 7_500  # bytes of a query; the server reads 8190 of the whole first line


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Keep what shows one credential at most, in an address that a server reads.

    Which of them are good is described as alternatives, so that two different ones at once would
    be a valid request; they are refused, because it is not known who asks (RFC 6750, 3.1). A longer
    address is refused before there is a route, in the words of the HTTP parser.
    """
    shown = CREDENTIALS.intersection(name.lower() for name in case.headers or ())
    query = urlencode(dict(case.query or {}), doseq=True, errors="replace")
    return len(shown) <= 1 and len(query) <= ADDRESS
