"""What OAI-PMH calls errors: codes inside an answer of HTTP 200 (OAI-PMH 3.6)."""

from typing import Literal

Code = Literal[
    "badArgument",
    "badResumptionToken",
    "badVerb",
    "cannotDisseminateFormat",
    "idDoesNotExist",
    "noMetadataFormats",
    "noRecordsMatch",
    "noSetHierarchy",
]
"""The codes of the protocol; every item has formats and there are sets, so two are never given."""


class Fault(Exception):
    """A question that cannot be answered as it was asked."""

    def __init__(self, code: Code, says: str) -> None:
        super().__init__(says)
        self.code: Code = code
        self.says = says
