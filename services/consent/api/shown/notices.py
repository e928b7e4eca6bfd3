"""What is shown of notices."""

from datetime import datetime

from services.consent.model.notices import KeptNotice
from shared.events.consent import Change, Controller, NoticeVersion, Officer
from shared.web import Answer


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
