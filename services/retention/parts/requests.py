"""Requests of people: routes, codes and answers by mail, and the loop that minds their limits."""

from functools import partial
from typing import Final

from services.retention.api.requests import routes
from services.retention.commands.requests.confirming import Asking
from services.retention.commands.requests.context import Requests
from services.retention.commands.requests.watching import Watching
from services.retention.mails.requests import Pages
from services.retention.store import SOURCE, open_requests
from services.retention.wiring import House, Part, Rooms
from shared import mail
from shared.events.consent import NoticeState
from shared.kafka.knowledge import Knowledge
from shared.policy.consent import Standing
from shared.policy.requests import load_requests
from shared.policy.uses import load_uses
from shared.privacy.keyfile import load_or_create
from shared.runtime.loops import step_forever
from shared.web.quotas import Quotas

NOTICES: Final = "consent.notices.v1"
WITHIN_SECONDS: Final = 120.0


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    requests = await requesting(house, rooms)
    settings = house.settings
    delivering = mail.delivering(settings, requests.posting, house.health, Asking(requests).senders)
    # Of notices only what consent told counts: a file that nobody posted is in force for nobody.
    notices = Knowledge(
        [NOTICES],
        settings.kafka_bootstrap,
        load_uses(settings.policies_dir).stale_after,
        settings.topic_prefix,
    )
    watching = Watching(requests, partial(notice_of, notices, requests.policy.file.notice.notice))
    minding = partial(
        step_forever,
        "requests",
        watching.step,
        health=house.health,
        every=settings.request_seconds,
        within=WITHIN_SECONDS + 3 * settings.request_seconds,
    )
    return Part(
        routes=routes(requests),
        running={
            "deliver": {"deliveries": delivering.run},
            "clocks": {"requests": minding, "notices": notices.run},
        },
    )


async def requesting(house: House, rooms: Rooms) -> Requests:
    """Compose what the verbs need."""
    settings = house.settings
    policy = load_requests(settings.policies_dir, house.schedule)
    uses = load_uses(settings.policies_dir)
    key = load_or_create(settings.key_file)
    posting = mail.Posting(
        mail.waiting(
            settings, house.database, uses.personal, keys=settings.key_file.with_suffix("")
        ),
        mail.Gate(uses, mail.kept_decisions(house.database, SOURCE), _nobody_agreed),
    )
    await posting.prepare()
    routing = policy.file.routing
    return Requests(
        store=open_requests(house.database, wake=house.wake, clock=house.clock),
        ring=house.ring,
        index=house.index,
        policy=policy,
        posting=posting,
        quotas=Quotas(policy, house.clock),
        rooms=rooms,
        pages=Pages(settings.requests_url, settings.preferences_url),
        code_key=key,
        mailboxes={
            routing.first: settings.privacy_officer_address,
            routing.instead: settings.management_address,
        },
    )


def notice_of(notices: Knowledge, name: str) -> NoticeState | None:
    """Return what consent told of a notice; None where nothing was, or not all was read yet."""
    found = notices.get(NOTICES, name) if notices.caught_up else None
    return found if isinstance(found, NoticeState) else None


async def _nobody_agreed(_subjects: object, _purpose: str) -> Standing:
    """Say what a consent is worth here: no mail of retention rests on one."""
    return "absent"
