"""Routes about callbacks: a login's secret, and for operators the deliveries of all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from services.deposits.api import pages
from services.deposits.callbacks import Callbacks
from services.deposits.errors import NO_DELIVERY, NOT_A_LOGIN, NOT_DEAD
from shared.mongo.deliveries import Delivery, State
from shared.web import Route, caller_of, json_answer, query_of

LONGEST_OVERLAP: Final = 168.0  # hours


class SecretView(BaseModel):
    """A secret that callbacks are signed with, without itself."""

    made_at: datetime
    until: datetime | None = Field(description="When it ends; null for the newest.")


class SecretsView(BaseModel):
    """The secrets in force, the newest first."""

    items: list[SecretView]


class NewSecret(BaseModel):
    """A new secret; it is shown this once."""

    secret: str = Field(description="`whsec_` and base64, as Standard Webhooks writes it.")
    made_at: datetime
    former_until: datetime | None = Field(description="Until when the former one signs too.")


class DeliveryView(BaseModel):
    """A delivery as operators see it: neither its address nor its content."""

    id: str
    kind: str
    state: State
    tries: int
    since: datetime
    next_try: datetime | None
    ended_at: datetime | None
    last: str | None = Field(description="What the last try came to: an HTTP status or a word.")


class DeliveriesView(BaseModel):
    """A page of deliveries, by id."""

    items: list[DeliveryView]
    next: str | None = Field(description="Value of `after` for the next page; null at the end.")


class RotateQuery(BaseModel):
    """How long the former secret stays in force."""

    overlap_hours: float | None = Field(
        default=None,
        ge=0,
        le=LONGEST_OVERLAP,
        description="0 ends it at once, for a secret that got out; else the setting decides.",
    )


class DeliveriesQuery(BaseModel):
    """Which deliveries, and how many."""

    state: Literal["waiting", "dead"] = "dead"
    rows: int = Field(default=50, ge=1, le=200)
    after: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Calls:
    """Handlers of these routes."""

    callbacks: Callbacks

    async def rotate(self, request: web.Request) -> web.StreamResponse:
        """Make a login's secret, or a new one, and show it this once."""
        hours = query_of(request, RotateQuery).overlap_hours
        made = await self.callbacks.rotate(
            _login(request), overlap=None if hours is None else timedelta(hours=hours)
        )
        shown = NewSecret(secret=made.secret, made_at=made.made_at, former_until=made.former_until)
        return json_answer(shown, status=201, headers=pages.NO_STORE)

    async def secrets(self, request: web.Request) -> web.StreamResponse:
        """Show which secrets are in force, not what they are."""
        found = await self.callbacks.made_at(_login(request))
        items = [SecretView(made_at=made_at, until=until) for made_at, until in found]
        return json_answer(SecretsView(items=items), headers=pages.NO_STORE)

    async def deliveries(self, request: web.Request) -> web.StreamResponse:
        """List deliveries that wait, or were given up."""
        query = query_of(request, DeliveriesQuery)
        found = await self.callbacks.queue.listed(query.state, after=query.after, most=query.rows)
        more = found[-1].id if len(found) == query.rows else None
        shown = DeliveriesView(items=[delivery_of(one) for one in found], next=more)
        return json_answer(shown, headers=pages.NO_STORE)

    async def retry(self, request: web.Request) -> web.StreamResponse:
        """Let a delivery that was given up be tried from the beginning."""
        name = request.match_info["id"]
        queue = self.callbacks.queue
        if not await queue.again(name):
            raise pages.problem_of(NOT_DEAD if await queue.one(name) else NO_DELIVERY)
        found = await queue.one(name)
        if found is None:
            raise pages.problem_of(NO_DELIVERY)
        return json_answer(delivery_of(found), status=202, headers=pages.NO_STORE)


def routes(calls: Calls) -> list[Route]:
    """Return these routes."""
    return [
        Route(
            "POST",
            "/callbacks/secret",
            calls.rotate,
            "Make the secret that this login's callbacks are signed with, or a new one",
            query=RotateQuery,
            responses={201: NewSecret},
            auth="caller",
            tags=("callbacks",),
        ),
        Route(
            "GET",
            "/callbacks/secret",
            calls.secrets,
            "Which secrets are in force, without themselves",
            responses={200: SecretsView},
            auth="caller",
            tags=("callbacks",),
        ),
        Route(
            "GET",
            "/deliveries",
            calls.deliveries,
            "Deliveries that wait, or were given up",
            query=DeliveriesQuery,
            responses={200: DeliveriesView},
            auth="operator",
            tags=("operation",),
        ),
        Route(
            "POST",
            "/deliveries/{id}/retry",
            calls.retry,
            "Try a delivery again that was given up",
            responses={202: DeliveryView},
            auth="operator",
            tags=("operation",),
        ),
    ]


def _login(request: web.Request) -> str:
    caller = caller_of(request)
    if caller.credential is None or "deposit" not in caller.scopes:
        raise pages.problem_of(NOT_A_LOGIN)
    return caller.credential


def delivery_of(one: Delivery) -> DeliveryView:
    """Show a delivery to an operator."""
    return DeliveryView(
        id=one.id,
        kind=one.kind,
        state=one.state,
        tries=one.tries,
        since=one.since,
        next_try=one.due if one.state == "waiting" else None,
        ended_at=one.ended_at,
        last=one.said,
    )
