"""Requests as staff see them: where each stands, by when, and, opened, who asks."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from services.retention.commands.requests.context import Opened, Requests
from services.retention.model.requests import deadlines
from services.retention.model.requests.state import KeptRequest
from shared.events.consent import NoticeRef
from shared.events.requests import RequestFact, RequestPause, RequestTask
from shared.privacy.vault import Withheld
from shared.web import Answer


class Asked(Answer):
    """An ask was taken; the answer is the same whoever asks, and whatever is held."""

    confirmation: str = Field(description="To be sent with the code that is mailed.")
    status: str = "code-mailed"


class Confirmed(Answer):
    """A code was used: the request is on record under its number."""

    request: str
    status: str


class LimitView(Answer):
    """A limit; while it is paused it recedes and ``remaining`` stays."""

    rule: str
    clause: str
    version: str
    due: datetime
    remaining: timedelta
    paused: bool
    extended: bool


class Fee(Answer):
    """What the answer costs (DOAJ-9a8)."""

    amount: int
    currency: str


class RequestItem(Answer):
    """A request without who asks."""

    request: str
    kinds: tuple[str, ...]
    channel: str
    status: str
    received_at: datetime
    registered_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    identity: str | None
    represented: bool
    handler: str
    about_request: str | None
    notice: NoticeRef | None
    pauses: tuple[RequestPause, ...]
    extended_at: datetime | None
    tasks: tuple[RequestTask, ...]
    erasure: str | None
    reason: str | None
    due: datetime | None = Field(description="The nearest limit; none once it was answered.")
    remaining: timedelta | None
    limits: tuple[LimitView, ...]
    fee: Fee
    facts: tuple[RequestFact, ...]

    @classmethod
    def of(cls, state: KeptRequest, requests: Requests) -> "RequestItem":
        """Show a request."""
        return cls(**_said(state, requests))


class RepresentativeView(Answer):
    """Who asks on the person's behalf."""

    name: str
    email: str | None
    authority: str
    checked_at: datetime | None

    @classmethod
    def of(cls, found: Opened) -> "RepresentativeView | None":
        """Show who asks, if it is somebody else than the person."""
        one = found.representative
        if one is None:
            return None
        return cls(
            name=one.name,
            email=one.email,
            authority=one.authority,
            checked_at=found.state.authority_at,
        )


class RequestView(RequestItem):
    """A request with who asks, in clear; what is held or gone is null."""

    withheld: Withheld | None = Field(
        description="Why name and address are null: restricted by a hold, or gone."
    )
    name: str | None = None
    email: str | None = None
    post: str | None = None
    on_file: tuple[str, ...] = ()
    text: str | None = None
    representative: RepresentativeView | None = None
    notes: dict[str, str] = Field(default_factory=dict, description="What staff wrote.")
    erasure_stands: str | None = Field(default=None, description="The step the erasure is at.")

    @classmethod
    def whole(cls, found: Opened, requests: Requests, stands: str | None) -> "RequestView":
        """Show all of a request; ``stands`` is the step that its erasure is at."""
        who: dict[str, Any] = {}
        if found.requester is not None:
            who = {**found.requester.texts(), "on_file": found.requester.others}
        return cls(
            **_said(found.state, requests),
            **who,
            withheld=found.withheld,
            representative=RepresentativeView.of(found),
            notes=dict(found.notes),
            erasure_stands=stands,
        )


class RequestsPage(Answer):
    """A page of requests."""

    items: tuple[RequestItem, ...]
    next: str | None


def _said(state: KeptRequest, requests: Requests) -> dict[str, Any]:
    now, fee = requests.now(), requests.policy.file.fee
    limits = deadlines.limits(state, requests.policy, now) if state.open else ()
    views = tuple(
        LimitView(
            rule=one.rule,
            clause=one.clause,
            version=one.version,
            due=one.due,
            remaining=one.due - now,
            paused=one.paused,
            extended=one.extended,
        )
        for one in limits
    )
    said = {name: getattr(state, name) for name in RequestItem.model_fields if hasattr(state, name)}
    return said | {
        "due": views[0].due if views else None,
        "remaining": views[0].remaining if views else None,
        "limits": views,
        "fee": Fee(amount=fee.amount, currency=fee.currency),
    }
