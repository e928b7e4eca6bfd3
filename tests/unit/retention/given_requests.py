"""Requests as pure tests make them, by the policy and the schedule that are shipped."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.retention.model.requests import handling, receiving
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.receiving import New
from services.retention.model.requests.state import By, Decided, KeptRequest
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import Sealed
from shared.events.requests import RequestStatus
from shared.policy.requests import RequestsPolicy, load_requests, parse_requests
from shared.policy.retention import load_retention, parse_retention

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "policies"
TEXT = (FOLDER / "requests.toml").read_text()
SCHEDULE = load_retention(FOLDER / "retention.toml")
POLICY = load_requests(FOLDER, SCHEDULE)
REQUEST = "01931f00-0000-7000-8000-000000000001"
NOW = "2026-11-03T12:00"
OFFICER = "privacy-officer"
ERASURE = "01931f00-0000-7000-8000-000000000002"
PERSON = "p" + 32 * "a"
HELPER = "p" + 32 * "b"
SUBJECT = "bi1." + 64 * "0"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def by(when: str, actor: str = "operator") -> By:
    return By(actor, utc(when))


def sealed(
    person: str = PERSON, record: str = REQUEST, schema: str = "retention.requester.v1"
) -> Sealed:
    return Sealed(
        schema_id=schema, person=person, cls="support", unit=REQUEST, record=record, values={}
    )


def note(name: str) -> dict[str, Sealed]:
    return {name: sealed(record=f"{REQUEST}-{name}", schema="retention.request-note.v1")}


def new(*kinds: str, received: str = "2026-11-02T09:00", **fields: Any) -> New:
    said: dict[str, Any] = {
        "request": REQUEST,
        "kinds": kinds or ("access",),
        "channel": "letter",
        "person": PERSON,
        "received_at": utc(received),
        "records": {"requester": sealed()},
        "subjects": (SUBJECT,),
        "mailable": True,
        "fingerprint": "f",
    } | fields
    return New(**said)


def after(decided: Decided) -> KeptRequest:
    """Return the state that a step led to."""
    assert isinstance(decided, Accepted), decided
    return decided.state


def why(decided: Decided) -> str:
    """Return the slug of a refusal."""
    assert isinstance(decided, Refused), decided
    assert isinstance(decided.reason, Refusal)
    return decided.reason.slug


def same(decided: Decided) -> bool:
    return isinstance(decided, Unchanged)


def events(decided: Decided) -> list[str]:
    assert isinstance(decided, Accepted), decided
    return [type(one).__name__ for one in decided.events]


def received(*kinds: str, policy: RequestsPolicy = POLICY, **fields: Any) -> KeptRequest:
    """A request on record, of which nobody showed who they are."""
    one = new(*kinds, **fields)
    return after(receiving.register(None, one, By("operator", one.received_at), policy))


def confirmed(*kinds: str, **fields: Any) -> KeptRequest:
    known = received(*kinds, **fields)
    return after(receiving.confirm(known, By("operator", known.received_at), identity="document"))


def assessed(*kinds: str, **fields: Any) -> KeptRequest:
    known = confirmed(*kinds, **fields)
    at = By("operator", known.received_at)
    return after(handling.assess(known, at, exempt=(), policy=POLICY))


def done(*kinds: str, **fields: Any) -> KeptRequest:
    """A request of which every task is done."""
    known = assessed(*kinds, **fields)
    for one in known.tasks:
        at = By("operator", known.received_at)
        known = after(handling.do(known, at, task=one.task, outcome="done", notes={}))
    return known


def policy_of(*pairs: tuple[str, str], schedule: str = "") -> RequestsPolicy:
    """Return the shipped policy with texts replaced; ``schedule`` replaces days off."""
    text = TEXT
    for old, fresh in pairs:
        assert old in text
        text = text.replace(old, fresh)
    plan = SCHEDULE
    if schedule:
        source = (FOLDER / "retention.toml").read_text()
        plan = parse_retention(source.replace("holidays = []", schedule).encode())
    return parse_requests(text.encode(), plan)


def begun(*kinds: str) -> KeptRequest:
    """A request whose erasure was begun."""
    return after(handling.erasing(done(*(kinds or ("erasure",))), by(NOW), erasure=ERASURE))


def answered() -> KeptRequest:
    step = handling.answer(done(), by(NOW), by_letter=False, notes={}, policy=POLICY)
    return after(step)


STANDING: dict[RequestStatus, Any] = {
    "received": received,
    "confirming": lambda: after(receiving.code_mailed(received(), by(NOW))),
    "confirmed": confirmed,
    "assessed": assessed,
    "doing": done,
    "answered": answered,
    "refused": lambda: after(
        handling.refuse(
            confirmed(), by(NOW), reason="no-match", by_letter=False, notes={}, policy=POLICY
        )
    ),
    "taken-back": lambda: after(handling.take_back(received(), by(NOW))),
}
