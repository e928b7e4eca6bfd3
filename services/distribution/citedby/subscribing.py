"""``/cited-by/alerts``: be told of citations of one's own works as they become known."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, Field

from services.distribution.citedby.alerts import Alert, Alerts
from services.distribution.citedby.asking import UNSTORED, doi_of, is_prefix, require
from services.distribution.gate import Subject
from services.distribution.host import Host
from shared.web import Problem, Route, body_of, caller_of, json_answer
from shared.web.outgoing import LONGEST_URL, networks, refused_url


class NewAlert(BaseModel):
    """What to be told of, and where."""

    of: str = Field(
        min_length=1, max_length=2_048, description="A DOI of one's own, or a bare prefix."
    )
    url: str = Field(min_length=1, max_length=LONGEST_URL, description="Called for each citation.")


class AlertView(BaseModel):
    """A subscription, without its address and its secret."""

    id: str
    of: str
    made_at: datetime


class MadeAlert(AlertView):
    """A new subscription; its secret is shown this once."""

    secret: str = Field(description="`whsec_` and base64, as Standard Webhooks writes it.")


class AlertsView(BaseModel):
    """The subscriptions of an organisation, the oldest first."""

    items: list[AlertView]


@dataclass(frozen=True, slots=True)
class Subscribing:
    """The routes; ``outlet`` is the row of the policy that they ask about."""

    host: Host
    alerts: Alerts
    outlet: str

    def routes(self) -> tuple[Route, ...]:
        """Return these routes."""
        path = "/cited-by/alerts"
        return (
            Route(
                "POST",
                path,
                self.subscribe,
                "Be called for each new citation of a DOI or a prefix of one's own",
                request=NewAlert,
                responses={201: MadeAlert, 403: "Another member's"},
                auth="caller",
                tags=("alerts",),
            ),
            Route(
                "GET",
                path,
                self.mine,
                "The subscriptions of one's organisation",
                responses={200: AlertsView},
                auth="caller",
                tags=("alerts",),
            ),
            Route(
                "DELETE",
                path + "/{id}",
                self.unsubscribe,
                "End a subscription",
                responses={204: "It has ended", 404: "There is none"},
                auth="caller",
                tags=("alerts",),
            ),
        )

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """Keep a subscription and show its secret this once."""
        said = await body_of(request, NewAlert)
        organisation = self._organisation(request)
        of = doi_of(said.of)
        found = None if is_prefix(of) else await self.host.works.position(of)
        subject = Subject(of, found["title"] if found else None)
        reader = self.host.reader(request)
        require(self.host.gate.visibility(subject, reader, outlet=self.outlet), reader)
        why = refused_url(said.url, networks(self.host.settings.callback_networks))
        if why is not None:
            raise Problem(422, "callback-refused", "This address cannot be called", why)
        alert = await self.alerts.add(organisation, of, said.url)
        if alert is None:
            raise Problem(409, "too-many-alerts", "This organisation has as many as it may")
        shown = MadeAlert(
            id=alert.id, of=of, made_at=alert.made_at, secret=self.alerts.secret(alert)
        )
        return json_answer(shown, status=201, headers=UNSTORED)

    async def mine(self, request: web.Request) -> web.StreamResponse:
        """List what the caller's organisation subscribed to."""
        found = await self.alerts.of_organisation(self._organisation(request))
        return json_answer(AlertsView(items=[_view(one) for one in found]), headers=UNSTORED)

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """End one."""
        organisation = self._organisation(request)
        if not await self.alerts.remove(request.match_info["id"], organisation):
            raise Problem(404, "no-such-alert", "There is no such subscription of yours")
        return web.Response(status=204, headers=UNSTORED)

    def _organisation(self, request: web.Request) -> int:
        organisation = self.host.reader(request).organisation
        if organisation is None:
            kind = caller_of(request).kind
            raise Problem(403, "not-a-member", f"Alerts are for members' logins, not for {kind}")
        return organisation


def _view(alert: Alert) -> AlertView:
    return AlertView(id=alert.id, of=alert.of, made_at=alert.made_at)
