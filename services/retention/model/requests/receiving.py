"""A request comes in, by whatever channel, and it is found out who asks (DOAJ-1a10, 9b)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.retention.model.requests import deadlines
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import CODE, UNKNOWN, By, Decided, KeptRequest, no
from services.retention.model.requests.steps import barred, fact, records, stepped, told
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import Sealed
from shared.events.requests import (
    RequestChannel,
    RequestConfirmed,
    RequestConfirming,
    RequestReceived,
)
from shared.policy.requests import RequestsPolicy


@dataclass(frozen=True, slots=True)
class New:
    """What is put on record: by staff, or by a person who used a code (``identity``)."""

    request: str
    kinds: tuple[str, ...]
    channel: RequestChannel
    person: str
    received_at: datetime
    records: Mapping[str, Sealed]
    subjects: tuple[str, ...]
    mailable: bool
    against: tuple[str, ...] = ()
    about_request: str | None = None
    fingerprint: str = ""
    identity: str | None = None


def judged(
    policy: RequestsPolicy,
    kinds: tuple[str, ...],
    against: tuple[str, ...] = (),
    about_request: str | None = None,
) -> Refused[Refusal] | None:
    """Refuse kinds that there are not, and a complaint that is no case of its own (DOAJ-11)."""
    rows = [policy.kind(name) for name in kinds]
    unknown = tuple(f"/kinds/{place}" for place, row in enumerate(rows) if row is None)
    if unknown:
        return Refused(Refusal("kind-unknown", places=unknown))
    apart = any(row.apart for row in rows if row)
    if apart and len(kinds) > 1:
        return no("kind-apart", "", "DOAJ-11", "/kinds")
    if not apart and (against or about_request):
        return no("about-nobody", "", "DOAJ-11", "/against")
    if deadlines.routed(policy, against) is None:
        return no("nobody-left", "", "DOAJ-11", "/against")
    return None


def register(known: KeptRequest | None, new: New, by: By, policy: RequestsPolicy) -> Decided:
    """Put a request on record, once under its id; its limits count from when it was received."""
    if known is not None:
        same = known.fingerprint == new.fingerprint
        return Unchanged(known) if same else no("request-differs")
    refused = judged(policy, new.kinds, new.against, new.about_request)
    if refused is not None:
        return refused
    if new.received_at > by.now:
        return no("received-in-the-future", "", "", "/received-at")
    handler = deadlines.routed(policy, new.against)
    assert handler is not None
    facts = [fact("received", by.actor, new.received_at)]
    if new.identity is not None:
        facts.append(fact("identity-shown", by.actor, by.now, new.identity))
        facts.append(fact("confirmed", by.actor, by.now))
    state = KeptRequest(
        request=new.request,
        kinds=new.kinds,
        channel=new.channel,
        person=new.person,
        status="received" if new.identity is None else "confirmed",
        received_at=new.received_at,
        registered_at=by.now,
        confirmed_at=None if new.identity is None else by.now,
        identity=new.identity,
        represented="representative" in new.records,
        handler=handler,
        about_request=new.about_request,
        policy=policy.version,
        facts=tuple(facts),
        version=1,
        records=new.records,
        subjects=new.subjects,
        fingerprint=new.fingerprint,
        against=new.against,
        mailable=new.mailable,
        owed=("confirmed",) if new.identity is not None and new.mailable else (),
    )
    event = RequestReceived if new.identity is None else RequestConfirmed
    return Accepted(state, (*records(state, new.records), told(event, state)))


def code_mailed(known: KeptRequest | None, by: By) -> Decided:
    """Write down that a code went to the person's address; each may be followed by another."""
    if known is None:
        return UNKNOWN
    refused = barred(known, "ask-code")
    if refused is not None:
        return refused
    said = fact("code-mailed", by.actor, by.now)
    return stepped(known, RequestConfirming, [said], status="confirming")


def confirm(
    known: KeptRequest | None,
    by: By,
    *,
    identity: str | None = None,
    authority: bool = False,
    notes: Mapping[str, Sealed] | None = None,
    vouched: tuple[str, ...] = (),
) -> Decided:
    """Write down who asks, and that whoever asks for another may: it counts once both stand.

    A representative's authority is checked by staff; until then nothing is done (DOAJ-1a10).
    ``vouched`` are the indexes of further addresses that staff saw to be the person's; a code that
    is used afterwards takes nothing back of what staff saw.
    """
    if known is None:
        return UNKNOWN
    again = known.confirmed_at is not None and identity in (None, known.identity)
    if again or (known.vouched and identity == CODE):
        return Unchanged(known)
    refused = barred(known, "confirm")
    if refused is not None:
        return refused
    facts = []
    changes: dict[str, object] = {"status": "confirming"}
    if identity is not None and identity != known.identity:
        facts.append(fact("identity-shown", by.actor, by.now, identity))
        changes["identity"] = identity
        if set(vouched) - set(known.subjects):
            changes["subjects"] = tuple(dict.fromkeys([*known.subjects, *vouched]))
            # What was told before names the one address: it is told again under all of them.
            notes = {**known.records, **(notes or {})}
    if authority and known.authority_at is None:
        facts.append(fact("authority-checked", by.actor, by.now))
        changes["authority_at"] = by.now
    shown = identity is not None or known.identity is not None
    checked = not known.represented or authority or known.authority_at is not None
    if shown and checked:
        facts.append(fact("confirmed", by.actor, by.now))
        owed = ("confirmed",) if known.mailable else ()
        changes |= {"status": "confirmed", "confirmed_at": by.now, "owed": owed}
        return stepped(known, RequestConfirmed, facts, notes, **changes)
    if not facts:
        return no("authority-unchecked", "", "DOAJ-1a10") if shown else Unchanged(known)
    return stepped(known, RequestConfirming, facts, notes, **changes)
