"""A submission as it is stored, and between documents and what this service works with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from services.deposits.permissions import Bound
from shared.events import SubmissionReceived, SubmissionState
from shared.mongo.client import Document
from shared.privacy.envelope import SealedKey

SubmissionStatus = Literal["queued", "in_process", "completed"]

FREE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # the end of a lease that nobody holds
SHOWN: Final = {"outbox": 0}


@dataclass(frozen=True, slots=True)
class New:
    """A submission whose chunks are durable, about to be promised.

    ``lookup`` holds the login's key and the hashed names that it may ask by; and what an erasure
    finds it by: the pseudonym of its own key, and the blind index of its depositor's address.
    """

    state: SubmissionState
    event: SubmissionReceived
    credential: str
    size: int
    sha256: str
    kid: str
    file_name: str | None  # sealed
    lookup: tuple[str, ...]
    callback: str | None = None  # a URL, sealed


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as stored."""

    state: SubmissionState
    credential: str
    size: int
    sha256: str
    kid: str
    claimed: bool
    file_name: str | None  # sealed
    batch_id: str | None  # sealed; known once the file was read
    callback: str | None = None  # a URL, sealed
    calls: bool = False  # its callback is not enqueued yet
    lookup: tuple[str, ...] = ()
    former: SealedKey | None = None  # from before there were key documents

    @property
    def id(self) -> str:
        """Its number, as text."""
        return self.state.submission

    @property
    def status(self) -> SubmissionStatus:
        """Its status as ``doi_batch_diagnostic`` says it."""
        if self.state.status == "queued" and self.claimed:
            return "in_process"
        return self.state.status


def submission_of(document: Document) -> Submission:
    """Read a submission's document."""
    batch = document.get("batch") or [None]
    return Submission(
        state=SubmissionState.model_validate_json(document["state"]),
        credential=document["credential"],
        size=document["size"],
        sha256=document["sha256"],
        kid=document["kid"],
        claimed=document.get("holder") is not None,
        file_name=document.get("file_name"),
        batch_id=batch[0],
        callback=document.get("callback"),
        calls=bool(document.get("calls")),
        lookup=tuple(document.get("lookup", ())),
        former=SealedKey(document["kid"], document["epoch"], bytes(document["wrapped"]))
        if "wrapped" in document
        else None,
    )


def bound_of(stored: Document | None) -> Bound | None:
    """Read what a submission is bound to, if anything."""
    return Bound(stored["mark"], frozenset(stored["prefixes"])) if stored else None


def stored(bound: Bound) -> Document:
    """Write down what a submission is bound to."""
    return {"mark": bound.mark, "prefixes": sorted(bound.prefixes)}
