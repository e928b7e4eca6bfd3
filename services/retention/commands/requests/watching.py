"""What time does to requests: reminders, erasures followed, what a crash left undone."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.retention.commands.requests import erasing, packing, settling
from services.retention.commands.requests.context import Requests
from services.retention.mails import requests as mails
from services.retention.model.requests import handling as model
from services.retention.model.requests.deadlines import Telling, tellings
from services.retention.model.requests.state import By, KeptRequest
from shared.events.consent import NoticeRef, NoticeState
from shared.events.decisions import Refused
from shared.policy.consent import in_force
from shared.privacy.envelope import UnsealError
from shared.privacy.keyring import FencedError
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.metrics import REQUESTS_UNTOLD

CLOCK = "clock"

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Watching:
    """Looks at every open request. ``notice`` is what consent told of the notice, if anything."""

    requests: Requests
    notice: Callable[[], NoticeState | None]
    untold: dict[str, int] = field(default_factory=dict)  # by role, for want of a mailbox

    async def step(self) -> bool:
        """Look at each once. Raises ``Transient``."""
        store, known = self.requests.store.requests, dict(self.untold)
        self.untold.clear()
        owing = await store.where(owing=True)
        for request in [*await store.where(open=True), *(one for one in owing if not one.open)]:
            try:
                await self._look(request)
            except (FencedError, UnsealError) as fault:
                # One of somebody whose keys went in between; the others are looked at all the same.
                log.warning(
                    "request left alone", request=request.request, fault=type(fault).__name__
                )
        for role in self.requests.mailboxes:
            REQUESTS_UNTOLD.labels(role).set(self.untold.get(role, 0))
        for role in self.untold.keys() - known.keys():  # once, until it has a mailbox
            log.warning("nobody is told what is due: a role has no mailbox", role=role)
        return False

    async def _look(self, request: KeptRequest) -> None:
        request = await self._noticed(request)
        request = await packing.begin(self.requests, request)
        request = await packing.follow(self.requests, request)
        request = await erasing.begin(self.requests, request, correlation=new_id())
        request = await erasing.follow(self.requests, request)
        request = await settling.settle(self.requests, request)
        now = self.requests.now()
        for telling in tellings(request, self.requests.policy, now):
            await self._tell(request, telling, By(CLOCK, now))

    async def _noticed(self, request: KeptRequest) -> KeptRequest:
        """Name the version of the notice that was in force when the request was received."""
        if request.notice is not None:
            return request
        notice = self.notice()
        version = in_force(notice, request.received_at) if notice else None
        if notice is None or version is None:
            return request
        ref = NoticeRef(
            notice=notice.notice, number=version.number, label=version.label, sha=version.sha
        )
        saved = await self.requests.store.requests.update(
            request.request, lambda known: model.noticed(known, ref)
        )
        return request if isinstance(saved, Refused) else saved.state

    async def _tell(self, request: KeptRequest, telling: Telling, by: By) -> None:
        """Mail a role first, once for its cause; then write it down, so that neither is lost.

        What has no mailbox to go to stays due, and is told once there is one.
        """
        address = self.requests.mailboxes.get(telling.to)
        if not address:
            self.untold[telling.to] = self.untold.get(telling.to, 0) + 1
            return
        pages = self.requests.pages
        await self.requests.post_to_role(mails.to_role(telling, request, address, pages=pages))
        await self.requests.store.requests.update(
            request.request, lambda known: model.remind(known, by, telling)
        )
