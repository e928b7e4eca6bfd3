"""Notices: versions that are added and never changed, and when each took effect."""

from collections.abc import Mapping
from datetime import UTC, datetime, time

from services.consent.errors import Refusal
from services.consent.model.texts import NoticeText
from shared.events.consent import NoticePublished, NoticeRef, NoticeState, NoticeVersion
from shared.events.decisions import Accepted, Refused, Unchanged, saying


class KeptNotice(NoticeState):
    """A notice's document; ``texts`` are the texts of its versions, by their hashes."""

    texts: Mapping[str, str] = {}

    def at_label(self, label: str) -> NoticeVersion | None:
        """Return the version of this label."""
        return next((one for one in self.versions if one.label == label), None)


Decided = Accepted[KeptNotice] | Unchanged[KeptNotice] | Refused[Refusal]


def post(known: KeptNotice | None, text: NoticeText, *, now: datetime) -> Decided:
    """Post a version of a notice; the same again is no change.

    In effect at once, or on the day it names; never before it is posted, save the first version,
    which may have been in force elsewhere (CRP-13a). A text that changed under a label that is
    there already is refused (DOAJ-X1).
    """
    there = known.at_label(text.head.label) if known else None
    if known is not None and there is not None:
        if there.sha == text.sha:
            return Unchanged(known)
        detail = f"{text.head.label} was posted with another text; give the new one a new label."
        return Refused(Refusal("label-reused", detail, "DOAJ-X1", (f"/{text.name}",)))
    version = _version(known, text, now)
    state = KeptNotice(
        notice=text.head.notice,
        title=text.head.title,
        versions=(*(known.versions if known else ()), version),
        version=known.version + 1 if known else 1,
        texts={**(known.texts if known else {}), text.sha: text.body},
    )
    return Accepted(state, (saying(NoticePublished, state),))


def ref_of(notice: str, version: NoticeVersion) -> NoticeRef:
    """Return how a consent names a version."""
    return NoticeRef(notice=notice, number=version.number, label=version.label, sha=version.sha)


def _version(known: KeptNotice | None, text: NoticeText, now: datetime) -> NoticeVersion:
    head = text.head
    named = now if head.effective == "at-once" else datetime.combine(head.effective, time(), UTC)
    return NoticeVersion(
        number=len(known.versions) + 1 if known else 1,
        label=head.label,
        sha=text.sha,
        language=head.language,
        change=head.change,
        purposes=head.purposes,
        reviewed=head.reviewed,
        controller=head.controller,
        officer=head.officer,
        feedback=head.feedback,
        published_at=now,
        effective_at=named if known is None else max(named, now),
    )
