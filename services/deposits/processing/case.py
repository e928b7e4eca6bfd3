"""A case: one record on its way to its verdict."""

from dataclasses import dataclass, field

from services.deposits.crossref.submission import Record
from services.deposits.model import Permission, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """A record to be judged; ``permission`` is None only where the record has no DOI to go by.

    ``resumed``: another worker had its submission before. ``refused`` are the submission's
    refusals that are bound or about to be; judging adds to them and takes out what is durable.
    """

    submission: str
    record: Record
    permission: Permission | None
    resumed: bool = False
    refused: dict[str, Verdict] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``<submission>#<record>``."""
        return f"{self.submission}#{self.record.index}"
