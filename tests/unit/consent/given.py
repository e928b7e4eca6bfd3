"""States to begin with."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from services.consent.errors import Refusal, Slug
from services.consent.model import consents, notices
from services.consent.model.consents import Grounds, KeptConsent, Request, Said, Who
from services.consent.model.notices import KeptNotice, ref_of
from services.consent.model.texts import NoticeText, read_text
from shared.events.decisions import Accepted, Refused, Unchanged

POLICIES = Path(__file__).resolve().parents[3] / "deploy" / "policies"
AT = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = f"bi1.{'0' * 64}"
PERSON = f"p{'0' * 32}"
NEWS = Who(SUBJECT, PERSON, "list:newsletter")
S = TypeVar("S")


def at(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def accepted(decided: Any) -> Any:
    """Return the state of a yes that changes something."""
    assert isinstance(decided, Accepted), decided
    return decided.state


def settled(decided: Accepted[S] | Unchanged[S] | Refused[Refusal]) -> S:
    """Return the state of a yes."""
    assert not isinstance(decided, Refused), decided
    return decided.state


def refused(decided: Any) -> Slug:
    """Return why it is a no."""
    assert isinstance(decided, Refused), decided
    reason: Refusal = decided.reason
    return reason.slug


def a_text(
    label: str = "1",
    *,
    change: Literal["material", "editorial"] = "material",
    effective: date | None = None,
    purposes: tuple[str, ...] = (),
    body: str = "What we do with data.",
) -> NoticeText:
    day = '"at-once"' if effective is None else effective.isoformat()
    named = ", ".join(f'"{one}"' for one in purposes)
    raw = (
        f'+++\nnotice = "n"\nlabel = "{label}"\ntitle = "N"\nlanguage = "en"\n'
        f'change = "{change}"\neffective = {day}\npurposes = [{named}]\nreviewed = "today"\n'
        'feedback = "a@example.org"\n'
        '[controller]\nname = "C"\naddress = "A"\njurisdiction = "J"\nscope = "S"\n'
        '[officer]\nrole = "R"\nname = "N"\nemail = "o@example.org"\npost = "P"\n'
        f"+++\n{body}\n"
    )
    text = read_text(raw.encode(), f"n/{label}.md")
    assert isinstance(text, NoticeText), text
    return text


def a_notice(*texts: NoticeText, now: datetime = AT) -> KeptNotice:
    state: KeptNotice | None = None
    for text in texts or (a_text(),):
        state = accepted(notices.post(state, text, now=now))
    assert state is not None
    return state


def grounds(notice: KeptNotice, valid_until: datetime | None = None) -> Grounds:
    return Grounds(ref_of(notice.notice, notice.versions[-1]), valid_until)


def a_request(number: str = "r1", *, minutes: float = 0, days: float = 7) -> Request:
    return Request(id=number, at=at(minutes), until=at(minutes) + timedelta(days=days))


def asked(known: KeptConsent | None = None, number: str = "r1", *, minutes: float = 0) -> Any:
    return accepted(
        consents.ask(known, NEWS, a_request(number, minutes=minutes), again_before=at(minutes - 10))
    )


def given(notice: KeptNotice, *, minutes: float = 1) -> KeptConsent:
    state = consents.confirm(asked(), "r1", grounds(notice), now=at(minutes))
    return accepted(state)  # type: ignore[no-any-return]


def by_link(minutes: float) -> Said:
    return Said("person", "one-click", at(minutes))


def by_letter(minutes: float, *, said: float) -> Said:
    return Said("operator", "letter", at(minutes), at(said))
