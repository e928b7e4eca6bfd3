"""Whoever asks by themselves, and how anybody shows who they are: by a code that is mailed.

An ask is one write, the same whatever comes of it; a loop mails the code afterwards, to the address
that was given. Retention holds no address to compare it with: who uses the code reads the mail of
that address, and what is asked is about what is held under that address, by its blind index, and
about nothing else. Where nothing is held under it, that is the answer. Until then nothing is on
record that anybody could see: no request, no event, no mail but the code (DOAJ-1a10, 9a1).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from services.retention.commands.requests.context import REQUESTER, Requests
from services.retention.mails import requests as mails
from services.retention.model.requests import challenges
from services.retention.model.requests import receiving as model
from services.retention.model.requests.challenges import WRONG, KeptChallenge, Pending
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.receiving import New
from services.retention.model.requests.state import CODE, UNKNOWN, KeptRequest, Requester, no
from shared.events.decisions import Refused
from shared.mail import KIND as MAIL
from shared.mail import Addressee
from shared.mail.queue import open_fields, seal_fields
from shared.mongo.deliveries import Delivery
from shared.mongo.deliveries import New as Asked
from shared.mongo.delivering import Failed, Outcome, Sender, Sent
from shared.privacy.envelope import UnsealError
from shared.privacy.tokens import code_mac, new_code
from shared.privacy.vault import seal
from shared.runtime.clock import parse_rfc3339, rfc3339
from shared.runtime.ids import new_id, new_pseudonym

ASKED: Final = "request-asked"
SCHEMA: Final = "retention.asked.v1"
PENDING: Final = "retention.pending-request.v1"
SELF: Final = "self"


async def ask(
    requests: Requests, *, email: str, name: str | None, text: str | None, kinds: tuple[str, ...]
) -> str | Refused[Refusal]:
    """Ask by oneself; return the number of the confirmation, whoever asks. Raises ``Transient``."""
    indexes = model.judged(requests.policy, kinds) or requests.indexes(email, "/email")
    if isinstance(indexes, Refused):
        return indexes
    said = {"email": email.strip(), "name": name, "text": text}
    confirmation = new_id()
    await _leave(requests, confirmation, said, kinds=kinds)
    return confirmation


async def ask_code(
    requests: Requests, request: str, *, actor: str, correlation: str
) -> KeptRequest | Refused[Refusal]:
    """Mail a code to the address in a request, so that the person shows who they are.

    It shows so of that address alone, whatever else the request names. Each call mails another, and
    the step is written down first. Raises ``Transient``.
    """
    known = await requests.store.requests.load(request)
    if known is None:
        return UNKNOWN
    requester = await requests.requester(known)
    if requester is None:
        return no("details-gone")
    if requester.email is None:
        return no("address-needed", "", "DOAJ-1a10")
    saved = await requests.store.requests.update(
        request,
        lambda state: model.code_mailed(state, requests.by(actor)),
        correlation=correlation,
    )
    if isinstance(saved, Refused):
        return saved
    said = {"email": requester.email}
    await _leave(requests, new_id(), said, kinds=known.kinds, request=request)
    return saved.state


async def _leave(
    requests: Requests,
    confirmation: str,
    texts: Mapping[str, str | None],
    *,
    kinds: tuple[str, ...],
    request: str | None = None,
) -> None:
    """Leave an ask to the loop, its texts sealed."""
    one = f"{ASKED}:{confirmation}"
    said = {field: text for field, text in texts.items() if text}
    sealed = seal_fields(requests.posting.mails.keys, said, schema=SCHEMA, record=one)
    about = {"kinds": list(kinds), "request": request, "asked_at": rfc3339(requests.now())}
    payload = {"sealed": sealed, "about": about}
    await requests.posting.mails.queue.enqueue([Asked(one, ASKED, payload, ASKED)])
    requests.posting.mails.wake.set()


@dataclass(frozen=True, slots=True)
class Asking:
    """Mails the codes that were asked for: a sender of the delivery loop."""

    requests: Requests

    @property
    def senders(self) -> Mapping[str, Sender]:
        """What answers an ask."""
        return {ASKED: self.asked}

    async def asked(self, one: Delivery) -> Outcome:
        """Mail a code, then forget what the ask says. Raises ``Transient``."""
        if "sealed" not in one.payload:
            return Sent("answered")
        keys = self.requests.posting.mails.keys
        try:
            texts = open_fields(keys, one.payload["sealed"], schema=SCHEMA, record=one.id)
        except UnsealError:
            return Failed("unreadable")
        indexes = self.requests.index.all(texts["email"])
        said = "too-many"
        # What staff ask for is not counted: nobody can keep them from it by asking often.
        by_staff = one.payload["about"]["request"] is not None
        # One after another: what an address got is counted before the next is answered.
        async with self.requests.locks.of(indexes[-1]):
            if by_staff or not await self._has_had_enough(indexes[-1]):
                await self._mail_code(one, texts, indexes)
                said = "code-mailed"
        await self.requests.posting.mails.empty(one)
        return Sent(said)

    async def _has_had_enough(self, index: str) -> bool:
        row = self.requests.policy.limit("codes-of-an-address")
        since = self.requests.now() - row.within
        made = await self.requests.store.challenges.where(subjects=index)
        return sum(one.request is None and one.made_at > since for one in made) >= row.most

    async def _mail_code(
        self, one: Delivery, texts: dict[str, str], indexes: tuple[str, ...]
    ) -> None:
        requests, about, now = self.requests, one.payload["about"], self.requests.now()
        confirmation, cause = one.id.partition(":")[2], one.id.replace(":", ".")
        if await requests.posting.mails.queue.one(f"{MAIL}:{cause}") is not None:
            return  # a try that died mailed its code, which still counts
        mailed, until = new_code(), now + requests.policy.file.code.lives
        mac = code_mac(requests.code_key, mailed, confirmation)
        assert mac is not None
        pending = None
        if about["request"] is None:
            keys = requests.posting.mails.keys
            sealed = seal_fields(keys, texts, schema=PENDING, record=confirmation)
            pending = Pending.model_validate(sealed)
        new = KeptChallenge(
            confirmation=confirmation,
            code=mac,
            person=new_pseudonym(),
            subjects=indexes,
            made_at=now,
            until=until,
            asked_at=parse_rfc3339(about["asked_at"]),
            kinds=tuple(about["kinds"]),
            pending=pending,
            request=about["request"],
        )
        await requests.store.challenges.update(
            confirmation, lambda known: challenges.make(known, new)
        )
        message = mails.code(
            cause,
            texts["email"],
            share=new.person,
            pages=requests.pages,
            kinds=", ".join(new.kinds),
            said=mails.Code(mailed, confirmation, until),
        )
        await requests.posting.post(message, Addressee(REQUESTER, indexes), actor=SELF)


async def confirm(
    requests: Requests, *, confirmation: str, code: str, correlation: str
) -> KeptRequest | Refused[Refusal]:
    """Use a code: what was asked is on record from then on. Raises ``Transient``.

    The right code may be shown again while it counts, so that a broken call can be repeated.
    """
    known = await requests.store.challenges.load(confirmation)
    mac = code_mac(requests.code_key, code, confirmation)
    right = known is not None and mac is not None and hmac.compare_digest(mac, known.code)
    tried = await requests.store.challenges.update(
        confirmation,
        lambda state: challenges.tried(
            state, right=right, now=requests.now(), tries=requests.policy.file.code.tries
        ),
    )
    if isinstance(tried, Refused) or not right:
        return WRONG
    done = await _confirmed(requests, tried.state, correlation=correlation)
    if not isinstance(done, Refused):
        await requests.store.challenges.update(confirmation, challenges.emptied)
    return done


async def _confirmed(
    requests: Requests, challenge: KeptChallenge, *, correlation: str
) -> KeptRequest | Refused[Refusal]:
    by = requests.by(SELF)
    if challenge.request is not None:
        decide = partial(model.confirm, by=by, identity=CODE)
        saved = await requests.store.requests.update(
            challenge.request, decide, correlation=correlation
        )
        return saved if isinstance(saved, Refused) else saved.state
    known = await requests.store.requests.load(challenge.confirmation)
    if known is not None:
        return known
    if challenge.pending is None:
        return WRONG
    new = await _pending(requests, challenge, challenge.pending, challenge.asked_at)
    saved = await requests.store.requests.update(
        new.request,
        lambda state: model.register(state, new, by, requests.policy),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


async def _pending(
    requests: Requests, challenge: KeptChallenge, pending: Pending, asked_at: datetime
) -> New:
    """Make a request of what was asked: under the person's own key from now on."""
    name = challenge.confirmation
    keys = requests.posting.mails.keys
    texts = open_fields(keys, pending.model_dump(), schema=PENDING, record=name)
    sealed = await seal(
        requests.ring, Requester(**texts), person=challenge.person, unit=name, record=name
    )
    return New(
        request=name,
        kinds=challenge.kinds,
        channel="web",
        person=challenge.person,
        received_at=asked_at,
        records={"requester": sealed},
        subjects=challenge.subjects[-1:],
        mailable=True,
        fingerprint=name,
        identity=CODE,
    )
