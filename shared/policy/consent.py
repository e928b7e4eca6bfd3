"""What a consent is worth at a moment: given, or why it is none. Absent means no (DOAJ-10b).

Pure, and the same in every service: a consent rests on the notice that was shown, so a material
change of that notice makes it stale at the moment the change takes effect, without a word about
each single consent.
"""

from datetime import datetime
from typing import Final, Literal

from shared.events.consent import ConsentState, Happened, NoticeState, NoticeVersion

Standing = Literal[
    "given",
    "absent",
    "requested",
    "refused",
    "withdrawn",
    "expired",
    "stale",
    "suppressed",
    "knowledge-stale",
]

NO: Final[tuple[Happened, ...]] = ("refused", "withdrawn")  # what somebody says who says no


def standing(consent: ConsentState | None, notice: NoticeState | None, now: datetime) -> Standing:
    """Return what a consent is worth at ``now``; ``notice`` is the one that tells of its purpose.

    A notice that is not known, or does not have the version that was shown, makes it stale.
    """
    if consent is None or consent.standing == "erased":
        return "absent"
    if consent.standing != "given":
        return consent.standing
    if consent.valid_until is not None and consent.valid_until <= now:
        return "expired"
    return "stale" if _outdated(consent, notice, now) else "given"


def in_force(notice: NoticeState, at: datetime) -> NoticeVersion | None:
    """Return the version of a notice that was in force at a moment; None before the first."""
    begun = [one for one in notice.versions if one.effective_at <= at]
    return max(begun, key=lambda one: (one.effective_at, one.number), default=None)


def purpose_of(consent_purpose: str) -> str:
    """Return the policy's purpose: ``list`` of ``list:news``."""
    return consent_purpose.partition(":")[0]


def _outdated(consent: ConsentState, notice: NoticeState | None, now: datetime) -> bool:
    shown = consent.notice
    if shown is None or notice is None or notice.notice != shown.notice:
        return True
    if all((one.number, one.sha) != (shown.number, shown.sha) for one in notice.versions):
        return True
    return any(
        one.number > shown.number and one.effective_at <= now and _touches(one, consent.purpose)
        for one in notice.versions
    )


def _touches(version: NoticeVersion, purpose: str) -> bool:
    named = version.purposes
    return version.change == "material" and (not named or purpose_of(purpose) in named)
