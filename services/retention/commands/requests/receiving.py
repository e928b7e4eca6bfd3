"""Requests come in: staff put them on record, whatever their form (DOAJ-9b)."""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from services.retention.commands.requests.context import Requests
from services.retention.model.requests import receiving as model
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.receiving import New
from services.retention.model.requests.state import (
    CODE,
    KeptRequest,
    Representative,
    Requester,
    no,
)
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.events.requests import RequestChannel
from shared.privacy.personal import PersonalData
from shared.privacy.vault import seal
from shared.runtime.ids import hashed_id, new_id, new_pseudonym


@dataclass(frozen=True, slots=True)
class Letter:
    """What staff have before them: a letter, a mail, a note of a call; personal parts in memory."""

    kinds: tuple[str, ...]
    channel: RequestChannel
    received_at: datetime
    requester: Requester = field(repr=False)
    representative: Representative | None = field(default=None, repr=False)
    against: tuple[str, ...] = ()
    about_request: str | None = None


async def register(
    requests: Requests, letter: Letter, *, key: str | None, actor: str, correlation: str
) -> KeptRequest | Refused[Refusal]:
    """Put a request on record; under the same ``key`` once. Raises ``Transient``."""
    refused = model.judged(requests.policy, letter.kinds, letter.against, letter.about_request)
    subjects = refused or _subjects(requests, letter.requester)
    if isinstance(subjects, Refused):
        return subjects
    name = new_id() if key is None else _named(requests, key)
    known = await requests.store.requests.load(name)
    person = known.person if known else new_pseudonym()
    new = partial(
        New,
        request=name,
        kinds=letter.kinds,
        channel=letter.channel,
        person=person,
        received_at=letter.received_at,
        subjects=subjects,
        mailable=_mailable(letter),
        against=letter.against,
        about_request=letter.about_request,
        fingerprint=_fingerprint(requests, letter),
    )
    # What was sealed once is not sealed again: a repeat says the same or is refused.
    records = {} if known else await _sealed(requests, letter, person=person, name=name)
    saved = await requests.store.requests.update(
        name,
        lambda state: model.register(
            state, new(records=records), requests.by(actor), requests.policy
        ),
        correlation=correlation,
    )
    return saved if isinstance(saved, Refused) else saved.state


def _named(requests: Requests, key: str) -> str:
    """Return the number of a request that follows from a key of whoever sends it."""
    said = hmac.digest(requests.code_key, f"idempotency {key}".encode(), "sha256")
    return hashed_id(said)


def _fingerprint(requests: Requests, letter: Letter) -> str:
    texts = letter.requester.texts()
    said = {
        "kinds": letter.kinds,
        "channel": letter.channel,
        "received": letter.received_at.isoformat(),
        "requester": texts,
        "representative": letter.representative.texts() if letter.representative else None,
        "against": letter.against,
        "about": letter.about_request,
    }
    text = json.dumps(said, sort_keys=True)
    return hmac.digest(requests.code_key, text.encode(), "sha256").hex()


def _mailable(letter: Letter) -> bool:
    """Say whether whoever is answered has an address: a representative where there is one."""
    return bool((letter.representative or letter.requester).email)


def _subjects(requests: Requests, requester: Requester) -> tuple[str, ...] | Refused[Refusal]:
    """Return the blind index of the person's address; refuse any that is none.

    Further addresses count once staff vouch for them (``vouched``).
    """
    for place, address in enumerate(requester.others):
        indexes = requests.indexes(address, f"/requester/on-file/{place}")
        if isinstance(indexes, Refused):
            return indexes
    if requester.email is None:
        return ()
    own = requests.indexes(requester.email, "/requester/email")
    return own if isinstance(own, Refused) else own[-1:]


async def vouched(
    requests: Requests, known: KeptRequest, identity: str | None, evidence: str | None
) -> tuple[str, ...] | Refused[Refusal]:
    """Return the indexes of all addresses, where staff saw who asks and say what they saw.

    Raises ``Transient``.
    """
    if identity in (None, CODE) or known.confirmed_at is not None:
        return ()
    requester = await requests.requester(known)
    if requester is None or not requester.others:
        return ()
    if not evidence:
        return no("evidence-needed", "", "DOAJ-1a10", "/evidence")
    return tuple(requests.index.all(one)[-1] for one in requester.addresses(vouched=True))


async def _sealed(
    requests: Requests, letter: Letter, *, person: str, name: str
) -> dict[str, Sealed]:
    """Seal whoever stands in a letter, each under a pseudonym and key of their own."""
    people: list[tuple[str, PersonalData, str]] = [("requester", letter.requester, person)]
    if letter.representative is not None:
        people.append(("representative", letter.representative, new_pseudonym()))
    return {
        part: await seal(requests.ring, said, person=whose, unit=name, record=name)
        for part, said, whose in people
    }
