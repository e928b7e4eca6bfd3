"""The role that tells of new citations: one signed call each, tried again until it is heard.

Whether the subscriber owns the cited work is asked at each try: who no longer does is told nothing.
"""

import asyncio
from dataclasses import dataclass

import aiohttp
import orjson

from services.distribution.citedby.alerts import KIND, Alerts
from services.distribution.gate import Subject
from services.distribution.host import Host
from shared.mongo.deliveries import Delivery
from shared.mongo.delivering import Delivering, Failed, Outcome
from shared.policy import Reader, Visible
from shared.privacy.envelope import UnsealError
from shared.runtime.clock import rfc3339
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.service import wait_any
from shared.web.calling import call
from shared.web.outgoing import networks, outgoing

TYPE = "citation.found"
RETRY_SECONDS = 1.0

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Telling:
    """The sender of alerts; ``outlet`` is the row of the policy that it asks about."""

    host: Host
    alerts: Alerts
    session: aiohttp.ClientSession
    outlet: str

    async def send(self, delivery: Delivery) -> Outcome:
        """Call a subscriber once."""
        said = delivery.payload
        alert = await self.alerts.one(said["alert"])
        if alert is None:
            return Failed("unsubscribed", final=True)
        found = await self.host.works.position(said["cited"])
        subject = Subject(said["cited"], found["title"] if found else None)
        reader = Reader(organisation=alert.organisation)
        seen = self.host.gate.visibility(subject, reader, outlet=self.outlet)
        if not isinstance(seen, Visible):
            return Failed(seen.reason, final=seen.reason != "knowledge-stale")
        try:
            url = self.alerts.url(alert)
        except UnsealError:
            return Failed("keys-gone", final=True)
        body = {
            "type": TYPE,
            "timestamp": rfc3339(said["at"]),
            "data": {"alert": alert.id, "cited": said["cited"], "citing": said["citing"]},
        }
        return await call(
            self.session,
            url,
            orjson.dumps(body),
            secrets=[self.alerts.secret(alert)],
            message=delivery.id,
            now=self.host.clock.now(),
        )


async def tell_forever(host: Host, alerts: Alerts, draining: asyncio.Event, *, outlet: str) -> None:
    """Deliver alerts until told to drain."""
    settings = host.settings
    while not draining.is_set():
        try:
            await alerts.prepare()
            break
        except Transient as fault:
            log.warning("alerts wait", reason=str(fault))
            await wait_any(draining, timeout=RETRY_SECONDS)
    exempt = networks(settings.callback_networks)
    async with outgoing(exempt, seconds=settings.callback_seconds) as session:
        await Delivering(
            alerts.queue,
            {KIND: Telling(host, alerts, session, outlet).send},
            settings.patience,
            seconds=settings.callback_seconds,
            health=host.health,
        ).run(draining)
