"""What goes out: the documents of consent. No address, no blind index, no sealed value."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.consent.api.bodies import kebab
from services.consent.commands.consents import Settled
from services.consent.model.consents import KeptConsent
from services.consent.model.decisions import KeptDecision
from services.consent.model.notices import KeptNotice
from shared.events.consent import (
    By,
    Change,
    Channel,
    Controller,
    Happened,
    NoticeVersion,
    Officer,
    ProcessorState,
)
from shared.policy.consent import Standing
from shared.policy.registers import CookiesFile, ListRow

Status = Literal["effective", "pending"]


class Answer(BaseModel):
    """A document whose fields are spelled with hyphens."""

    model_config = ConfigDict(frozen=True, alias_generator=kebab, validate_by_name=True)


class Version(Answer):
    """One version of a notice."""

    label: str
    sha256: str
    language: str
    change: Change
    purposes: tuple[str, ...]
    published_at: datetime
    effective_at: datetime

    @classmethod
    def of(cls, one: NoticeVersion) -> "Version":
        """Show a version."""
        return cls(
            label=one.label,
            sha256=one.sha,
            language=one.language,
            change=one.change,
            purposes=one.purposes,
            published_at=one.published_at,
            effective_at=one.effective_at,
        )


class Notice(Answer):
    """A notice and its versions, oldest first."""

    notice: str
    title: str
    versions: tuple[Version, ...]

    @classmethod
    def of(cls, state: KeptNotice) -> "Notice":
        """Show a notice."""
        versions = tuple(Version.of(one) for one in state.versions)
        return cls(notice=state.notice, title=state.title, versions=versions)


class Posted(Notice):
    """A notice after posting; ``new`` says whether anything of it was."""

    new: bool


class Notices(Answer):
    """Every notice."""

    notices: tuple[Notice, ...]


class PostedNotices(Answer):
    """Every notice of the folder."""

    notices: tuple[Posted, ...]


class NoticeText(Version):
    """One version of a notice with its text, and whom to write to (CRP-1b, DOAJ-0d)."""

    notice: str
    title: str
    text: str
    reviewed: str
    feedback: str
    controller: Controller
    officer: Officer

    @classmethod
    def whole(cls, state: KeptNotice, one: NoticeVersion) -> "NoticeText":
        """Show a version whole."""
        return cls(
            **Version.of(one).model_dump(),
            notice=state.notice,
            title=state.title,
            text=state.texts[one.sha],
            reviewed=one.reviewed,
            feedback=one.feedback,
            controller=one.controller,
            officer=one.officer,
        )


class Fact(Answer):
    """One thing that happened to a consent."""

    at: datetime
    what: Happened
    by: By
    channel: Channel
    said_at: datetime | None
    notice: str | None = Field(description="Label of the notice that was shown.")


class Consent(Answer):
    """A consent: what it is worth now, and how it came to that."""

    purpose: str
    worth: Standing
    version: int
    valid_until: datetime | None
    facts: tuple[Fact, ...]
    status: Status | None = None

    @classmethod
    def of(cls, state: KeptConsent, worth: Standing, status: Status | None = None) -> "Consent":
        """Show a consent."""
        return cls(
            purpose=state.purpose,
            worth=worth,
            version=state.version,
            valid_until=state.valid_until,
            facts=tuple(
                Fact(
                    at=fact.at,
                    what=fact.what,
                    by=fact.by,
                    channel=fact.channel,
                    said_at=fact.said_at,
                    notice=fact.notice.label if fact.notice else None,
                )
                for fact in state.facts
            ),
            status=status,
        )

    @classmethod
    def settled(cls, settled: Settled, worth: Standing) -> "Consent":
        """Show a consent after a change."""
        return cls.of(settled.consent, worth, "pending" if settled.pending else "effective")


class Consents(Answer):
    """All consents of one person, and what else can be chosen."""

    person: str | None
    consents: tuple[Consent, ...]
    purposes: tuple[str, ...] = Field(description="What else can be consented to.")


class Noted(Answer):
    """It was taken; what follows comes by mail, if the address is one that mail reaches."""

    detail: str


class List(Answer):
    """A list that can be asked for."""

    id: str
    title: str
    says: str
    rhythm: str
    feed: str | None

    @classmethod
    def of(cls, row: ListRow) -> "List":
        """Show a list."""
        return cls(id=row.id, title=row.title, says=row.says, rhythm=row.rhythm, feed=row.feed)


class Lists(Answer):
    """Every list."""

    lists: tuple[List, ...]


class Sent(Answer):
    """How many mails of an issue wait to be sent, and how many were not allowed."""

    posted: int
    refused: int
    unreadable: int


class Processors(Answer):
    """The register of processors."""

    processors: tuple[ProcessorState, ...]


class Cookie(Answer):
    """A cookie that an answer may set."""

    name: str
    says: str
    clause: str
    lifetime: str
    identifier: bool
    required: bool


class Cookies(Answer):
    """Every cookie, and what analytics may record."""

    cookies: tuple[Cookie, ...]
    analytics: tuple[str, ...]

    @classmethod
    def of(cls, file: CookiesFile) -> "Cookies":
        """Show the register."""
        kept = Cookie.model_fields
        return cls(
            cookies=tuple(
                Cookie(**{name: getattr(row, name) for name in kept}) for row in file.cookies
            ),
            analytics=tuple(row.id for row in file.dimensions),
        )


class Use(Answer):
    """A recorded answer of the gate."""

    use: str
    at: datetime
    act: str
    purpose: str
    category: str
    recipient: str
    outcome: Literal["allowed", "refused"]
    clause: str
    why: str | None
    hard: bool = Field(description="No role and no consent lifts it.")
    policy: str

    @classmethod
    def of(cls, state: KeptDecision) -> "Use":
        """Show an answer; not whom it was about."""
        named = {name: getattr(state, name) for name in cls.model_fields if name != "use"}
        return cls(use=state.decision, **named)


class ReceiptKey(Answer):
    """What verifies receipts."""

    name: str
    type: Literal["Ed25519"] = "Ed25519"
    public: str = Field(description="base64url, 32 bytes.")
